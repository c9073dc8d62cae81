"""Receptive fields of the deeper SR networks, in small instances: the very set of pixels that one answer
depends on."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from test_sr_networks import random_model, small
from torch import nn

from training.sr.models import esrgan, msrn, swinir


def touched(model: nn.Module, height: int, width: int, at: tuple[int, int]) -> NDArray[np.bool_]:
    """Which pixels of the input the output's pixel ``at`` depends on. A masked attention leaves 1e-43."""
    images = torch.rand(1, 1, height, width, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(model(images)[0, 0, at[0], at[1]], images)
    sizes = gradient[0, 0].abs()
    return np.asarray((sizes > 1e-25 * float(sizes.max())).numpy())


def grown(mask: NDArray[np.bool_], by: int) -> NDArray[np.bool_]:
    """What a convolution of ``2 by + 1`` adds."""
    out = mask.copy()
    for y, x in np.argwhere(mask):
        out[max(0, y - by) : y + by + 1, max(0, x - by) : x + by + 1] = True
    return out


def in_windows(mask: NDArray[np.bool_], shift: int) -> NDArray[np.bool_]:
    """What attention within windows of 8, moved down and right by ``shift``, adds."""
    rows, columns = ((np.arange(size) - shift) // 8 for size in mask.shape)
    out = mask.copy()
    for y, x in np.argwhere(mask):
        out |= (rows[:, None] == rows[y]) & (columns[None, :] == columns[x])
    return out


def small_of(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The pixels that an image of twice the size comes from."""
    return np.asarray(mask.reshape(mask.shape[0] // 2, 2, mask.shape[1] // 2, 2).any((1, 3)))


def one_pixel(height: int, width: int, at: tuple[int, int]) -> NDArray[np.bool_]:
    mask = np.zeros((height, width), np.bool_)
    mask[at] = True
    return mask


def test_the_field_of_msrn(monkeypatch: pytest.MonkeyPatch) -> None:
    small(monkeypatch, msrn, FEATURES=16, BLOCKS=2)
    expected = small_of(grown(one_pixel(6, 80, (3, 41)), 1))
    # A convolution while enlarging, one that gathers, two blocks of 5 + 5, and the first.
    expected = grown(expected, 1 + 1 + 2 * (2 + 2) + 1)
    assert int(expected.any(0).sum()) == 2 * 11 + 2
    assert np.array_equal(touched(random_model("msrn", 2), 3, 40, (3, 41)), expected)


def test_the_field_of_esrgan(monkeypatch: pytest.MonkeyPatch) -> None:
    small(monkeypatch, esrgan, FEATURES=8, GROWTH=4, BLOCKS=1)
    expected = small_of(grown(one_pixel(6, 96, (3, 47)), 1 + 1 + 1))  # conv_up1, conv_hr, conv_last
    expected = grown(expected, 1 + 3 * 5 + 1)  # conv_body, three dense blocks of five, conv_first
    assert int(expected.any(0).sum()) == 2 * 17 + 4
    assert np.array_equal(touched(random_model("esrgan", 2), 3, 48, (3, 47)), expected)


@pytest.mark.parametrize(("layers", "columns"), [(1, 18), (2, 26)])
def test_the_field_of_swinir(layers: int, columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows, then windows moved by four: the second layer links neighbours and wraps around nowhere."""
    small(monkeypatch, swinir, WIDTH=12, HEADS=2, HIDDEN=4, GROUPS=1, LAYERS=layers)
    expected = small_of(grown(one_pixel(48, 96, (4, 38)), 1))
    expected = grown(expected, 1 + 1)  # while enlarging, and before
    shortcut = grown(expected, 1)
    deep = grown(expected, 1 + 1)  # after the body, and the group's
    for shift in (0, 4)[:layers][::-1]:
        deep = in_windows(deep, shift)
    expected = shortcut | grown(deep, 1)
    assert int(expected.any(0).sum()) == columns
    assert not expected.all(1).any()
    assert np.array_equal(touched(random_model("swinir", 2), 24, 48, (4, 38)), expected)
