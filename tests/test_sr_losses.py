"""The SR losses that ask a reader: where their gradients go, and what they reward."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from lprfast.prepare import prepare
from training.ocr.align import Aligned
from training.ocr.confusion import ConfusionWeights
from training.ocr.model import build_model
from training.sr.losses.adversarial import AdversarialLoss, Discriminator
from training.sr.losses.lcofl import Lcofl, occupancy
from training.sr.losses.reading import ConfidenceLoss, ReadingLoss, confidence_loss
from training.sr.losses.ssim import ssim
from training.sr.losses.terms import Batch, GradientBalance, PixelLoss, SrLoss
from training.sr.reader import FrozenReader, gray_of

CHARSET = ("0", "1", "A", "B")


def make_reader(arch: str = "slim", charset: tuple[str, ...] = CHARSET) -> FrozenReader:
    """Untrained, but with batch norms that have seen something."""
    torch.manual_seed(0)
    size = (64, 256) if arch.startswith("aligned") else (32, 128)
    model = build_model(arch, len(charset) + 1, size[0])
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.1, 0.1)  # type: ignore[arg-type]
            nn.init.uniform_(module.running_var, 0.5, 1.5)  # type: ignore[arg-type]
    return FrozenReader(model, charset, size)


def make_batch(texts: list[str], channels: int = 1, seed: int = 0) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    low = torch.rand(len(texts), channels, 6, 16, generator=generator)
    high = torch.rand(len(texts), channels, 24, 64, generator=generator)
    sizes = torch.tensor([[24, 64]] * len(texts))
    return Batch(low, high, texts, sizes)


def upscaled_like(batch: Batch) -> Tensor:
    generator = torch.Generator().manual_seed(9)
    return torch.rand(batch.high.shape, generator=generator).requires_grad_()


def test_pixel_losses_by_hand() -> None:
    high = torch.tensor([[[[0.0, 1.0]]]])
    batch = Batch(high, high, [""], torch.tensor([[1, 2]]))
    upscaled = torch.tensor([[[[0.5, 0.8]]]])
    assert float(PixelLoss("l1")(upscaled, batch)) == pytest.approx((0.5 + 0.2) / 2)
    assert float(PixelLoss("mse")(upscaled, batch)) == pytest.approx((0.25 + 0.04) / 2)


# The frozen reader.


@pytest.mark.parametrize("size", [(19, 51), (80, 300)])
def test_the_readers_input_is_that_of_prepare(size: tuple[int, int]) -> None:
    reader = make_reader()
    rng = np.random.default_rng(0)
    crops = [rng.integers(0, 256, size, np.uint8) for _ in range(2)]
    images = torch.from_numpy(np.stack(crops))[:, None].float() / 255
    got = reader.inputs(images, torch.tensor([size, size])).numpy()
    # prepare works in fixed point: a fifth of a gray level apart at most.
    assert np.abs(got - prepare(crops, height=32, width=128)).max() * 64 < 0.2


def test_padding_is_not_read() -> None:
    reader = make_reader()
    image = torch.rand(1, 1, 20, 60)
    padded = torch.zeros(1, 1, 30, 70)
    padded[:, :, :20, :60] = image
    size = torch.tensor([[20, 60]])
    assert torch.equal(reader(image, size), reader(padded, size))


def test_gray_of_colour_is_luma() -> None:
    image = torch.zeros(1, 3, 1, 3)
    for channel in range(3):
        image[0, channel, 0, channel] = 1
    torch.testing.assert_close(gray_of(image)[0, 0, 0], torch.tensor([0.299, 0.587, 0.114]))


@pytest.mark.parametrize("arch", ["slim", "aligned_slim"])
def test_the_gradient_reaches_the_pixels_and_not_the_reader(arch: str) -> None:
    reader = make_reader(arch)
    loss = ReadingLoss(reader, weight=1.0).train()
    before = {name: value.clone() for name, value in reader.state_dict().items()}
    batch = make_batch(["A0", "B1"])
    upscaled = upscaled_like(batch)
    ctc = reader.ctc(reader(upscaled, batch.sizes), batch.texts).mean()
    (gradient,) = torch.autograd.grad(ctc, upscaled)
    assert all(float(each.abs().max()) > 0 for each in gradient)
    loss(upscaled, batch).backward()
    assert all(parameter.grad is None for parameter in reader.parameters())
    after = reader.state_dict()  # batch-norm statistics among them
    assert any("running_mean" in name for name in after)
    assert all(torch.equal(value, after[name]) for name, value in before.items())


def test_a_locator_passes_the_gradient_through_the_line_it_cuts_out() -> None:
    """The corners are detached: what lies outside the line and its margins has no gradient."""
    reader = make_reader("aligned_slim")
    model = reader.model
    assert isinstance(model, Aligned)
    last = model.locate[-1]
    assert isinstance(last, nn.Linear)
    nn.init.zeros_(last.weight)  # the corners are then those of its bias: rows 0.25 to 0.75
    images = torch.rand(1, 1, 64, 256, requires_grad=True)
    size = torch.tensor([[64, 256]])
    (gradient,) = torch.autograd.grad(reader.ctc(reader(images, size), ["AB"]).sum(), images)
    rows = torch.nonzero(gradient[0, 0].abs().sum(1))[:, 0]
    # The margin is 0.15 of the line's height, and half a pixel is interpolated.
    assert 64 * (0.25 - 0.075) - 2 <= int(rows.min()) <= 16
    assert 48 <= int(rows.max()) <= 64 * (0.75 + 0.075) + 2


def test_the_label_decides_the_direction() -> None:
    reader = make_reader()
    batch = make_batch(["A0", "B1"])
    upscaled = upscaled_like(batch)

    def gradient(texts: list[str]) -> Tensor:
        ctc = reader.ctc(reader(upscaled, batch.sizes), texts).mean()
        return torch.autograd.grad(ctc, upscaled)[0].flatten()

    first, other = gradient(["A0", "B1"]), gradient(["1B", "00A"])
    assert float(torch.cosine_similarity(first, other, dim=0)) < 0.95


def test_descent_makes_the_text_likelier() -> None:
    reader = make_reader()
    batch = make_batch(["A0", "B1"])
    upscaled = upscaled_like(batch)
    ctc = reader.ctc(reader(upscaled, batch.sizes), batch.texts).mean()
    (gradient,) = torch.autograd.grad(ctc, upscaled)
    moved = upscaled.detach() - 0.05 * gradient / gradient.abs().max()
    assert float(reader.ctc(reader(moved, batch.sizes), batch.texts).mean()) < float(ctc.detach())


def test_texts_that_cannot_be_read_cost_nothing() -> None:
    reader = make_reader()
    batch = make_batch(["", "A0", "Z", "01" * 20])
    losses = reader.ctc(reader(batch.high, batch.sizes), batch.texts)
    assert (losses > 0).tolist() == [False, True, False, False]


def test_a_frozen_reader_stays_in_evaluation_mode_but_for_its_lstm() -> None:
    """cuDNN's LSTMs pass no gradient in evaluation mode; theirs is the same in both."""
    loss = ReadingLoss(make_reader()).train()
    modes = {type(module).__name__: module.training for module in loss.reader.model.modules()}
    assert modes["BatchNorm2d"] is False
    assert modes["LSTM"] is True


