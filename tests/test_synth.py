"""The synthetic plates: reproducible, exact in size, true to their layouts, split without overlap."""

from __future__ import annotations

import csv
import random
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from lprfast.data.labels import read_labels
from lprfast.formats import LAYOUTS, PROVINCES, SUFFIXES, PlateLayout, pattern_choices, split_pattern
from training.synth import (
    CHARSET,
    MIXES,
    PlateGenerator,
    Sample,
    TrackMix,
    draw_track,
    glyphs,
    split,
    surface,
)
from training.synth.__main__ import main
from training.synth.camera import draw_optics, draw_view, photograph, sensed
from training.synth.generator import FLAT, NEGATIVE_SHARE, Library, part_of
from training.synth.plate import draw_symbols
from training.synth.stroke_font import likeness
from training.synth.tracks import COPY_INTERVAL, INTERVAL

BY_NAME = {layout.name: layout for layout in LAYOUTS}


def take(count: int, seed: int = 1, **settings: object) -> list[Sample]:
    generator = PlateGenerator(seed, system_fonts=False, **settings)  # type: ignore[arg-type]
    return [generator.sample() for _ in range(count)]


def same(a: Sample, b: Sample) -> bool:
    return a.text == b.text and a.layout == b.layout and np.array_equal(a.crop, b.crop)


def test_same_seed_same_bytes() -> None:
    assert all(map(same, take(30), take(30)))


def test_other_seed_other_samples() -> None:
    assert not any(map(same, take(10, seed=1), take(10, seed=2)))


def test_crops_are_gray_bytes_of_a_sane_size() -> None:
    for sample in take(200):
        height, width = sample.crop.shape
        assert sample.crop.dtype == np.uint8
        assert 4 <= height <= 2 * width


def test_multi_scale_bounds_are_exact() -> None:
    widths = [s.crop.shape[1] for s in take(400, multi_scale=(0.4, 0.5))]
    assert min(widths) >= 40
    assert max(widths) <= 100
    assert min(widths) < 45
    assert max(widths) > 90


def test_scale_one_draws_no_small_plate() -> None:
    widths = [s.crop.shape[1] for s in take(300, multi_scale=(1, 1))]
    assert min(widths) >= 100
    assert max(widths) <= 200


def test_multi_scale_changes_nothing_but_the_size() -> None:
    full, scaled = take(60, multi_scale=(1, 1)), take(60, multi_scale=(0.4, 0.8))
    assert [s.layout for s in full] == [s.layout for s in scaled]
    # A small crop may be washed out where the large one is not: then it has no corners and no text. Which
    # part of a two-line plate is shown is drawn after the picture, and may differ.
    one_line = {layout.name for layout in LAYOUTS if layout.rows == 1}
    pairs = [
        (a.text, b.text)
        for a, b in zip(full, scaled, strict=True)
        if a.layout in one_line and a.corners is not None and b.corners is not None
    ]
    assert len(pairs) >= 40
    assert all(a == b for a, b in pairs)
    for a, b in zip(full, scaled, strict=True):
        assert 0.4 - 0.01 <= b.crop.shape[1] / a.crop.shape[1] <= 0.8 + 0.01


def test_width_histogram_replaces_the_full_width() -> None:
    widths = [s.crop.shape[1] for s in take(300, multi_scale=(1, 1), widths=[(30, 40, 1.0), (90, 95, 3.0)])]
    small = [w for w in widths if w <= 40]
    assert all(30 <= w <= 40 or 90 <= w <= 95 for w in widths)
    assert 40 <= len(small) <= 115  # 75 expected


def test_the_widest_plates_and_negatives_can_be_drawn() -> None:
    samples = take(40, widths=[(1024, 1024, 1.0)], multi_scale=(1, 1))
    assert {sample.crop.shape[1] for sample in samples} == {1024}


def test_a_crop_of_more_pixels_than_the_noise_bank_gets_noise_all_over() -> None:
    optics = next(o for n in range(99) if (o := draw_optics(random.Random(n), 1.0)).noise > 3 and not o.jpeg)
    noisy = sensed(random.Random(1), np.full((1200, 1024), 128, np.float32), optics)
    assert noisy.shape == (1200, 1024)
    assert min(noisy[:600].std(), noisy[600:].std()) > 0.3


