"""The locator: where text is in synthetic crops, how it is cut out, what its errors cost."""

from __future__ import annotations

import math
import random

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from training.ocr.align import MARGINS, Aligned, answers_of, corner_loss
from training.ocr.config import Config
from training.ocr.corners import HINT_SHARE, UNKNOWN, hint, moved_by
from training.ocr.data import BatchKey, BatchMaker
from training.ocr.labels import augment_located
from training.ocr.model import build_model, default_input
from training.ocr.text import Codec
from training.synth import CHARSET, PlateGenerator
from training.synth.camera import View, corners_in_crop

LEVEL = View(0.0, (0.0, 0.0), (0.0,) * 8, (0.0, 0.0, 0.0, 0.0), 1.0)
SQUARE = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)


def test_corners_of_a_level_view_are_shares_of_the_plate() -> None:
    found = corners_in_crop((10, 20, 100, 40), LEVEL, [(10, 20, 100, 40), (20, 30, 50, 20)])
    np.testing.assert_allclose(found[0], SQUARE, atol=1e-5)
    np.testing.assert_allclose(found[1], [[0.1, 0.25], [0.6, 0.25], [0.6, 0.75], [0.1, 0.75]], atol=1e-5)


def test_margins_and_tilt_move_corners_as_a_camera_does() -> None:
    loose = View(0.0, (0.0, 0.0), (0.0,) * 8, (0.5, 0.0, 0.5, 1.0), 1.0)
    found = corners_in_crop((0, 0, 100, 40), loose, [(0, 0, 100, 40)])[0]
    np.testing.assert_allclose(found, [[0.25, 0], [0.75, 0], [0.75, 0.5], [0.25, 0.5]], atol=1e-5)

    tilted = View(30.0, (0.0, 0.0), (0.0,) * 8, (0.0, 0.0, 0.0, 0.0), 1.0)
    found = corners_in_crop((0, 0, 100, 40), tilted, [(0, 0, 100, 40)])[0]
    # Turned clockwise by 30 degrees: the top left corner is 40 sin 30 right of the crop's edge.
    wide, tall = 100 * math.cos(math.pi / 6) + 20, 50 + 40 * math.cos(math.pi / 6)
    np.testing.assert_allclose(found[0], [20 / wide, 0], atol=1e-4)
    np.testing.assert_allclose(found[1], [1, 50 / tall], atol=1e-4)


def test_ink_lies_within_the_corners_of_what_is_read() -> None:
    generator = PlateGenerator(4, difficulty=0.0, multi_scale=(1.0, 1.0), system_fonts=False)
    seen = 0
    while seen < 25:
        sample = generator.sample()
        if sample.corners is None or not sample.text:
            assert sample.corners is not None or sample.text == ""
            continue
        seen += 1
        height, width = sample.crop.shape
        target = np.array([[0, 0], [160, 0], [160, 40], [0, 40]], np.float32)
        source = sample.corners * np.array([width, height], np.float32)
        matrix = cv2.getPerspectiveTransform(source, target)
        inside = cv2.warpPerspective(sample.crop, matrix, (160, 40))
        # First and last character touch the sides: both ends hold ink as well as paper.
        for end in (inside[:, :14], inside[:, -14:]):
            assert float(end.max()) - float(end.min()) > 60, sample.text


def test_augmentation_moves_corners_with_the_picture() -> None:
    crop = np.full((40, 160), 200, np.uint8)
    corners = np.array([[0.25, 0.25], [0.75, 0.25], [0.75, 0.75], [0.25, 0.75]], np.float32)
    crop[10:30, 40:120] = 20
    for seed in range(8):
        image, moved = augment_located(crop, corners, np.random.default_rng(seed), (1.0, 1.0))
        assert moved is not None
        rows, columns = np.nonzero(image < np.float32(image.min()) / 2 + np.float32(image.max()) / 2)
        dark = np.array([columns.mean() / 160, rows.mean() / 40])
        np.testing.assert_allclose(moved.mean(axis=0), dark, atol=0.03)
    np.testing.assert_allclose(moved_by(corners, np.diag([2.0, 3.0, 1.0]), (40, 160)), corners * (2, 3))