# What confidence rewards.


def test_confidence_rewards_sure_reads_right_or_wrong() -> None:
    def reads(chances: list[list[float]]) -> Tensor:
        return torch.tensor([chances]).log()

    sure_and_wrong = reads([[0.01, 0.98, 0.01]])  # says class 1
    unsure_and_right = reads([[0.2, 0.3, 0.5]])  # says class 2, the truth
    assert float(confidence_loss(sure_and_wrong)) == pytest.approx(-math.log(0.98), rel=1e-4)
    assert float(confidence_loss(sure_and_wrong)) < float(confidence_loss(unsure_and_right))


def test_the_label_does_not_enter_the_confidence() -> None:
    reader = make_reader()
    batch, other = make_batch(["A0", "B1"]), make_batch(["1B", "00"])
    upscaled = upscaled_like(batch).detach()
    loss = ConfidenceLoss(reader)
    assert float(loss(upscaled, batch)) == float(loss(upscaled, other))
    expected = (upscaled - batch.high).abs().mean() + 0.1 * confidence_loss(reader(upscaled, batch.sizes))
    assert float(loss(upscaled, batch)) == pytest.approx(float(expected))


def test_the_confidence_reaches_the_pixels() -> None:
    batch = make_batch(["A0", "B1"])
    upscaled, loss = upscaled_like(batch), ConfidenceLoss(make_reader())
    (whole,) = torch.autograd.grad(loss(upscaled, batch), upscaled)
    (pixels,) = torch.autograd.grad(PixelLoss("l1")(upscaled, batch), upscaled)
    (sure,) = torch.autograd.grad(confidence_loss(loss.reader(upscaled, batch.sizes)), upscaled)
    torch.testing.assert_close(whole - pixels, 0.1 * sure)
    assert float(sure.abs().max()) > 0


# Balance by gradients.


def test_balanced_gradients_are_equally_long() -> None:
    x = torch.tensor([3.0, 4.0], requires_grad=True)
    balance = GradientBalance(ratio=2.0).train()
    first, term = 2 * x.sum(), 0.5 * x.square().sum()  # gradients: norm 2 sqrt(2), and 5
    assert float(balance(first, term, x)) == pytest.approx(2 * 2 * math.sqrt(2) / 5)