def test_charset_holds_every_text_once() -> None:
    assert len(CHARSET) == len(set(CHARSET)) == 36 + 31 + 11
    assert len(set(PROVINCES)) == 31
    known = set(CHARSET)
    for sample in take(400):
        assert set(sample.text) <= known
    for layout in LAYOUTS:
        for pattern in layout.patterns:
            choices = (pattern_choices(s, layout.letters) for s in split_pattern(pattern))
            assert {c for strings in choices for string in strings for c in string} <= known


def test_layout_names_are_unique() -> None:
    assert len(BY_NAME) == len(LAYOUTS)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_texts_follow_the_pattern(layout: PlateLayout) -> None:
    rng = random.Random(4)
    for _ in range(20):
        lines = draw_symbols(rng, layout, free_share=0.0)
        assert len(lines) == layout.rows
        assert layout.matches("".join(c for line in lines for c in line if c in CHARSET))


def test_pattern_of_one_layout_by_hand() -> None:
    french = BY_NAME["fr"]
    assert french.matches("AB123CD")
    assert not french.matches("AB123C")
    assert not french.matches("AI123CD")  # no I on French plates
    assert BY_NAME["br_two"].rows == 2
    assert BY_NAME["cn_blue"].matches("京A12345")


@pytest.mark.parametrize(
    "layout", [e for e in LAYOUTS if not e.needs_chinese], ids=lambda layout: layout.name
)
def test_every_layout_is_drawable(layout: PlateLayout) -> None:
    rng = random.Random(5)
    library = Library(held_out=False, system_fonts=False)
    plate = library.plate(rng, 1.0, layout)
    crop = photograph(
        rng, plate.canvas, plate.box, draw_view(rng, 0.0, layout.aspect), draw_optics(rng, 0.0), 160
    )
    assert crop.std() > 15
    assert all(plate.lines)


def test_chinese_plates_are_drawn_only_with_a_font_for_them() -> None:
    for system_fonts in (False, True):
        library = Library(held_out=False, system_fonts=system_fonts)
        drawable = system_fonts and bool(glyphs.chinese_fonts(False))
        assert any(layout.needs_chinese for layout in library.layouts) == drawable
        for layout in library.layouts:
            if layout.needs_chinese:
                lines = library.plate(random.Random(1), 1.0, layout).lines
                assert lines[0][0] in PROVINCES or lines[-1][-1] in SUFFIXES


def test_held_out_layouts_and_fonts_are_disjoint_from_training() -> None:
    names = {held: {layout.name for layout in split.layouts(held, chinese=True)} for held in (False, True)}
    assert names[True] == split.HELD_OUT_LAYOUTS
    assert names[False] | names[True] == set(BY_NAME)
    assert not names[False] & names[True]
    for fonts in (glyphs.stroke_fonts, glyphs.system_fonts):
        assert not set(fonts(False)) & set(fonts(True))
    assert set(split.TRAINING_STROKE_FONTS).isdisjoint(split.HELD_OUT_STROKE_FONTS)


def test_stroke_fonts_keep_their_characters_apart() -> None:
    names = glyphs.stroke_fonts(False)[:40] + glyphs.stroke_fonts(True)[:10]
    assert max(likeness(glyphs.load_font(name).glyphs) for name in names) < 0.91


def test_held_out_samples_come_from_held_out_layouts() -> None:
    drawn = {s.layout for s in take(200, held_out=True)} - {"negative"}
    assert len(drawn) >= 8
    assert drawn <= split.HELD_OUT_LAYOUTS


def test_negatives_are_empty_and_as_many_as_their_share_says() -> None:
    samples = take(1500)
    negatives = [s for s in samples if s.layout == "negative"]
    assert all(s.text == s.whole == "" for s in negatives)
    # Three standard deviations of a binomial around 60.
    assert abs(len(negatives) - 1500 * NEGATIVE_SHARE) <= 3 * (1500 * NEGATIVE_SHARE) ** 0.5


def test_only_negatives_whole_two_line_plates_and_washed_out_pictures_are_empty() -> None:
    samples = take(600)
    for sample in samples:
        washed_out = float(sample.crop.std()) < FLAT
        if not sample.text:
            assert sample.layout == "negative" or BY_NAME[sample.layout].rows == 2 or washed_out
        assert not (sample.text and washed_out)


def test_two_line_plates_show_a_line_with_its_text_or_the_whole_without() -> None:
    names = {layout.name for layout in LAYOUTS if layout.rows == 2}
    two_line = [s for s in take(2500, multi_scale=(1, 1)) if s.layout in names]
    whole = [s for s in two_line if not s.text]
    assert 0.1 <= len(whole) / len(two_line) <= 0.32
    assert np.median([s.crop.shape[0] for s in whole]) > 1.4 * np.median([s.crop.shape[0] for s in two_line])


