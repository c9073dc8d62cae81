"""The SR networks: sizes, names, receptive fields, and answers worked out another way."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from training.sr.checkpoint import load_weights, read_weights
from training.sr.models import ARCHITECTURES, build_model
from training.sr.models.bicubic import enlarged
from training.sr.models.compact import Compact
from training.sr.models.lpsr import ALPHA, ChannelAttention, DenseBlock, Lpsr
from training.sr.models.start import keep_signal
from training.sr.models.swinir import Attention, joined, relative_index, shift_mask, windows
from training.sr.models.tbsrn import positions

# (arch, scale, channels, parameters): by hand from the papers, or as the public definitions count.
COUNTS = [
    ("bicubic", 4, 1, 0),
    ("compact_42k", 4, 1, 41_936),
    ("compact_1m", 4, 3, 1_213_296),
    ("lpsr", 8, 3, 1_971_919),
    ("lpsr", 8, 1, 1_969_613),
    ("lpsr", 4, 3, 1_906_319),
    ("srcnn", 2, 1, 57_281),
    ("srcnn", 8, 3, 69_251),
    ("espcn", 8, 3, 78_816),
    ("espcn", 8, 1, 38_624),
    ("espcn", 4, 3, 37_200),
    ("msrn", 2, 3, 5_930_307),
    ("msrn", 4, 3, 6_078_019),
    ("msrn", 8, 3, 6_225_731),
    ("esrgan", 4, 3, 16_697_987),
    ("esrgan", 8, 3, 16_734_915),
    ("tbsrn", 8, 3, 1_421_124),
    ("swinir", 2, 3, 11_752_487),
    ("swinir", 4, 3, 11_900_199),
    ("swinir", 8, 3, 12_047_911),
]
LIGHT = ("bicubic", "compact_42k", "srcnn", "espcn", "lpsr", "tbsrn")


@pytest.mark.parametrize(("arch", "scale", "channels", "count"), COUNTS)
def test_parameter_counts(arch: str, scale: int, channels: int, count: int) -> None:
    with torch.device("meta"):
        model = build_model(arch, scale, channels)
    assert sum(parameter.numel() for parameter in model.parameters()) == count


def test_every_network_is_counted() -> None:
    assert {arch for arch, *_ in COUNTS} == set(ARCHITECTURES)


@pytest.mark.parametrize("arch", ARCHITECTURES)
@pytest.mark.parametrize(("scale", "channels"), [(2, 3), (4, 1), (8, 1)])
def test_shapes(arch: str, scale: int, channels: int) -> None:
    if arch in LIGHT:
        model = build_model(arch, scale, channels).eval()
        with torch.inference_mode():
            assert model(torch.rand(2, channels, 5, 9)).shape == (2, channels, 5 * scale, 9 * scale)
        return
    with torch.device("meta"):  # shapes alone: nothing is computed
        model = build_model(arch, scale, channels).eval()
        assert model(torch.rand(2, channels, 8, 16)).shape == (2, channels, 8 * scale, 16 * scale)


@pytest.mark.parametrize(
    ("arch", "scale", "channels", "named"),
    [("none", 4, 1, "arch"), ("lpsr", 3, 1, "scale"), ("lpsr", 4, 2, "channels")],
)
def test_unknown_networks_are_named(arch: str, scale: int, channels: int, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        build_model(arch, scale, channels)


def published_compact() -> dict[str, Tensor]:
    """Names and shapes of the file realesr-general-x4v3.pth, written down from its description: 33 pairs of a
    3x3 convolution and a PReLU of 64, and a last convolution to 3 * 4 * 4 channels."""
    shapes: dict[str, tuple[int, ...]] = {}
    for k in range(33):
        shapes[f"body.{2 * k}.weight"] = (64, 3 if k == 0 else 64, 3, 3)
        shapes[f"body.{2 * k}.bias"] = (64,)
        shapes[f"body.{2 * k + 1}.weight"] = (64,)
    shapes |= {"body.66.weight": (48, 64, 3, 3), "body.66.bias": (48,)}
    return {name: torch.full(shape, 0.01) for name, shape in shapes.items()}


def test_the_published_compact_file_loads_strictly(tmp_path: Path) -> None:
    torch.save({"params": published_compact()}, tmp_path / "general.pth")
    model = build_model("compact_1m", 4, 3)
    load_weights(model, read_weights(tmp_path / "general.pth"), "compact_1m")
    assert all(float(p.flatten()[0].detach()) == pytest.approx(0.01) for p in model.parameters())


def test_a_missing_layer_is_named(tmp_path: Path) -> None:
    weights = published_compact()
    del weights["body.40.bias"]
    torch.save(weights, tmp_path / "damaged.pth")
    with pytest.raises(ValueError, match=r"body\.40\.bias: expected \(64,\), got nothing"):
        load_weights(build_model("compact_1m", 4, 3), read_weights(tmp_path / "damaged.pth"), "compact_1m")


@pytest.mark.parametrize(
    ("arch", "names"),
    [
        ("compact_42k", {"body.0.weight", "body.10.bias"}),
        ("srcnn", {"conv1.weight", "conv2.bias", "conv3.weight"}),
        ("espcn", {"conv1.weight", "conv2.bias", "conv3.weight"}),
        ("lpsr", {"head.weight", "blocks.7.alpha", "blocks.0.convs.2.weight", "enlarge.2.weight"}),
        ("msrn", {"head.weight", "body.7.conv_5_2.weight", "tail.2.2.bias", "tail.3.weight"}),
        ("esrgan", {"conv_first.weight", "body.22.rdb3.conv5.bias", "conv_up2.weight", "conv_last.bias"}),
        ("tbsrn", {"body.4.bn2.running_var", "body.0.enhance.query.weight", "tail.6.weight"}),
        (
            "swinir",
            {
                "patch_embed.norm.weight",
                "layers.5.residual_group.blocks.5.attn.relative_position_bias_table",
                "layers.0.residual_group.blocks.0.mlp.fc1.weight",
                "conv_before_upsample.0.bias",
                "upsample.2.weight",
            },
        ),
    ],
)
def test_names(arch: str, names: set[str]) -> None:
    with torch.device("meta"):
        assert names <= build_model(arch, 4, 1).state_dict().keys()


@pytest.mark.parametrize(
    ("arch", "field"),
    [
        ("compact_42k", 13),  # six convolutions 3x3: 1 + 2 * 6
        ("compact_1m", 69),  # 34 of them
        ("espcn", 9),  # 5, 3, 3
        ("bicubic", 4),
        ("srcnn", 8),  # 9, 5, 5 see 17 enlarged pixels: cubic over 16 / 4 steps
    ],
)
def test_receptive_fields_in_low_pixels(arch: str, field: int) -> None:
    torch.manual_seed(0)
    model = build_model(arch, 4, 1).double().eval()
    width = field + 8
    height = width if field < 20 else 3  # the deep one would take seconds
    images = torch.rand(1, 1, height, width, dtype=torch.float64, requires_grad=True)
    middle = model(images)[0, 0, 4 * (height // 2) + 2, 4 * (width // 2) + 2]
    (gradient,) = torch.autograd.grad(middle, images)
    touched = torch.nonzero(gradient[0, 0])
    spans = (touched.max(0).values - touched.min(0).values + 1).tolist()
    assert spans == [min(field, height), field]


def test_attention_sees_everything() -> None:
    torch.manual_seed(0)
    for arch in ("tbsrn", "lpsr"):
        images = torch.rand(1, 1, 9, 21, requires_grad=True)
        out = build_model(arch, 2, 1).eval()(images)
        (gradient,) = torch.autograd.grad(out[0, 0, 0, 0], images)
        assert bool((gradient != 0).all()), arch


# Answers worked out another way.


def convolved(x: NDArray[np.float64], conv: nn.Conv2d) -> NDArray[np.float64]:
    """A 'same' convolution of [C, h, w], written out."""
    weight = conv.weight.detach().numpy()
    assert conv.bias is not None
    size = weight.shape[2]
    padded = np.pad(x, ((0, 0), (size // 2,) * 2, (size // 2,) * 2))
    out = np.zeros((weight.shape[0], *x.shape[1:]))
    for dy, dx in itertools.product(range(size), repeat=2):
        seen = padded[:, dy : dy + x.shape[1], dx : dx + x.shape[2]]
        out += np.einsum("oc,chw->ohw", weight[:, :, dy, dx], seen)
    return out + conv.bias.detach().numpy()[:, None, None]


def test_compact_by_hand() -> None:
    torch.manual_seed(1)
    model = Compact(2, 1, 3, 2, lambda: nn.LeakyReLU(0.1)).double().eval()
    images = torch.rand(1, 1, 4, 5, dtype=torch.float64)
    x = images[0].numpy()
    convs = [layer for layer in model.body if isinstance(layer, nn.Conv2d)]
    inner = x
    for conv in convs[:-1]:
        inner = convolved(inner, conv)
        inner = np.where(inner > 0, inner, 0.1 * inner)
    last = convolved(inner, convs[-1])
    expected = np.zeros((8, 10))
    for y, x_at in itertools.product(range(8), range(10)):
        expected[y, x_at] = last[2 * (y % 2) + x_at % 2, y // 2, x_at // 2] + x[0, y // 2, x_at // 2]
    with torch.inference_mode():
        np.testing.assert_allclose(model(images)[0, 0].numpy(), expected, atol=1e-12)


def test_the_slopes_of_the_compact_networks() -> None:
    """0.1 in the note's 42K; in realesr-general-x4v3 a learnt one for each channel, which starts at 0.25."""
    slopes = [layer for layer in build_model("compact_42k", 4, 1).body if isinstance(layer, nn.LeakyReLU)]
    assert [layer.negative_slope for layer in slopes] == [0.1] * 5
    learnt = [layer for layer in build_model("compact_1m", 4, 1).body if isinstance(layer, nn.PReLU)]
    assert [layer.weight.tolist() for layer in learnt] == [[0.25] * 64] * 33


