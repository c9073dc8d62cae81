"""Negatives: reproducible, split without overlap, nothing legible in them; their measuring counts rightly."""

from __future__ import annotations

import random
import re
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest

from lprfast.formats import DIGITS, LATIN
from training import false_reads
from training.synth import negatives, negatives_numbers, negatives_odd, split, words
from training.synth.__main__ import main
from training.synth.generator import Library
from training.synth.negative_set import draw_set
from training.synth.negatives_scene import Scene, blend, new_scene, text_coverage, two_tones

TRAINING = tuple(dict.fromkeys(negatives.kinds(False)))
HELD_OUT = negatives.kinds(True)


def test_held_out_kinds_are_those_of_the_split_and_never_trained_on() -> None:
    assert set(HELD_OUT) == split.HELD_OUT_NEGATIVES
    assert not set(TRAINING) & set(HELD_OUT)
    assert len(HELD_OUT) >= 8
    assert {"blank_plate", "tiny_plate", "blurred_plate", "badge", "clock"} <= set(TRAINING)


@pytest.mark.parametrize("held_out", [False, True])
def test_drawn_kinds_are_those_of_the_library_side(held_out: bool) -> None:
    library, rng = Library(held_out, system_fonts=False), random.Random(2)
    drawn = {negatives.draw_crop(rng, library, 1.0, 60)[1] for _ in range(60)}
    assert drawn <= set(HELD_OUT if held_out else TRAINING)
    assert len(drawn) > 12


@pytest.mark.parametrize("kind", TRAINING + HELD_OUT)
def test_every_kind_is_drawn_in_the_width_asked_for_and_again_the_same(kind: str) -> None:
    library = Library(kind in HELD_OUT, system_fonts=False)
    for seed in range(4):
        first, second = (
            negatives.draw_crop(random.Random(seed), library, 1.0, 50 + 40 * seed, kind)[0] for _ in range(2)
        )
        assert first.dtype == np.uint8
        assert first.shape[1] == 50 + 40 * seed
        assert 4 <= first.shape[0] <= 2 * first.shape[1]
        assert np.array_equal(first, second)


def test_other_seeds_draw_other_crops() -> None:
    library = Library(False, system_fonts=False)
    crops = [negatives.draw_crop(random.Random(seed), library, 1.0, 90, "grille")[0] for seed in range(6)]
    assert len({crop.tobytes() for crop in crops}) == 6


def test_an_unknown_kind_is_named() -> None:
    with pytest.raises(KeyError, match="unicorn"):
        negatives.draw_negative(random.Random(1), "stroke:1", 1.0, "unicorn")


def test_a_scene_differs_from_the_empty_one_inside_the_box() -> None:
    for kind in ("bar_code", "contact", "keypad", "headlight"):
        canvas, (x, y, width, height) = negatives.draw_negative(random.Random(3), "stroke:1", 0.5, kind)
        assert canvas[y : y + height, x : x + width].std() > 10


def test_tiny_plates_hold_no_more_than_twenty_columns_of_detail() -> None:
    library = Library(False, system_fonts=False)
    crops = [negatives.draw_crop(random.Random(s), library, 1.0, 180, "tiny_plate")[0] for s in range(12)]
    shown = [crop for crop in crops if crop.std() > 0]  # light may wash a plate out
    assert len(shown) >= 9
    for crop in shown:
        spectrum = np.abs(np.fft.rfft(crop.astype(float) - crop.mean(), axis=1)).sum(axis=0)
        # 20 columns carry 10 periods at most; interpolation adds overtones, never most of the picture.
        assert spectrum[:11].sum() > 0.5 * spectrum.sum()


def test_smearing_leaves_no_stroke_of_a_character() -> None:
    stripes = np.zeros((96, 240), np.uint8)
    stripes[:, ::24] = stripes[:, 1::24] = stripes[:, 2::24] = 255  # one stroke per character of 24 px
    for seed in range(5):
        smeared = negatives._smear(random.Random(seed), stripes, 24.0)
        assert smeared[20:76, 60:180].astype(float).std(axis=1).max() < 4


def test_blank_plates_have_no_number() -> None:
    library = Library(False, system_fonts=False)
    for seed in range(10):
        plate = library.plate(random.Random(seed), 0.5, blank=True)
        assert not any(plate.lines)