def parts(layout: str, seeds: range, gray: int | None = None) -> list[tuple[Sample, tuple[str, ...]]]:
    """Samples of one layout and the lines of their plates; ``gray``: of crops that are all of that level."""
    library, corners = Library(held_out=False, system_fonts=False), np.zeros((2, 4, 2), np.float32)
    found = []
    for seed in seeds:
        rng = random.Random(seed)
        plate = library.plate(rng, 0.0, BY_NAME[layout])
        crop = plate.canvas if gray is None else np.full_like(plate.canvas, gray)
        found.append((part_of(rng, plate, crop, corners), tuple(plate.lines)))
    return found


def test_whole_holds_the_text_of_all_lines_that_are_seen() -> None:
    kinds = set()
    for sample, (upper, lower) in parts("br_two", range(30)):
        if sample.text:
            assert sample.text in (upper, lower)
            assert sample.whole == sample.target(2) == ""
            assert sample.target(1) == sample.text
        else:
            assert sample.whole == sample.target(2) == upper + lower
            assert sample.target(1) == sample.target(0) == ""
        kinds.add(bool(sample.text))
    assert kinds == {True, False}
    for sample, lines in parts("fr", range(3)):
        assert sample.text == sample.whole == sample.target(1) == sample.target(2) == lines[0]
    assert all(sample.whole == "" for name in ("fr", "br_two") for sample, _ in parts(name, range(9), 90))
    assert all(
        f.sample.whole == f.sample.text for f in draw_track(3, TrackMix(2, (80, 90)), system_fonts=False)
    )


def test_chipped_paint_takes_ink_off_and_puts_none_on() -> None:
    before = np.zeros((60, 200), np.uint8)
    before[10:50, 20:180] = 255
    chipped = 0
    for seed in range(100):
        after = before.copy()
        surface.chip_paint(random.Random(seed), after, level=1.0)
        assert (after <= before).all()
        chipped += bool((after != before).any())
    assert 2 <= chipped <= 20  # 8 % are


def test_what_stands_in_front_of_a_plate_covers_little_of_it() -> None:
    box, covered = (30, 40, 200, 50), []
    for seed in range(400):
        canvas = np.full((130, 260), 77, np.uint8)
        surface.cover(random.Random(seed), canvas, box, level=1.0)
        covered.append(float((canvas[40:90, 30:230] != 77).mean()))
    some = [share for share in covered if share > 0]
    assert 8 <= len(some) <= 48  # 6 % are
    assert max(some) < 0.3
    clean = np.full((130, 260), 77, np.uint8)
    surface.cover(random.Random(0), clean, box, level=0.0)
    assert (clean == 77).all()


def test_track_frames_share_one_plate_and_grow() -> None:
    mix = TrackMix(12, (40, 110))
    track = [frame.sample for frame in draw_track(3, mix, system_fonts=False)]
    assert len(track) == 12
    assert len({(s.text, s.layout) for s in track}) == 1
    assert track[0].text
    widths = [s.crop.shape[1] for s in track]
    assert (widths[0], widths[-1]) == (40, 110)
    assert all(a <= b for a, b in pairwise(widths))
    again = [frame.sample for frame in draw_track(3, mix, system_fonts=False)]
    assert all(map(same, track, again))


def test_track_frames_of_equal_width_differ() -> None:
    first, second = draw_track(4, TrackMix(2, (80, 80)), system_fonts=False)
    assert first.sample.crop.shape != second.sample.crop.shape or not np.array_equal(
        first.sample.crop, second.sample.crop
    )


def test_copies_follow_their_frame_closely() -> None:
    frames = draw_track(5, TrackMix(40, (80, 80), copies=0.4), system_fonts=False)
    steps = [round(b.time - a.time, 3) for a, b in pairwise(frames)]
    assert set(steps) == {COPY_INTERVAL, INTERVAL}
    assert 8 <= steps.count(COPY_INTERVAL) <= 24

    def apart(number: int) -> float:
        a, b = (frames[k].sample.crop.astype(float) for k in (number, number + 1))
        return float(np.abs(a - b).mean()) if a.shape == b.shape else 255.0

    copied = [apart(k) for k, step in enumerate(steps) if step == COPY_INTERVAL]
    others = [apart(k) for k, step in enumerate(steps) if step == INTERVAL]
    assert np.median(copied) < np.median(others) / 2