@pytest.mark.parametrize("arch", ["compact_42k", "compact_1m"])
def test_a_compact_network_that_adds_nothing_is_nearest(arch: str) -> None:
    model = build_model(arch, 4, 1)
    last = list(model.parameters())[-2:]
    for parameter in last:
        nn.init.zeros_(parameter)
    image = torch.rand(1, 1, 3, 5)
    with torch.inference_mode():
        assert torch.equal(model(image), image.repeat_interleave(4, 2).repeat_interleave(4, 3))


def test_bicubic_keeps_planes_and_pixel_centres() -> None:
    ramp = torch.linspace(0, 1, 16)[None, None, None, :].expand(1, 1, 16, 16)
    large = enlarged(ramp, 4)[0, 0, 32]
    # Pixel centres: large pixel i lies at (i + 1/2) / 4 - 1/2 of the small ones. Keys' cubic keeps lines for
    # a = -1/2 only; at -3/4 it leaves them by at most 0.041 small pixels.
    expected = (torch.arange(64) + 0.5) / 4 - 0.5
    assert (15 * large - expected)[8:-8].abs().max() == pytest.approx(0.041, abs=0.001)
    assert torch.equal(ARCHITECTURES["bicubic"](4, 1)(ramp), enlarged(ramp, 4))


def test_srcnn_that_copies_is_bicubic() -> None:
    model = build_model("srcnn", 2, 1)
    for conv in (model.conv1, model.conv2, model.conv3):
        assert isinstance(conv, nn.Conv2d)
        nn.init.zeros_(conv.weight)
        nn.init.zeros_(conv.bias)  # type: ignore[arg-type]
        middle = conv.kernel_size[0] // 2
        conv.weight.data[0, 0, middle, middle] = 1.0
    image = torch.rand(1, 1, 6, 7) * 0.5 + 0.25  # no undershoot that ReLU would cut
    with torch.inference_mode():
        torch.testing.assert_close(model(image), enlarged(image, 2))