def test_the_balance_is_a_slow_bounded_mean() -> None:
    x = torch.ones(1, requires_grad=True)
    balance = GradientBalance(momentum=0.9, most=10.0).train()
    assert float(balance(x.sum(), 0.5 * x.sum(), x)) == pytest.approx(2.0)
    # A gradient so short that the new factor is cut at 10, which enters by a tenth.
    assert float(balance(x.sum(), 1e-6 * x.sum(), x)) == pytest.approx(2.0 + 0.1 * 8)
    kept = GradientBalance()
    kept.load_state_dict(balance.state_dict())
    assert float(kept.factor) == pytest.approx(2.8)


def test_a_second_term_without_a_gradient_leaves_the_balance_as_it_is() -> None:
    x = torch.ones(1, requires_grad=True)
    balance = GradientBalance(momentum=0.9).train()
    assert float(balance(x.sum(), 0 * x.sum(), x)) == 0.0
    assert float(balance(x.sum(), 0.5 * x.sum(), x)) == pytest.approx(2.0)  # the first that counts, whole
    for _ in range(50):
        assert float(balance(x.sum(), 0 * x.sum(), x)) == pytest.approx(2.0)


@pytest.mark.parametrize("kind", [ReadingLoss, Lcofl])
def test_batches_without_a_readable_text_leave_the_balance(kind: type[ReadingLoss] | type[Lcofl]) -> None:
    loss = kind(make_reader(), ratio=1e-3).train()
    batch, other = make_batch(["A0", "B1"]), make_batch(["", "Z"])
    upscaled = upscaled_like(batch)
    loss(upscaled, batch)
    before = float(loss.balance.factor)
    assert 0 < before < 10
    total = loss(upscaled, other)
    assert float(loss.balance.factor) == before
    assert bool(total.isfinite())


# LCOFL.


def brute_occupancy(log_posteriors: Tensor, text: list[int]) -> Tensor:
    """Every path of T steps that spells the text, by its probability."""
    steps, classes = log_posteriors.shape
    held = torch.zeros(steps, classes, dtype=torch.float64)
    for path in itertools.product(range(classes), repeat=steps):
        if [k for k, _ in itertools.groupby(path) if k] == text:
            chance = float(sum(log_posteriors[t, k] for t, k in enumerate(path)).exp())  # type: ignore[union-attr]
            for t, k in enumerate(path):
                held[t, k] += chance
    return held / held[0].sum()


def test_occupancy_against_all_paths() -> None:
    torch.manual_seed(1)
    log_posteriors = torch.randn(2, 4, 3, dtype=torch.float64).log_softmax(-1)
    held = occupancy(log_posteriors, torch.tensor([1, 2, 1, 1]), torch.tensor([2, 2]))
    for n, text in enumerate(([1, 2], [1, 1])):
        torch.testing.assert_close(held[n], brute_occupancy(log_posteriors[n], text))


def test_a_text_that_does_not_fit_occupies_nothing() -> None:
    log_posteriors = torch.zeros(2, 2, 3).log_softmax(-1)
    held = occupancy(log_posteriors, torch.tensor([1, 1, 2]), torch.tensor([2, 1]))  # "11" needs 3 steps
    assert float(held[0].sum()) == 0
    assert float(held[1].sum()) == pytest.approx(2)


def test_without_confusions_characters_have_the_gradient_of_ctc() -> None:
    reader = make_reader()
    logits = torch.randn(2, 8, 5, dtype=torch.float64, requires_grad=True)
    loss = Lcofl(reader)
    texts = ["A0", "B"]
    targets, lengths, _ = reader.targets(texts, 8)
    log_posteriors = logits.log_softmax(-1)
    held = occupancy(log_posteriors, targets, lengths)
    (ours,) = torch.autograd.grad(loss.characters(log_posteriors, held, lengths), logits)
    (ctc,) = torch.autograd.grad(reader.ctc(logits.log_softmax(-1), texts).mean(), logits)
    torch.testing.assert_close(ours, ctc)


def test_confused_characters_count_more() -> None:
    weights = ConfusionWeights({"0": 0.5, "A": 0.25}, strength=2.0)
    loss = Lcofl(make_reader(), weights)
    assert loss.class_weights.tolist() == [1.0, 2.0, 1.0, 1.5, 1.0]  # blank, 0, 1, A, B