def test_equal_geometry_puts_every_character_at_the_same_place() -> None:
    def alike(mix: TrackMix, seed: int) -> float:
        crops = [frame.sample.crop.astype(float) for frame in draw_track(seed, mix, system_fonts=False)]
        rows = min(len(crop) for crop in crops)
        return min(np.corrcoef(crops[0][:rows].ravel(), crop[:rows].ravel())[0, 1] for crop in crops[1:])

    large = {"difficulty": 0.2, "widths": (120, 120), "copies": 0.0}
    equal, similar = (replace(MIXES[name], **large) for name in ("equal", "similar"))
    # What is left is where the pixels fall on the sensor.
    assert min(alike(equal, seed) for seed in (8, 9, 10)) > 0.75
    assert min(alike(similar, seed) for seed in (8, 9, 10)) < 0.65


def test_cut_boxes_lose_ends_of_the_plate() -> None:
    whole = replace(MIXES["length"], cut=0.0, jitter=1e-9, frames=1)
    for seed in range(6):
        (kept,), (lost,) = (
            draw_track(seed, replace(whole, cut=share), held_out=False, system_fonts=False)
            for share in (0.0, 1.0)
        )
        # As wide, but of less of the plate: what is left is seen larger.
        assert lost.sample.crop.shape[0] > kept.sample.crop.shape[0]


def test_the_mixes_of_the_comparison_are_those_of_the_docs() -> None:
    assert {name: mix.frames for name, mix in MIXES.items()} == {
        "similar": 5, "wide": 15, "length": 5, "equal": 5,
    }  # fmt: skip
    assert MIXES["wide"].widths == (28, 200)


def test_difficulty_zero_is_legible() -> None:
    for sample in take(100, difficulty=0.0):
        if sample.text:
            low, high = np.percentile(sample.crop, (3, 97))
            assert high - low > 70
        assert sample.crop.shape[1] >= 190