def test_espcn_shuffles_as_the_paper_has_it() -> None:
    model = build_model("espcn", 2, 1)
    assert isinstance(model.conv3, nn.Conv2d)
    nn.init.zeros_(model.conv3.weight)
    model.conv3.bias.data = torch.tensor([1.0, 2.0, 3.0, 4.0])  # type: ignore[union-attr]
    with torch.inference_mode():
        assert model(torch.rand(1, 1, 2, 2))[0, 0].tolist() == [[1, 2, 1, 2], [3, 4, 3, 4]] * 2


def test_a_dense_block_by_hand() -> None:
    torch.manual_seed(2)
    block = DenseBlock(2, 3).double()
    assert float(block.alpha.detach()) == pytest.approx(ALPHA) == 0.2
    x = torch.rand(1, 2, 4, 4, dtype=torch.float64)
    seen = [x[0].numpy()]
    for conv in block.convs:
        assert isinstance(conv, nn.Conv2d)
        seen.append(np.maximum(convolved(np.concatenate(seen), conv), 0))
    with torch.inference_mode():
        np.testing.assert_allclose(block(x)[0].numpy(), seen[0] + 0.2 * seen[-1], atol=1e-6)


def test_channel_attention_by_hand() -> None:
    torch.manual_seed(3)
    layer = ChannelAttention(4, 2)
    x = torch.randn(1, 4, 3, 5)
    w1, w2 = layer.squeeze.weight[:, :, 0, 0], layer.excite.weight[:, :, 0, 0]
    means = x[0].flatten(1).mean(1)
    inner = torch.relu(w1 @ means + layer.squeeze.bias)
    share = torch.sigmoid(w2 @ inner + layer.excite.bias)
    torch.testing.assert_close(layer(x)[0], x[0] * share[:, None, None])