def test_hints_are_near_the_truth_for_half_of_the_crops() -> None:
    rng = np.random.default_rng(0)
    corners = np.array([[0.2, 0.4], [0.8, 0.4], [0.8, 0.6], [0.2, 0.6]], np.float32)
    hints = np.array([hint(corners, rng) for _ in range(2000)])
    known = ~np.isnan(hints).any(axis=(1, 2))
    assert known.mean() == pytest.approx(HINT_SHARE, abs=0.04)
    off = (hints[known] - corners) / (0.6, 0.2)
    np.testing.assert_allclose(off.mean(axis=(0, 1)), 0, atol=0.01)
    np.testing.assert_allclose(off.std(axis=(0, 1)), np.hypot((0.015, 0.06), (0.02, 0.07)), rtol=0.05)
    assert np.isnan(hint(None, rng)).all()


class Fixed(nn.Module):
    """A locator that always answers the same corners, and a reader that answers what it is shown."""

    def __init__(self, corners: torch.Tensor) -> None:
        super().__init__()
        self.corners = corners

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.corners.reshape(1, 8).expand(len(images), 8)


def test_the_cut_shows_the_line_and_its_margins() -> None:
    images = torch.zeros(1, 1, 64, 256)
    images[:, :, 16:32, 64:192] = 1
    corners = torch.tensor([[0.25, 0.25], [0.75, 0.25], [0.75, 0.5], [0.25, 0.5]])
    model = Aligned(nn.Sequential(Fixed(corners)), nn.Identity(), 32, 128)
    cut, found = answers_of(model(images))
    assert found is not None
    torch.testing.assert_close(found[0], corners)
    assert cut.shape == (1, 1, 32, 128)
    top, side = 32 * MARGINS[1] / (1 + 2 * MARGINS[1]), 128 * MARGINS[0] / (1 + 2 * MARGINS[0])
    bright = cut[0, 0] > 0.5
    assert bright.any(1).nonzero().flatten().tolist() == list(range(round(top), 32 - round(top)))
    assert bright.any(0).nonzero().flatten().tolist() == list(range(round(side), 128 - round(side)))


def test_more_rows_show_the_same_line_taller() -> None:
    images = torch.linspace(0, 1, 64)[None, None, :, None].expand(1, 1, 64, 256).contiguous()
    corners = torch.tensor([[0.25, 0.25], [0.75, 0.25], [0.75, 0.5], [0.25, 0.5]])
    cut, _ = Aligned(nn.Sequential(Fixed(corners)), nn.Identity(), 32, 128, rows=48)(images)
    assert cut.shape == (1, 1, 48, 128)
    # Rows are evenly spaced from the upper margin's to the lower one's: the gray of the row they are cut at.
    rows = (torch.arange(48) + 0.5) / 48 * (1 + 2 * MARGINS[1]) - MARGINS[1]
    torch.testing.assert_close(cut[0, 0, :, 64], (16 + 16 * rows - 0.5) / 63)


def test_hints_that_are_known_take_the_place_of_what_was_located() -> None:
    images = torch.rand(2, 1, 64, 256)
    located, other = torch.rand(4, 2), torch.from_numpy(SQUARE)
    model = Aligned(nn.Sequential(Fixed(located)), nn.Identity(), 32, 128)
    hints = torch.stack([torch.full((4, 2), math.nan), other])
    cut, _ = model(images, hints)
    torch.testing.assert_close(cut[0], model.cut_out(images, located.expand(2, 4, 2))[0])
    torch.testing.assert_close(cut[1], model.cut_out(images, other.expand(2, 4, 2))[1])