def test_difficulty_can_be_set_while_running() -> None:
    generator = PlateGenerator(1, difficulty=0.0, system_fonts=False)
    generator.sample()
    generator.difficulty = 1.0
    assert min(generator.sample().crop.shape[1] for _ in range(50)) < 100
    with pytest.raises(ValueError, match="difficulty: expected 0 to 1, got 2"):
        generator.difficulty = 2.0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"multi_scale": (0.0, 1.0)}, "multi_scale"),
        ({"multi_scale": (0.9, 0.5)}, "multi_scale"),
        ({"widths": [(50, 40, 1.0)]}, "widths"),
        ({"widths": [(50, 1025, 1.0)]}, "widths: .* high <= 1024"),
        ({"widths": []}, "widths: expected at least one"),
        ({"widths": [(50, 60, 0.0)]}, "a weight above 0"),
        ({"difficulty": -0.1}, "difficulty"),
    ],
)
def test_bad_settings_are_named(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PlateGenerator(1, **settings)  # type: ignore[arg-type]


def test_bad_track_is_named() -> None:
    with pytest.raises(ValueError, match="frames >= 1"):
        TrackMix(frames=0)


def test_sample_command_writes_labels_that_fit_the_files(tmp_path, capsys) -> None:  # type: ignore[no-untyped-def]
    main(["--seed", "2", "sample", str(tmp_path), "--n", "5"])
    lines = (tmp_path / "labels.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "path,text,width,height,region,track,split"
    assert len(lines) == 6
    assert all((tmp_path / line.split(",")[0]).is_file() for line in lines[1:])
    assert {line.split(",")[-1] for line in lines[1:]} == {"train"}
    assert "5 crops" in capsys.readouterr().out
    main(["--held-out", "sample", str(tmp_path), "--n", "2"])
    lines = (tmp_path / "labels.csv").read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[-1] for line in lines[1:]] == ["dev", "dev"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--difficulty", "2", "speed"], "difficulty: expected 0 to 1, got 2.0"),
        (["--multi-scale", "0.9", "0.5", "speed"], "multi_scale: expected 0 < LOW <= HIGH <= 1"),
        (["--difficulty", "1", "tracks", "x"], "--difficulty: tracks takes none; expected with sheet"),
        (["--multi-scale", "1", "1", "negatives", "--out", "x"], "--multi-scale: negatives takes none"),
        (["speed", "--n", "0"], "--n: expected a whole number, 1 or more, got '0'"),
        (["sheet", "--rows", "1", "--out", "sheet.nothing"], "expected a name that ends in .png or .jpg"),
        (["sheet", "--rows", "1", "--out", "file/sheet.png"], "cannot be written"),
    ],
)
def test_bad_commands_end_with_a_message(  # type: ignore[no-untyped-def]
    arguments, message, tmp_path, monkeypatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert message in capsys.readouterr().err


def test_two_line_command_labels_whole_plates_with_both_lines(tmp_path: Path) -> None:
    main(["--difficulty", "0", "--held-out", "sample", str(tmp_path), "--n", "30", "--two-line"])
    with (tmp_path / "labels.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        layout = BY_NAME[row["region"]]
        assert layout.rows == 2
        assert layout.matches(row["text"]), row
    assert len({row["region"] for row in rows}) >= 5
    assert {row["split"] for row in rows} == {"dev"}
    assert max(int(row["height"]) / int(row["width"]) for row in rows) > 0.5  # whole, not halves


def test_sheets_of_drawn_crops_and_of_labelled_ones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drawn = tmp_path / "new" / "drawn.png"
    main(["sheet", "--held-out", "--out", str(drawn), "--rows", "2", "--widths", "40-41", "--seed", "3"])
    assert cv2.imread(str(drawn)).shape == (2 * 104, 6 * 206, 3)
    main(["sample", str(tmp_path), "--n", "8"])
    labelled = tmp_path / "labelled.png"
    main(["sheet", "--labels", str(tmp_path / "labels.csv"), "--out", str(labelled)])
    sheet = cv2.imread(str(labelled), cv2.IMREAD_GRAYSCALE)
    tiles = [sheet[y : y + 84, x : x + 206] for y in (0, 104) for x in range(0, 6 * 206, 206)]
    assert [bool(tile.any()) for tile in tiles] == [True] * 8 + [False] * 4
    assert f"8 crops in {labelled}" in capsys.readouterr().out
    crops = sorted((tmp_path / "images").iterdir())
    shown = {tiles[n][:60, :60].tobytes() for n in range(8)}
    assert len(shown) == len(crops) == 8
    with pytest.raises(SystemExit):
        main(["sheet", "--labels", str(tmp_path / "none.csv"), "--out", str(labelled)])
    assert "none.csv" in capsys.readouterr().err
    crops[2].write_bytes(b"no picture")  # costs only itself
    main(["sheet", "--labels", str(tmp_path / "labels.csv"), "--out", str(labelled)])
    said = capsys.readouterr()
    assert f"7 crops in {labelled}" in said.out
    assert "labels.csv: line 4 is left out" in said.err
    with pytest.raises(SystemExit):
        main(["sheet", "--labels", str(tmp_path / "labels.csv"), "--out", "x.png", "--widths", "40-50"])
    assert "--widths: sheet --labels takes none; expected with drawn crops" in capsys.readouterr().err


def test_flags_count_before_and_after_the_command(tmp_path: Path) -> None:
    main(["--seed", "7", "sample", "--n", "3", str(tmp_path / "before"), "--widths", "50-60"])
    main(["--widths", "50-60", "sample", "--n", "3", str(tmp_path / "after"), "--seed", "7"])
    main(["sample", "--n", "3", str(tmp_path / "other"), "--widths", "50-60", "--seed", "8"])
    texts = [(tmp_path / name / "labels.csv").read_text("utf-8") for name in ("before", "after", "other")]
    assert texts[0] == texts[1] != texts[2]
    assert all(int(row["width"]) <= 60 for row in csv.DictReader(texts[0].splitlines()))


def test_speed_command(capsys: pytest.CaptureFixture[str]) -> None:
    main(["speed", "--n", "5"])
    assert "samples/s" in capsys.readouterr().out


def test_tracks_are_folders_of_vehicles_under_one_label_file(tmp_path: Path) -> None:
    main(["--seed", "5", "tracks", str(tmp_path), "--n", "2", "--frames", "3"])
    rows = read_labels(tmp_path / "labels.csv").rows
    assert [(row.path.parent.name, row.track) for row in rows] == [
        (f"vehicle{n}", f"vehicle{n}") for n in (1, 1, 1, 2, 2, 2)
    ]
    own = read_labels(tmp_path / "vehicle2" / "labels.csv").rows
    assert [(row.path, row.text, row.width) for row in own] == [
        (row.path, row.text, row.width) for row in rows[3:]
    ]
