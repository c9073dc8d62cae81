"""The SR networks of the literature: whole answers worked out in numpy, of small instances."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from test_sr_models import convolved
from torch import Tensor, nn

from training.sr.models import build_model, esrgan, msrn, swinir, tbsrn
from training.sr.models.bicubic import enlarged

Values = NDArray[np.float64]


def small(monkeypatch: pytest.MonkeyPatch, module: Any, **sizes: int) -> None:
    """The module builds networks of these sizes."""
    for name, value in sizes.items():
        monkeypatch.setattr(module, name, value)


def random_model(arch: str, scale: int, channels: int = 1) -> Any:
    """In double precision, every weight and statistic random, so that none can be left out unseen."""
    torch.manual_seed(0)
    model = build_model(arch, scale, channels).double().eval()
    for name, values in model.state_dict().items():
        if values.is_floating_point() and values.dim():
            low = 0.5 if "running_var" in name or (values.dim() == 1 and name.endswith("weight")) else -0.4
            nn.init.uniform_(values, low, low + 0.8)
    return model


def answer(model: nn.Module, images: Tensor) -> Values:
    with torch.inference_mode():
        return np.asarray(model(images)[0].numpy())


def pixel_shuffled(x: Values, scale: int) -> Values:
    """Channel ``(c s + i) s + j`` of a small pixel is row i, column j of channel c's large one."""
    out = np.zeros((x.shape[0] // scale**2, x.shape[1] * scale, x.shape[2] * scale))
    for c, i, j in itertools.product(range(out.shape[0]), range(scale), range(scale)):
        out[c, i::scale, j::scale] = x[(c * scale + i) * scale + j]
    return out


def relu(x: Values) -> Values:
    return np.maximum(x, 0)


def leaky(x: Values, slope: float) -> Values:
    return np.where(x > 0, x, slope * x)


def mish(x: Values) -> Values:
    return x * np.tanh(np.log1p(np.exp(x)))


def gelu(x: Values) -> Values:
    return x / 2 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


def softmax(x: Values) -> Values:
    raised = np.exp(x - x.max(-1, keepdims=True))
    return np.asarray(raised / raised.sum(-1, keepdims=True))


def array(values: Any) -> Values:
    return np.asarray(values.detach().numpy())


def linear(x: Values, layer: Any) -> Values:
    return x @ array(layer.weight).T + array(layer.bias)


def normed(x: Values, layer: Any) -> Values:
    """Layer norm over the last axis."""
    apart = x - x.mean(-1, keepdims=True)
    scaled = apart / np.sqrt((apart**2).mean(-1, keepdims=True) + layer.eps)
    return scaled * array(layer.weight) + array(layer.bias)


def batch_normed(x: Values, layer: Any) -> Values:
    mean, variance, weight, bias = (
        array(values)[:, None, None]
        for values in (layer.running_mean, layer.running_var, layer.weight, layer.bias)
    )
    return (x - mean) / np.sqrt(variance + layer.eps) * weight + bias


def test_srcnn_by_hand() -> None:
    model = random_model("srcnn", 2)
    images = torch.rand(1, 1, 5, 6, dtype=torch.float64)
    x = relu(convolved(array(enlarged(images, 2)[0]), model.conv1))
    expected = convolved(relu(convolved(x, model.conv2)), model.conv3)
    np.testing.assert_allclose(answer(model, images), expected, rtol=1e-9)


@pytest.mark.parametrize("channels", [1, 3])
def test_espcn_by_hand(channels: int) -> None:
    model = random_model("espcn", 4, channels)
    images = torch.rand(1, channels, 5, 6, dtype=torch.float64)
    x = np.tanh(convolved(array(images[0]), model.conv1))
    expected = pixel_shuffled(convolved(np.tanh(convolved(x, model.conv2)), model.conv3), 4)
    np.testing.assert_allclose(answer(model, images), expected, rtol=1e-9)


def test_msrn_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    small(monkeypatch, msrn, FEATURES=3, BLOCKS=2)
    model = random_model("msrn", 4)
    images = torch.rand(1, 1, 5, 6, dtype=torch.float64)
    found = [convolved(array(images[0]), model.head)]
    for block in model.body:
        x = found[-1]
        first = np.concatenate([relu(convolved(x, c)) for c in (block.conv_3_1, block.conv_5_1)])
        second = np.concatenate([relu(convolved(first, c)) for c in (block.conv_3_2, block.conv_5_2)])
        found.append(x + convolved(second, block.confusion))
    x = convolved(convolved(np.concatenate(found), model.tail[0]), model.tail[1])
    for k in (0, 2):
        x = pixel_shuffled(convolved(x, model.tail[2][k]), 2)
    np.testing.assert_allclose(answer(model, images), convolved(x, model.tail[3]), rtol=1e-9)


def test_esrgan_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    small(monkeypatch, esrgan, FEATURES=4, GROWTH=2, BLOCKS=2)
    model = random_model("esrgan", 4)
    images = torch.rand(1, 1, 4, 5, dtype=torch.float64)
    first = x = convolved(array(images[0]), model.conv_first)
    for block in model.body:
        inner = x
        for dense_block in (block.rdb1, block.rdb2, block.rdb3):
            seen = [inner]
            for k in range(1, 5):
                layer = getattr(dense_block, f"conv{k}")
                seen.append(leaky(convolved(np.concatenate(seen), layer), 0.2))
            inner = inner + 0.2 * convolved(np.concatenate(seen), dense_block.conv5)
        x = x + 0.2 * inner
    x = first + convolved(x, model.conv_body)
    for layer in (model.conv_up1, model.conv_up2):
        x = leaky(convolved(x.repeat(2, 1).repeat(2, 2), layer), 0.2)
    expected = convolved(leaky(convolved(x, model.conv_hr), 0.2), model.conv_last)
    np.testing.assert_allclose(answer(model, images), expected, rtol=1e-9)


def test_tbsrn_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    small(monkeypatch, tbsrn, FEATURES=8, WIDTH=16, HEADS=2, BLOCKS=1)
    model = random_model("tbsrn", 2)
    height, width = 3, 5
    images = torch.rand(1, 1, height, width, dtype=torch.float64)
    first = leaky(convolved(array(images[0]), model.head[0]), float(model.head[1].weight.detach()))
    (block,) = model.body
    x = mish(batch_normed(convolved(first, block.conv1), block.bn1))
    x = first + attended(batch_normed(convolved(x, block.conv2), block.bn2), block.enhance)
    x = first + batch_normed(convolved(x, model.conv_body), model.bn_body)
    x = mish(pixel_shuffled(convolved(x, model.tail[0]), 2))
    # The rates of the positions are worked out in single precision.
    np.testing.assert_allclose(answer(model, images), convolved(x, model.tail[3]), rtol=1e-5)


def attended(x: Values, layer: Any) -> Values:
    """TBSRN's enhancer: what is found at each pixel and where it is, attention over all pixels by two heads
    of eight, and a feed-forward layer."""
    features, height, width = x.shape
    tokens = []
    for row, column in itertools.product(range(height), range(width)):
        waves = [
            wave(place / 10000 ** (2 * k / 4))
            for place in (column, row)
            for k in (0, 1)
            for wave in (math.sin, math.cos)
        ]
        tokens.append([*x[:, row, column], *waves])
    t = np.array(tokens)
    query, key, value = (linear(t, each) for each in (layer.query, layer.key, layer.value))
    heads = []
    for part in (slice(0, 8), slice(8, 16)):
        heads.append(softmax(query[:, part] @ key[:, part].T / math.sqrt(8)) @ value[:, part])
    t = normed(t + linear(np.concatenate(heads, 1), layer.join), layer.norm1)
    t = normed(t + linear(relu(linear(t, layer.forward1)), layer.forward2), layer.norm2)
    return linear(t, layer.last).T.reshape(features, height, width)


def test_swinir_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows by their definition: the pixels whose coordinates, less the shift, are in one cell of 8 x 8."""
    small(monkeypatch, swinir, WIDTH=12, HEADS=2, HIDDEN=4, GROUPS=1, LAYERS=2)
    model = random_model("swinir", 4)
    images = torch.rand(1, 1, 11, 13, dtype=torch.float64)
    padded = np.pad(array(images[0]), ((0, 0), (0, 5), (0, 3)), mode="edge")
    first = convolved(padded, model.conv_first)
    tokens = normed(first.transpose(1, 2, 0), model.patch_embed["norm"])
    inner = tokens
    (group,) = model.layers
    for layer, shift in zip(group.residual_group.blocks, (0, 4), strict=True):
        inner = inner + windowed(normed(inner, layer.norm1), layer.attn, shift)
        wide = gelu(linear(normed(inner, layer.norm2), layer.mlp.fc1))
        inner = inner + linear(wide, layer.mlp.fc2)
    deep = tokens + convolved(inner.transpose(2, 0, 1), group.conv).transpose(1, 2, 0)
    x = first + convolved(normed(deep, model.norm).transpose(2, 0, 1), model.conv_after_body)
    x = leaky(convolved(x, model.conv_before_upsample[0]), 0.01)
    for k in (0, 2):
        x = pixel_shuffled(convolved(x, model.upsample[k]), 2)
    expected = convolved(x, model.conv_last)[:, :44, :52]
    np.testing.assert_allclose(answer(model, images), expected, rtol=1e-8, atol=1e-10)


def windowed(x: Values, layer: Any, shift: int) -> Values:
    """SwinIR's attention of ``[h, w, 12]``, two heads of six."""
    qkv = linear(x, layer.qkv)
    table = array(layer.relative_position_bias_table)
    cells: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for y, column in np.ndindex(*x.shape[:2]):
        cells.setdefault(((y - shift) // 8, (column - shift) // 8), []).append((y, column))
    out = np.zeros(x.shape)
    for members in cells.values():
        places = np.array(members)
        apart = places[:, None] - places[None, :] + 7
        bias = table[apart[..., 0] * 15 + apart[..., 1]]  # [n, n, heads]
        seen = qkv[places[:, 0], places[:, 1]]
        heads = []
        for head in range(2):
            query, key, value = (seen[:, 12 * k + 6 * head : 12 * k + 6 * head + 6] for k in range(3))
            heads.append(softmax(query @ key.T / math.sqrt(6) + bias[..., head]) @ value)
        out[places[:, 0], places[:, 1]] = np.concatenate(heads, 1)
    return linear(out, layer.proj)
