"""PECL's ResNet-18 against the published architecture, written out in numpy."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from test_sr_losses import make_batch
from torch import nn

from training.sr.losses.encoders import ResNet18, ResNetEncoder

Values = NDArray[np.float64]
State = dict[str, Values]
STAGES = (
    ("layer1", 1),
    ("layer2", 2),
    ("layer3", 2),
    ("layer4", 2),
)  # and the stride of each one's first block


def convolved(x: Values, kernel: Values, stride: int) -> Values:
    """``[C, h, w]`` and ``[O, C, k, k]`` to ``[O, .., ..]``, with a frame of k // 2 zeros."""
    size = kernel.shape[2]
    padded = np.pad(x, ((0, 0), (size // 2,) * 2, (size // 2,) * 2))
    windows = sliding_window_view(padded, (size, size), axis=(1, 2))[:, ::stride, ::stride]
    return np.asarray(np.einsum("chwij,ocij->ohw", windows, kernel, optimize=True))


def pooled(x: Values) -> Values:
    """The largest of 3 x 3 at every second place; past the edge there is nothing."""
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1)), constant_values=-np.inf)
    return np.asarray(sliding_window_view(padded, (3, 3), axis=(1, 2))[:, ::2, ::2].max((3, 4)))


def normed(x: Values, state: State, name: str) -> Values:
    """Batch norm in evaluation."""
    mean, var, gain, bias = (
        state[f"{name}.{part}"][:, None, None] for part in ("running_mean", "running_var", "weight", "bias")
    )
    return (x - mean) / np.sqrt(var + 1e-5) * gain + bias


def block(x: Values, state: State, name: str, stride: int) -> Values:
    inner = normed(convolved(x, state[f"{name}.conv1.weight"], stride), state, f"{name}.bn1")
    inner = normed(convolved(np.maximum(inner, 0), state[f"{name}.conv2.weight"], 1), state, f"{name}.bn2")
    if f"{name}.downsample.0.weight" in state:
        x = normed(convolved(x, state[f"{name}.downsample.0.weight"], stride), state, f"{name}.downsample.1")
    return np.maximum(inner + x, 0)


def resnet18(image: Values, state: State) -> Values:
    """``[3, h, w]`` in 0-1 to ``[d]``: He et al. (2016), table 1, of an image normalised as for ImageNet."""
    mean, deviation = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    x = (image - mean[:, None, None]) / deviation[:, None, None]
    x = pooled(np.maximum(normed(convolved(x, state["conv1.weight"], 2), state, "bn1"), 0))
    for (stage, stride), number in itertools.product(STAGES, range(2)):
        x = block(x, state, f"{stage}.{number}", 1 if number else stride)
    return state["fc.weight"] @ x.mean((1, 2)) + state["fc.bias"]


def randomised(net: Any) -> State:
    """Every norm and bias of ``net`` made random, so that none can be left out unseen; its state."""
    torch.manual_seed(0)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            for values in (module.weight, module.running_var):
                nn.init.uniform_(values, 0.5, 1.5)  # type: ignore[arg-type]
            for values in (module.bias, module.running_mean):
                nn.init.uniform_(values, -0.5, 0.5)  # type: ignore[arg-type]
    return {name: values.double().numpy() for name, values in net.state_dict().items()}


def test_the_reference_by_hand() -> None:
    x = np.arange(12.0).reshape(1, 3, 4)
    kernel = np.zeros((1, 1, 3, 3))
    kernel[0, 0, 0] = [1, 10, 100]  # of the row above: of zeros for the first, of 4, 5, 6, 7 for the last
    assert convolved(x, kernel, 2).tolist() == [[[0, 0], [4 * 10 + 5 * 100, 5 + 6 * 10 + 7 * 100]]]
    assert pooled(x - 20).tolist() == [[[-15, -13], [-11, -9]]]  # the padding is no 0
    values = {"n.running_mean": 1.0, "n.running_var": 4 - 1e-5, "n.weight": 3.0, "n.bias": 0.5}
    state = {name: np.array([value]) for name, value in values.items()}
    assert normed(np.array([[[5.0]]]), state, "n").item() == pytest.approx((5 - 1) / 2 * 3 + 0.5)


def test_resnet18_answers_as_the_published_network() -> None:
    net = ResNet18(8).eval()
    state = randomised(net)
    images = torch.rand(2, 3, 45, 67, dtype=torch.float64)
    with torch.inference_mode():
        answers = net.double()(images).numpy()
    for image, answer in zip(images.numpy(), answers, strict=True):
        np.testing.assert_allclose(
            answer, resnet18(image, state), rtol=1e-6
        )  # a float32 holds ImageNet's mean
    assert np.abs(answers[0] - answers[1]).max() > 1e-3  # the image matters


def test_the_encoder_of_gray_images_is_of_unit_length() -> None:
    encoder = ResNetEncoder(8)
    state = randomised(encoder.net)
    batch = make_batch(["A"])
    found = encoder(batch.high, batch)[0].tolist()
    expected = resnet18(batch.high[0].double().expand(3, -1, -1).numpy(), state)
    assert found == pytest.approx((expected / np.linalg.norm(expected)).tolist(), abs=1e-5)
