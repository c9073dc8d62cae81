"""PECL: which way a step goes, where it is dead, what its weights and encoders come to."""

from __future__ import annotations

import math
import warnings
from pathlib import Path

import pytest
import torch
from test_sr_losses import make_batch, make_reader, upscaled_like
from test_sr_padding import padded_batch
from torch import Tensor, nn
from torch.nn import functional

from training.sr.losses.encoders import Encoder, ReaderEncoder, ResNet18, ResNetEncoder
from training.sr.losses.pecl import (
    CONTRASTIVE,
    Pecl,
    contrast,
    default_margin,
    distance,
    expected_distance,
    negatives,
    push,
)
from training.sr.losses.terms import Batch, PixelLoss


class Small(Encoder):
    """A linear layer of the means of 8 x 8 pixels."""

    def __init__(self, d: int, frozen: bool) -> None:
        super().__init__(frozen)
        torch.manual_seed(0)
        self.net = nn.Linear(24, d)
        self.freeze()

    def embed(self, images: Tensor, batch: Batch) -> Tensor:
        out: Tensor = self.net(8 * (functional.avg_pool2d(images, 8).flatten(1) - 0.5))
        return out


def units(count: int, d: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return functional.normalize(torch.randn(count, d, generator=generator, dtype=torch.float64), dim=1)


def near(v: Tensor, by: float) -> Tensor:
    return functional.normalize(v + by * units(*v.shape, seed=5), dim=1)


@pytest.mark.parametrize("metric", ["l1", "l2"])
@pytest.mark.parametrize(("form", "grows"), [("as_printed", True), ("pull", False), ("pull_push", False)])
def test_the_direction_of_a_step(form: str, grows: bool, metric: str) -> None:
    v = units(4, 64)
    u = near(v, 0.05).requires_grad_()
    margin = default_margin(form, metric, 64)
    before = distance(u, v, metric).detach()
    assert bool((before < 2).all())
    (gradient,) = torch.autograd.grad(contrast(u, v, form, metric, margin, list("ABCD")), u)
    after = distance(u.detach() - 1e-4 * gradient, v, metric)
    assert bool((after > before).all()) is grows
    assert bool((after != before).all())


def test_equal_embeddings_cost_most_as_printed_and_nothing_in_pull() -> None:
    v = units(3, 128)
    assert float(contrast(v, v, "as_printed", "l1", 2.0, ["A"] * 3)) == 4.0
    assert float(contrast(v, v, "pull", "l1", 2.0, ["A"] * 3)) == 0.0


def test_as_printed_is_dead_from_the_margin_on() -> None:
    u, v = units(3, 128, 1).requires_grad_(), units(3, 128, 2)
    assert bool((distance(u, v, "l1") > 2).all())
    loss = contrast(u, v, "as_printed", "l1", 2.0, ["A"] * 3)
    (gradient,) = torch.autograd.grad(loss, u)
    assert float(loss.detach()) == 0.0
    assert float(gradient.abs().max()) == 0.0


def test_in_l2_the_printed_margin_is_never_reached() -> None:
    u = units(200, 16, 3)
    assert bool((distance(u, units(200, 16, 4), "l2") < 2).all())
    assert float(distance(u[:1], -u[:1], "l2")) == pytest.approx(2.0)


@pytest.mark.parametrize("d", [64, 128, 512])
def test_bounds_and_mean_of_the_distance(d: int) -> None:
    found = distance(units(4000, d, 1), units(4000, d, 2), "l1")
    assert bool((found <= 2 * math.sqrt(d)).all())
    assert float(found.mean()) == pytest.approx(expected_distance("l1", d), rel=0.03)
    assert float(distance(units(4000, d, 1), units(4000, d, 2), "l2").mean()) == pytest.approx(
        expected_distance("l2", d), rel=0.03
    )
    corner = torch.full((1, d), 1 / math.sqrt(d), dtype=torch.float64)
    assert float(distance(corner, -corner, "l1")) == pytest.approx(2 * math.sqrt(d))


@pytest.mark.parametrize("metric", ["l1", "l2"])
@pytest.mark.parametrize("form", CONTRASTIVE)
def test_no_nan_at_distance_zero(form: str, metric: str) -> None:
    u = units(3, 32).requires_grad_()
    (gradient,) = torch.autograd.grad(contrast(u, u.detach(), form, metric, 2.0, ["A", "A", "B"]), u)
    assert bool(gradient.isfinite().all())


def test_a_black_image_has_no_nan_embedding() -> None:
    encoder = Small(8, frozen=True)
    nn.init.zeros_(encoder.net.bias)
    batch = make_batch(["A"])
    assert float(encoder(torch.full_like(batch.high, 0.5), batch).abs().max()) == 0.0


def test_plates_of_one_text_are_no_negatives() -> None:
    table = negatives(["A", "B", "A", ""])
    expected = [[0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0]]
    assert table.int().tolist() == expected
    v = units(4, 32)
    assert float(push(v, "l1", 100.0, ["A"] * 4)) == 0.0


def test_the_push_by_hand_and_only_on_true_images() -> None:
    v = units(2, 8).requires_grad_()
    apart = float(distance(v[0], v[1], "l1").detach())
    assert float(push(v, "l1", apart + 0.5, ["A", "B"]).detach()) == pytest.approx(0.25)
    u = near(v.detach(), 0.1).requires_grad_()
    margin = apart + 0.5
    both = torch.autograd.grad(contrast(u, v, "pull_push", "l1", margin, ["A", "B"]), u)[0]
    pull = torch.autograd.grad(contrast(u, v, "pull", "l1", margin, ["A", "B"]), u)[0]
    assert torch.equal(both, pull)


# Weights.


def run_weights(
    loss: Pecl, pixel: float, second: float, steps: int = 150, lr: float = 0.01
) -> tuple[float, float]:
    """Both losses held constant: where the weights go."""
    optimizer = torch.optim.Adam([p for n, p in loss.named_parameters() if "encoder" not in n], lr)
    batch = make_batch(["A"])
    for _ in range(steps):
        optimizer.zero_grad()
        loss.weighed(torch.tensor(pixel), torch.tensor(second)).backward()
        optimizer.step()
        loss.learn(batch.high, batch)
    return loss.weights()


@pytest.mark.parametrize(("pixel", "second", "end"), [(0.003, 0.5, 1.0), (0.5, 0.003, 0.0)])
def test_clipped_weights_run_to_the_smaller_loss(pixel: float, second: float, end: float) -> None:
    with pytest.warns(UserWarning, match="runs to 0 or 1"):
        loss = Pecl(Small(8, True), 8, weighting="clipped_learnable")
    assert loss.weights() == (0.5, 0.5)
    assert run_weights(loss, pixel, second) == (end, 1 - end)


def test_as_printed_with_clipped_weights_reaches_zero_without_a_network() -> None:
    """The degenerate optimum: D past the margin, all weight on a term that is zero."""
    with pytest.warns(UserWarning, match="runs to 0 or 1"):
        loss = Pecl(Small(128, True), 128, "as_printed", "clipped_learnable")
    dead = contrast(units(2, 128, 1), units(2, 128, 2), "as_printed", "l1", 2.0, ["A", "B"])
    assert float(dead) == 0.0
    assert run_weights(loss, 0.08, float(dead))[0] == 0.0
    assert float(loss.weighed(torch.tensor(0.08), dead).detach()) == 0.0


@pytest.mark.parametrize(("pixel", "second"), [(0.003, 0.5), (0.5, 0.003), (0.0, 1.0)])
def test_uncertainty_keeps_both_terms(pixel: float, second: float) -> None:
    loss = Pecl(Small(8, True), 8, weighting="uncertainty")
    first, other = run_weights(loss, pixel, second, 250, 0.06)
    assert min(first, other) > 1e-3
    expected = 0.5 / max(pixel, math.exp(-6))  # the optimum of exp(-s) L / 2 + s / 2 is s = log L
    assert first == pytest.approx(expected, rel=0.05)


def test_fixed_weight_zero_is_mse_bit_for_bit() -> None:
    batch = make_batch(["A", "B"])
    upscaled = upscaled_like(batch)
    loss = Pecl(Small(8, True), 8, weight=0.0)(upscaled, batch)
    assert torch.equal(loss, functional.mse_loss(upscaled, batch.high))


def test_padded_pixels_do_not_count() -> None:
    batch, upscaled = padded_batch(1)
    loss = Pecl(Small(8, True), 8, weight=0.0)(upscaled, batch)
    assert torch.equal(loss, PixelLoss("mse")(upscaled, batch))


def test_the_loss_is_the_weighted_sum() -> None:
    batch = make_batch(["A", "B"])
    upscaled = upscaled_like(batch)
    encoder = Small(8, True)
    loss = Pecl(encoder, 8, weight=0.25)
    apart = distance(encoder(upscaled, batch), encoder(batch.high, batch), "l1")
    expected = 0.75 * functional.mse_loss(upscaled, batch.high)
    expected = expected + 0.25 * apart.square().mean() / expected_distance("l1", 8) ** 2
    assert float(loss(upscaled, batch).detach()) == pytest.approx(float(expected.detach()), rel=1e-5)


@pytest.mark.parametrize("metric", ["l1", "l2"])
def test_balanced_terms_pull_the_pixels_equally_hard(metric: str) -> None:
    """``ratio`` times as hard, whatever d and metric are; a fixed weight leaves that to the encoder."""
    batch = make_batch(["A", "B"])
    for d in (8, 64):
        upscaled = upscaled_like(batch)
        loss = Pecl(Small(d, True), d, metric=metric, weighting="balanced", ratio=0.5).train()
        loss(upscaled, batch)
        whole = loss(upscaled, batch)
        pixel = functional.mse_loss(upscaled, batch.high)
        first, both = (torch.autograd.grad(each, upscaled)[0] for each in (pixel, whole))
        assert float((both - first).norm() / first.norm()) == pytest.approx(0.5, rel=1e-4)
        assert loss.weights() == (1.0, loss.parts["w_contrast"])
    assert list(loss.learnt_weights()) == []


def test_a_dead_term_leaves_the_balance() -> None:
    batch = make_batch(["A", "B"])
    loss = Pecl(Small(64, True), 64, "as_printed", "balanced", margin=1e-6).train()
    upscaled = upscaled_like(batch)
    assert torch.equal(loss(upscaled, batch), functional.mse_loss(upscaled, batch.high))
    assert loss.weights() == (1.0, 0.0)


def test_the_learnt_weights_are_parameters_of_their_own_and_logged() -> None:
    with pytest.warns(UserWarning, match="runs to 0 or 1"):
        loss = Pecl(Small(8, False), 8, weighting="clipped_learnable")
    assert [p is loss.pixel_share for p in loss.learnt_weights()] == [True]
    assert {id(p) for p in loss.trained()} == {id(p) for p in loss.encoder.parameters()}
    assert list(Pecl(Small(8, False), 8).learnt_weights()) == []
    nn.init.constant_(loss.pixel_share, 0.75)
    batch = make_batch(["A", "B"])
    loss(upscaled_like(batch), batch)
    assert (loss.parts["w_pixel"], loss.parts["w_contrast"]) == (0.75, 0.25)
    other = Pecl(Small(8, True), 8, weighting="uncertainty")
    nn.init.constant_(other.log_variances, math.log(2))
    other(upscaled_like(batch), batch)
    assert other.parts["w_pixel"] == other.parts["w_contrast"] == pytest.approx(0.25)
    plain = Pecl(Small(8, True), 8, weight=0.0)
    plain(upscaled_like(batch), batch)
    assert (plain.parts["w_pixel"], plain.parts["w_contrast"]) == (1.0, 0.0)


# Encoders.


@pytest.mark.parametrize(("form", "collapses"), [("pull", True), ("pull_push", False)])
def test_a_trained_encoder_collapses_without_a_push(form: str, collapses: bool) -> None:
    """A constant embedding makes enlarged and true images equal at no cost to the network."""
    batch = make_batch(list("ABCDEFGH"))
    encoder = Small(16, frozen=False)
    loss = Pecl(encoder, 16, form, weight=1.0)
    optimizer = torch.optim.Adam(loss.trained(), 2e-2)
    start = float(encoder(batch.high, batch).var(0).sum().detach())
    for step in range(80):
        optimizer.zero_grad()
        fresh = make_batch(batch.texts, seed=step + 1)
        noisy = fresh.high.lerp(torch.rand(fresh.high.shape), 0.5)
        loss(noisy, fresh).backward()
        optimizer.step()
    end = float(encoder(batch.high, batch).var(0).sum().detach())
    assert end < 0.02 * start if collapses else end > 0.1 * start


def test_a_frozen_encoder_learns_nothing() -> None:
    encoder = ResNetEncoder(16, frozen=True)
    loss = Pecl(encoder, 16, weight=1.0).train()
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    batch = make_batch(["A", "B"])
    upscaled = upscaled_like(batch)
    loss(upscaled, batch).backward()
    assert upscaled.grad is not None
    assert float(upscaled.grad.abs().max()) > 0
    assert list(loss.trained()) == []
    assert all(torch.equal(value, before[name]) for name, value in encoder.state_dict().items())


def test_a_trained_resnet_updates_its_statistics() -> None:
    encoder = ResNetEncoder(16, frozen=False).train()
    batch = make_batch(["A", "B"])
    encoder(batch.high, batch)
    assert float(encoder.net.bn1.running_mean.abs().max()) > 0  # type: ignore[union-attr]
    assert len(list(Pecl(encoder, 16).trained())) == 62


def test_resnet18_is_the_public_one(tmp_path: Path) -> None:
    net = ResNet18(1000)
    assert sum(p.numel() for p in net.parameters()) == 11_689_512  # as published with 1000 classes
    names = {"conv1.weight", "layer2.0.downsample.1.running_var", "layer4.1.conv2.weight", "fc.bias"}
    assert names <= net.state_dict().keys()
    assert len(net.state_dict()) == 122
    torch.save(net.state_dict(), tmp_path / "resnet18.pth")
    encoder = ResNetEncoder(32, weights=tmp_path / "resnet18.pth")
    assert torch.equal(encoder.net.conv1.weight, net.conv1.weight)
    assert encoder.net.fc.weight.shape == (32, 512)


def test_other_weights_are_refused(tmp_path: Path) -> None:
    torch.save({"conv1.weight": torch.zeros(64, 3, 7, 7)}, tmp_path / "part.pth")
    with pytest.raises(ValueError, match="expected the layers of ResNet-18"):
        ResNetEncoder(8, weights=tmp_path / "part.pth")
    (tmp_path / "text.pth").write_text("no weights", encoding="utf-8")
    with pytest.raises(ValueError, match=r"text\.pth: expected a ResNet-18 state dict"):
        ResNetEncoder(8, weights=tmp_path / "text.pth")


@pytest.mark.parametrize("arch", ["slim", "aligned_slim"])
def test_the_readers_trunk_as_encoder(arch: str) -> None:
    reader = make_reader(arch)
    encoder = ReaderEncoder(reader, 64)
    before = {name: value.clone() for name, value in reader.state_dict().items()}
    batch = make_batch(["A", "B"])
    upscaled = upscaled_like(batch)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loss = Pecl(encoder, 64, weight=1.0).train()
    assert encoder(batch.high, batch).norm(dim=1).tolist() == pytest.approx([1.0, 1.0])
    loss(upscaled, batch).backward()
    assert upscaled.grad is not None
    assert float(upscaled.grad.abs().max()) > 0
    assert all(torch.equal(value, before[name]) for name, value in reader.state_dict().items())
    assert float(loss(batch.high, batch)) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("arch", ["slim", "aligned_slim"])
def test_a_trained_trunk_is_a_copy_of_the_readers(arch: str) -> None:
    reader = make_reader(arch)
    before = {name: value.clone() for name, value in reader.state_dict().items()}
    batch = make_batch(["A", "B"])
    loss = Pecl(ReaderEncoder(reader, 64, frozen=False), 64, weight=1.0).train()
    still = Pecl(ReaderEncoder(reader, 64), 64, weight=1.0).train()
    assert not list(still.trained())
    upscaled = upscaled_like(batch)
    torch.testing.assert_close(loss(upscaled, batch), still(upscaled, batch))
    optimizer = torch.optim.Adam(loss.trained(), 1e-3)
    begun = float(loss(upscaled, batch).detach())
    for _ in range(3):
        optimizer.zero_grad()
        loss(upscaled, batch).backward()
        optimizer.step()
    assert float(loss(upscaled, batch).detach()) < 0.9 * begun  # pull alone: the embeddings meet
    assert all(torch.equal(value, before[name]) for name, value in reader.state_dict().items())
    assert not any("reader." in name for name in loss.state_dict())
    assert any("trunk.model" in name for name in loss.state_dict())