def test_layout_by_hand() -> None:
    loss = Lcofl(make_reader())
    held = torch.tensor([[[0.0, 0, 0, 1, 0], [1.0, 0, 0, 0, 0], [0, 0, 1.0, 0, 0]]])  # A, blank, 1
    chances = torch.tensor(
        [[[0.1, 0.2, 0.3, 0.4, 0.0], [0.2, 0.2, 0.2, 0.2, 0.2], [0.0, 0.3, 0.3, 0.3, 0.1]]]
    )
    # A digit (0.5) for the letter, and a letter (0.4) for the digit; the blank step does not count.
    expected = (0.4 * 0.5 + 0.5 * 0.4) / 2
    assert float(loss.layout(chances.log(), held, torch.tensor([2.0]))) == pytest.approx(expected)


def test_lcofl_has_a_gradient_that_asks_the_reader() -> None:
    reader = make_reader()
    loss = Lcofl(reader, weight=1.0).train()
    batch = make_batch(["A0", "B1"])
    upscaled = upscaled_like(batch)
    (whole,) = torch.autograd.grad(loss(upscaled, batch), upscaled)
    (structure,) = torch.autograd.grad((1 - ssim(upscaled, batch.high, batch.sizes)) / 2, upscaled)
    assert float((whole - structure).norm()) > 1e-6
    assert set(loss.parts) == {"structure", "characters", "layout", "weight"}


def test_ssim_by_hand() -> None:
    torch.manual_seed(3)
    a, b = torch.rand(1, 1, 5, 5), torch.rand(1, 1, 5, 5)  # one window
    x, y = a.flatten().double(), b.flatten().double()
    covariance = ((x - x.mean()) * (y - y.mean())).mean()
    above = (2 * x.mean() * y.mean() + 1e-4) * (2 * covariance + 9e-4)
    below = (x.mean() ** 2 + y.mean() ** 2 + 1e-4) * (x.var(correction=0) + y.var(correction=0) + 9e-4)
    assert float(ssim(a, b, torch.tensor([[5, 5]]))) == pytest.approx(float(above / below), rel=1e-4)
    image = torch.rand(2, 3, 9, 12)
    assert float(ssim(image, image, torch.tensor([[9, 12]] * 2))) == pytest.approx(1.0)


# Adversarial.


def test_the_discriminator_judges_every_pixel_of_any_size() -> None:
    assert Discriminator(3)(torch.rand(2, 3, 21, 50)).shape == (2, 1, 21, 50)


def test_the_discriminator_learns() -> None:
    torch.manual_seed(0)
    loss = AdversarialLoss(make_reader(), channels=1, lr=2e-3, features=8).train()
    high = torch.rand(2, 1, 8, 12)
    batch = Batch(high, high, ["A", "B"], torch.tensor([[8, 12]] * 2))
    gray = torch.full_like(high, 0.5)
    for _ in range(60):
        loss.learn(gray, batch)
    with torch.no_grad():
        true, false = loss.discriminator(high).mean(), loss.discriminator(gray).mean()
    assert float(true) > float(false) + 0.3
    kept = AdversarialLoss(make_reader(), channels=1, features=8)
    kept.load_state_dict(loss.state_dict())
    assert kept.optimizer.state_dict()["state"][0]["step"] == 60


def test_the_network_is_judged_by_discriminator_and_reader() -> None:
    loss = AdversarialLoss(make_reader(), channels=1, adversarial=0.7, weight=0.3).train()
    loss.discriminator.eval()  # in training its spectral norms move a little at each call
    batch = make_batch(["A0", "B1"])
    upscaled = upscaled_like(batch)
    before = {name: value.clone() for name, value in loss.reader.state_dict().items()}
    total = loss(upscaled, batch)
    terms = (
        (1.0, (upscaled - batch.high).abs().mean()),
        (0.3, loss.reader.ctc(loss.reader(upscaled, batch.sizes), batch.texts).mean()),
        (0.7, (loss.discriminator(upscaled) - 1).square().mean()),
    )
    (whole,) = torch.autograd.grad(total, upscaled, retain_graph=True)
    parts = [factor * torch.autograd.grad(term, upscaled)[0] for factor, term in terms]
    torch.testing.assert_close(whole, sum(parts, torch.zeros(())), rtol=1e-4, atol=1e-9)
    # A factor that is off by a tenth would be seen in each.
    assert all(float(part.abs().max()) > 1e-5 for part in parts)
    total.backward()
    assert all(parameter.grad is None for parameter in loss.parameters())
    assert all(torch.equal(value, before[name]) for name, value in loss.reader.state_dict().items())
    assert loss.trained() == ()  # it has an optimiser of its own, which a checkpoint keeps


def test_a_bare_loss_says_that_it_is_none() -> None:
    batch = make_batch(["A0"])
    with pytest.raises(NotImplementedError):
        SrLoss()(batch.high, batch)
