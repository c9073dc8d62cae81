"""What is drawn on plates beside their number, and what becomes of their characters."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np

from lprfast.formats import LAYOUTS
from training.synth import bands, surface
from training.synth.chinese import ChineseLook, pressed


def test_pressed_characters_get_bolder_with_weight_and_stay_on_blank_ground() -> None:
    glyph = np.zeros((64, 48), np.uint8)
    glyph[8:56, 10:16] = glyph[8:56, 22:28] = 255
    plain = ChineseLook(width=1.0, height=1.0, level=0.5, rows=0, weight=0, tone=1.0)
    inks = [pressed(glyph, replace(plain, weight=weight)).mean() for weight in (-40, 0, 40)]
    assert inks[0] < inks[1] < inks[2]
    assert pressed(glyph, plain)[:, 40:].max() == 0
    assert pressed(glyph, replace(plain, rows=16)).shape == (32, 24)
    assert pressed(glyph, replace(plain, tone=0.6)).max() == 153


def test_fading_bleaches_characters_but_leaves_them_legible() -> None:
    faded = []
    for seed in range(300):
        coverage = np.full((20, 200), 255, np.uint8)
        surface.fade(random.Random(seed), coverage, level=1.0)
        faded.append(int(coverage.min()))
    some = [value for value in faded if value < 255]
    assert 15 <= len(some) <= 60  # 12 % are
    assert min(some) > 0.3 * 255


def test_arms_are_shields_of_several_tones_that_differ() -> None:
    crests = [bands.crest(number) for number in range(bands.CRESTS)]
    assert len({crest.tobytes() for crest in crests}) == bands.CRESTS
    for crest in crests:
        assert crest[0, 0] == 0
        assert 0.1 < (crest > 40).mean() < 0.9
        assert crest.std() > 30


def test_a_bright_band_holds_dark_arms() -> None:
    (layout,) = (layout for layout in LAYOUTS if layout.name == "sk_old")
    for seed in range(20):
        face = np.full((45, 208), 220, np.float32)
        bands.bands(random.Random(seed), layout, face, "stroke:1")
        assert face.max() <= 220
        assert face[:, 30:].min() == 220
        if seed == 3:
            assert face[:, :20].min() < 180


def test_clouds_are_smooth_and_fill_their_range() -> None:
    fields = [surface.clouds(random.Random(seed), (40, 90), 3) for seed in range(30)]
    assert {field.shape for field in fields} == {(40, 90)}
    assert len({field.tobytes() for field in fields}) == 30
    assert 0.8 < max(field.max() for field in fields) < 1.7
    assert all(np.abs(np.diff(field, axis=1)).max() < 0.25 for field in fields)
    assert np.array_equal(fields[3], surface.clouds(random.Random(3), (40, 90), 3))