def test_lpsr_without_its_blocks_is_head_attention_and_tail() -> None:
    """With alpha 0 every dense block is the identity."""
    model = build_model("lpsr", 2, 1).eval()
    assert isinstance(model, Lpsr)
    for name, parameter in model.named_parameters():
        if name.endswith("alpha"):
            nn.init.zeros_(parameter)
    image = torch.rand(1, 1, 4, 6)
    up = model.enlarge[0]
    assert isinstance(up, nn.ConvTranspose2d)
    with torch.inference_mode():
        inner = model.attention(model.head(image))
        inner = functional.conv_transpose2d(inner, up.weight, up.bias, 2, 1).relu()
        torch.testing.assert_close(model(image), model.tail(inner))


@pytest.mark.parametrize("arch", ["msrn", "esrgan"])
def test_residual_blocks_that_add_nothing(arch: str) -> None:
    """The block's last convolution zero: what is left is its input."""
    model = build_model(arch, 2, 1)
    body = model.body
    assert isinstance(body, nn.Sequential | nn.ModuleList)
    block, last = body[0], {"msrn": "confusion", "esrgan": "conv5"}[arch]
    for name, parameter in block.named_parameters():
        if last in name:
            nn.init.zeros_(parameter)
    x = torch.rand(1, 64, 4, 4)
    with torch.inference_mode():
        # Of ESRGAN's three inner blocks, each then the identity, a fifth is added.
        torch.testing.assert_close(block(x), 1.2 * x if arch == "esrgan" else x)


def test_positions_of_tbsrn() -> None:
    where = positions(3, 5, torch.zeros(1, 64, 3, 5))
    assert where.shape == (64, 3, 5)
    for k in (0, 1, 7):
        rate = 10000.0 ** (-2 * k / 32)
        for y, x in itertools.product(range(3), range(5)):
            assert float(where[2 * k, y, x]) == pytest.approx(np.sin(x * rate), abs=1e-6)
            assert float(where[2 * k + 1, y, x]) == pytest.approx(np.cos(x * rate), abs=1e-6)
            assert float(where[32 + 2 * k, y, x]) == pytest.approx(np.sin(y * rate), abs=1e-6)


def test_windows_and_back() -> None:
    x = torch.arange(2 * 16 * 24).reshape(2, 16, 24, 1).float()
    cut = windows(x)
    assert cut.shape == (2 * 2 * 3, 64, 1)
    assert torch.equal(cut[1, :, 0].view(8, 8), x[0, :8, 8:16, 0])
    assert torch.equal(joined(cut, 2, 16, 24), x)