def test_texts_are_none_that_a_plate_carries() -> None:
    rng, symbols = random.Random(5), set(LATIN + DIGITS)
    for _ in range(300):
        for text in (words.phone_number(rng), words.date_stamp(rng)):
            assert sum(c in DIGITS for c in text) >= 10
        assert re.search(r"[a-z]{2}", words.web_address(rng))
        assert ":" in words.clock_time(rng)
        assert set(words.price(rng)) & set("$%E/")
        assert not set(words.brand(rng)) <= symbols
        assert words.phrase(rng, 2, 4).islower()


def test_clock_times_exist() -> None:
    rng = random.Random(6)
    for _ in range(200):
        hours, minutes, seconds = map(int, words.clock_time(rng, seconds=True).split(":"))
        assert hours < 24
        assert minutes < 60
        assert seconds < 60


def test_tones_keep_their_distance() -> None:
    rng = random.Random(7)
    for apart in (30, 80, 120):
        pairs = [two_tones(rng, apart) for _ in range(300)]
        assert all(0 <= tone <= 255 for pair in pairs for tone in pair)
        assert min(abs(a - b) for a, b in pairs) >= apart


def test_blend_paints_by_coverage_and_cuts_at_the_edge() -> None:
    canvas = np.full((4, 5), 100, np.uint8)
    blend(canvas, np.array([[255, 255], [0, 51]], np.uint8), (5, 3), 200.0)
    assert canvas[2].tolist() == [100, 100, 100, 100, 200]
    assert canvas[3].tolist() == [100, 100, 100, 100, 100]
    blend(canvas, np.full((2, 2), 255, np.uint8), (90, 90), 0.0)
    blend(canvas, np.full((2, 2), 255, np.uint8), (-90, -90), 0.0)
    assert canvas.min() == 100


def test_text_never_leaves_the_width_it_is_given() -> None:
    canvas = np.zeros((100, 300), np.uint8)
    Scene(canvas, (50, 20, 200, 60), "stroke:1").write("a long line of words.", (0.5, 0.5), 0.9, 255.0, 0.5)
    columns = np.flatnonzero(canvas.max(axis=0))
    assert columns[0] >= 99
    assert columns[-1] <= 201
    assert columns[-1] - columns[0] > 85


def test_lower_case_and_punctuation_are_drawn_without_system_fonts() -> None:
    for first, second in (("a", "A"), ("10:45", "1045"), ("9.90", "990")):
        assert not np.array_equal(text_coverage("stroke:2", first, 24), text_coverage("stroke:2", second, 24))


def test_a_set_has_each_kind_as_often_and_starts_alike_at_any_length() -> None:
    crops = list(draw_set(3, 2 * len(HELD_OUT), held_out=True, system_fonts=False))
    assert Counter(kind for _, kind in crops) == dict.fromkeys(HELD_OUT, 2)
    for (a, _), (b, _) in zip(draw_set(3, 5, held_out=True, system_fonts=False), crops, strict=False):
        assert np.array_equal(a, b)


def test_negatives_command_writes_empty_labels(tmp_path, capsys) -> None:  # type: ignore[no-untyped-def]
    main(["negatives", "--out", str(tmp_path / "n"), "--count", "3", "--held-out"])
    lines = (tmp_path / "n" / "labels.csv").read_text(encoding="utf-8").splitlines()
    assert lines[:2] == ["path,text,region", "images/00000.png,,bar_code"]
    assert len(lines) == 4
    assert all((tmp_path / "n" / line.split(",")[0]).stat().st_size > 60 for line in lines[1:])
    assert "3 negatives" in capsys.readouterr().out
    main(["--held-out", "negatives", "--out", str(tmp_path / "m"), "--count", "1"])
    assert "bar_code" in (tmp_path / "m" / "labels.csv").read_text(encoding="utf-8")