def test_corner_loss_by_hand_and_where_corners_are_unknown() -> None:
    truth = torch.zeros(2, 4, 2)
    truth[1] = math.nan
    found = torch.zeros(2, 4, 2, requires_grad=True)
    with torch.no_grad():
        found[0, 0, 0], found[0, 1, 1], found[1] = 0.01, 0.1, 5.0
    # Smooth L1, beta 0.02: 0.5 * 0.01^2 / 0.02 and 0.1 - 0.01, over eight known numbers, times 5.
    loss = corner_loss(found, truth)
    assert loss.item() == pytest.approx(5 * (0.0025 + 0.09) / 8)
    loss.backward()
    assert found.grad is not None
    assert not found.grad[1].any()
    assert corner_loss(found, torch.full((2, 4, 2), math.nan)).item() == 0


def test_batches_say_where_the_text_is() -> None:
    config = Config(arch="aligned", steps=1, batch=16, repeat=2)
    assert config.input == default_input("aligned") == (64, 256)
    images, _, lengths, corners, hints = BatchMaker(config, Codec(CHARSET), [], 0, 1)[BatchKey(0, 1.0)]
    assert images.shape == (16, 1, 64, 256)
    assert corners.shape == hints.shape == (16, 4, 2)
    known = ~np.isnan(corners).any(axis=(1, 2))
    assert known[lengths > 0].all()
    assert not np.isnan(hints[known]).all()
    assert np.isnan(hints[~known]).all()
    assert np.isnan(UNKNOWN).all()
    # The second view of a plate is another picture of the same text.
    assert not np.array_equal(corners[0], corners[1])


def test_the_locator_learns_and_the_reader_does_not_move_it() -> None:
    torch.manual_seed(0)
    model = build_model("aligned_slim", 5)
    images = torch.rand(4, 1, 64, 256)
    answers, corners = answers_of(model(images))
    assert corners is not None
    answers.mean().backward()
    locator = [p.grad for name, p in model.named_parameters() if name.startswith("locate")]
    assert all(grad is None for grad in locator)
    corner_loss(corners, torch.rand(4, 4, 2)).backward()
    locator = [p.grad for name, p in model.named_parameters() if name.startswith("locate")]
    assert any(grad is not None and bool(grad.any()) for grad in locator)


def test_the_plates_of_a_seed_stay_the_same() -> None:
    first, again = (PlateGenerator(3, system_fonts=False) for _ in range(2))
    random.seed(1)
    for _ in range(10):
        a, b = first.sample(), again.sample()
        assert a.text == b.text
        assert (a.corners is None) == (b.corners is None)
        if a.corners is not None and b.corners is not None:
            np.testing.assert_array_equal(a.corners, b.corners)


def test_bf16_moves_no_corner() -> None:
    torch.manual_seed(0)
    model = build_model("aligned_slim", 5).eval()
    assert isinstance(model, Aligned)
    images, corners = torch.rand(2, 1, 64, 256), torch.rand(2, 4, 2)
    with torch.autocast("cpu", torch.bfloat16):
        cut, located = model.cut_out(images, corners), model(images)[1]
    assert torch.equal(cut, model.cut_out(images, corners))
    assert located.dtype == torch.float32


def test_the_cut_out_is_that_of_grid_sample() -> None:
    torch.manual_seed(3)
    model = Aligned(nn.Sequential(nn.Identity()), nn.Identity(), 32, 128)
    images = torch.randn(6, 1, 64, 256)
    # Some corners outside the crop: the border is repeated there.
    corners = torch.tensor([[0.05, 0.2], [0.95, 0.2], [0.95, 0.8], [0.05, 0.8]]) + 0.2 * torch.randn(6, 4, 2)
    points = torch.einsum("kp,nkc->npc", model.weights, corners).view(6, 32, 128, 2)
    expected = nn.functional.grid_sample(images, points * 2 - 1, padding_mode="border", align_corners=False)
    assert float(points.min()) < 0
    assert float(points.max()) > 1
    torch.testing.assert_close(model.cut_out(images, corners), expected, atol=1e-3, rtol=1e-3)