def test_the_shift_mask_parts_what_was_not_adjacent() -> None:
    """Against the definition: roll the coordinates, and see which pixels of a window were within 8 of each
    other before."""
    height, width = 16, 24
    mask = shift_mask(torch.zeros(1, height, width, 1))
    places = torch.stack(torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij"), -1)
    rolled = windows(torch.roll(places, (-4, -4), (0, 1))[None].float())
    near = (rolled[:, :, None] - rolled[:, None, :]).abs().amax(-1) < 8
    assert torch.equal(mask == 0, near)
    assert set(mask.unique().tolist()) == {0.0, -100.0}


def test_window_attention_by_hand() -> None:
    torch.manual_seed(4)
    layer = Attention().eval()
    x = torch.randn(1, 64, 180)
    index = relative_index()
    assert int(index[0, 63]) == 0  # from the first to the last pixel: -7 rows, -7 columns
    assert int(index[63, 0]) == 224
    query, key, value = (x[0] @ layer.qkv.weight.T + layer.qkv.bias).split(180, dim=1)
    heads = []
    for h in range(6):
        part = slice(30 * h, 30 * h + 30)
        scores = query[:, part] @ key[:, part].T / 30**0.5 + layer.relative_position_bias_table[index, h]
        heads.append(scores.softmax(1) @ value[:, part])
    expected = torch.cat(heads, 1) @ layer.proj.weight.T + layer.proj.bias
    torch.testing.assert_close(layer(x, None)[0], expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("arch", sorted(set(ARCHITECTURES) - {"bicubic"}))
def test_a_new_network_can_learn_in_its_first_layer(arch: str) -> None:
    """Through 34 layers without a shortcut it got 1e-13 of the last one's gradient: nothing was learnt."""
    torch.manual_seed(0)
    model = build_model(arch, 4, 1).train()
    kernels = [parameter for parameter in model.parameters() if parameter.ndim == 4]
    loss = model(torch.rand(2, 1, 16, 32)).square().mean()
    first, *_, last = torch.autograd.grad(loss, kernels)
    assert float(first.norm()) > 1e-3 * float(last.norm())


@pytest.mark.parametrize("arch", ["lpsr", "msrn", "srcnn", "swinir"])
def test_a_new_network_passes_its_input_on(arch: str) -> None:
    """With torch's own start a thousandth (LPSR) to a fourteenth (SRCNN) of the deviation was left."""
    torch.manual_seed(0)
    images = torch.rand(8, 3, 8, 8) * 0.5 + torch.rand(8, 3, 1, 1) * 0.5
    with torch.inference_mode():
        answers = build_model(arch, 8, 3)(images)
    assert 0.25 < float(answers.std(0).mean() / images.std(0).mean()) < 2


def test_weights_that_keep_a_signal_by_hand() -> None:
    torch.manual_seed(0)
    plain = nn.Conv2d(32, 64, 3)  # 288 products a value
    rectified = nn.ConvTranspose2d(64, 64, 4, 2)  # 64 x 16 / 4
    branch = nn.Conv2d(64, 64, 3, groups=2)  # 32 x 9
    linear = nn.Linear(8, 8)
    before = linear.weight.detach().clone()
    layers = {"plain": plain, "rectified": rectified, "branch": branch, "linear": linear}
    keep_signal(nn.ModuleDict(layers), rectified="rect", branches="branch")
    assert float(plain.weight.detach().std()) == pytest.approx(288**-0.5, rel=0.05)
    assert float(rectified.weight.detach().std()) == pytest.approx((2 / 256) ** 0.5, rel=0.05)
    assert float(branch.weight.detach().std()) == pytest.approx(0.1 * 288**-0.5, rel=0.05)
    assert torch.equal(linear.weight, before)
    for layer in (plain, rectified, branch):
        assert layer.bias is not None
        assert not layer.bias.any()


def test_a_new_deep_network_draws_what_lies_near() -> None:
    """With the start of He et al. under a fifth came from 7 x 7 pixels, and nothing was learnt."""
    torch.manual_seed(0)
    image = torch.rand(1, 1, 69, 69, requires_grad=True)
    drawn = build_model("compact_1m", 4, 1).body(image)[0, :, 34, 34].sum()
    (gradient,) = torch.autograd.grad(drawn, image)
    share = gradient[0, 0].abs()
    assert float(share[31:38, 31:38].sum() / share.sum()) > 0.5