def test_false_reads_are_counted_by_kind() -> None:
    answers = iter([("ok", 0.9), ("ok", 0.5), ("no_plate", 0.0), ("ok", 0.51), ("unreadable", 0.9)])

    def read_many(crops: list[object]) -> list[SimpleNamespace]:
        return [SimpleNamespace(status=s, confidence=c, text="X1") for s, c in (next(answers) for _ in crops)]

    crop = np.zeros((4, 8), np.uint8)
    reader = SimpleNamespace(read_many=read_many)
    found = false_reads.count_false_reads(reader, [(crop, k) for k in "aabbb"], 0.5)  # type: ignore[arg-type]
    assert found.crops == {"a": 2, "b": 3}
    assert found.reads == {"a": 1, "b": 1}
    assert "2 of 5 negatives" in false_reads.format_table(found, 0.5)
    assert "40.00%" in false_reads.format_table(found, 0.5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["default", "--count", "0"], "--count: expected 1 or more, got 0"),
        (["default", "--threshold", "2"], "--threshold: expected 0 to 1, got 2.0"),
        (["no-such-model.onnx"], "no-such-model.onnx"),
    ],
)
def test_bad_arguments_end_with_a_message(arguments: list[str], message: str, capsys) -> None:  # type: ignore[no-untyped-def]
    assert false_reads.main(arguments) == 2
    assert message in capsys.readouterr().err


def test_false_reads_command_prints_the_share(capsys) -> None:  # type: ignore[no-untyped-def]
    assert false_reads.main(["default", "--count", "20", "--held-out", "--threads", "1"]) == 0
    out = capsys.readouterr().out
    assert "of 20 negatives read as a plate with confidence over 0.5" in out
    assert "bar_code             2" in out


def test_serial_numbers_are_longer_than_any_plate() -> None:
    rng = random.Random(8)
    texts = [negatives_odd._serial(rng) for _ in range(300)]
    # No plate has more than ten characters in a line.
    assert min(sum(c.isalnum() for c in text) for text in texts) > 10


def test_cut_text_leaves_the_middle_of_the_box_without_a_letter() -> None:
    for seed in range(20):
        scene = new_scene(random.Random(seed), "stroke:1", 0.5)
        negatives_odd.cut_text(random.Random(seed), scene)
        x, y, width, height = scene.box
        middle = scene.canvas[y + round(0.45 * height) : y + round(0.55 * height), x + 20 : x + width - 20]
        assert np.unique(middle).size <= 2  # the board, and a line of its border at most


def test_lamps_are_apart_and_as_many_as_the_text_lights() -> None:
    on = np.array([[True, False, True], [False, True, True]])
    board = negatives_numbers._in_lamps(on, 4)
    assert board.shape == (8, 12)
    assert board.sum() == on.sum() * 9 * 255  # 3 x 3 of 4 x 4 px
    assert not board[3::4].any()
    assert not board[:, 3::4].any()


def test_a_drum_half_turned_shows_the_end_of_one_digit_over_the_start_of_the_next() -> None:
    drums = [negatives_numbers._drum("stroke:1", 7 + k, turn, (40, 80), (0.0, 255.0)) for k, turn in
             ((0, 0.0), (1, 0.0), (0, 0.5))]  # fmt: skip
    seven, eight, between = (drum > 60 for drum in drums)  # in the shade at the edges ink is darker
    assert np.mean(between[10:35] == seven[50:75]) > 0.93
    assert np.mean(between[45:70] == eight[5:30]) > 0.93
    assert np.mean(between[10:35] == seven[10:35]) < 0.9
    # After nine comes zero.
    nine = negatives_numbers._drum("stroke:1", 9, 1.0, (40, 80), (0.0, 255.0))
    assert np.array_equal(nine, negatives_numbers._drum("stroke:1", 0, 0.0, (40, 80), (0.0, 255.0)))


def test_flaps_have_a_slit_in_the_tone_of_the_board_across_each_character() -> None:
    scene = new_scene(random.Random(1), "stroke:1", 0.0)
    scene.canvas[:] = 200
    negatives_numbers._row_of_flaps(scene, "88888", (0.5, 0.8), (200.0, 20.0, 255.0))
    left, y = scene.at(0.1, 0.5)
    assert (scene.canvas[y, left : scene.at(0.9, 0)[0]] == 200).all()
    above = scene.canvas[y - 5, left : scene.at(0.9, 0)[0]]
    assert (above == 20).any()
    assert (above > 200).any()
