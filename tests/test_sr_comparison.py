"""The statistics, the examples and the pictures of ``lprfast compare-sr``, by hand."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lprfast.data import shrink_to_width
from lprfast.evaluation import Sample, Settings
from lprfast.evaluation.markup import picture
from lprfast.evaluation.paired import difference_interval
from lprfast.evaluation.run import Outcome
from lprfast.evaluation.samples import Traits, VehicleSample
from lprfast.evaluation.sr_comparison import Example, Run, examples, paired_tests
from lprfast.evaluation.sr_page import comparison_page

SETTINGS = Settings({}, resamples=500, seed=1)


def made_run(
    pipeline: str,
    right: Sequence[int],
    *,
    reader: str = "toy",
    clusters: Sequence[str] | None = None,
    widths: Sequence[int] | None = None,
    votes: Sequence[int] = (),
) -> Run:
    """A run of crops that it has right or wrong: each a vehicle of its own, 50 pixels wide, if not given."""
    samples = [
        Sample("AB12" if good else "XX99", "AB12", "", "ok", cluster, traits=Traits(width))
        for good, cluster, width in zip(
            right, clusters or range(len(right)), widths or [50] * len(right), strict=True
        )
    ]
    vehicles = [VehicleSample("AB12" if good else "XX99", "AB12") for good in votes]
    return Run(pipeline, reader, Outcome(samples, vehicles), {})


def gaining(crops: int) -> list[bool]:
    """Of ten crops, that many right, where a run with none right stands before."""
    return [number < crops for number in range(10)]


# Paired tests


def test_p_values_are_corrected_over_all_tests_of_all_readers() -> None:
    runs = [
        made_run("none", gaining(0)),
        made_run("five", gaining(5)),
        made_run("eight", gaining(8)),
        made_run("six", gaining(6), reader="other"),
    ]
    tests = paired_tests(runs, SETTINGS)
    assert [(test.reader, test.second, test.gained, test.lost) for test in tests] == [
        ("toy", "five", 5, 0),
        ("toy", "eight", 8, 0),
        ("other", "six", 6, 0),
    ]
    # McNemar of k gained and none lost: 2 / 2^k. Sorted: 1/128 x 3, 1/32 x 2, 1/16 x 1.
    assert [test.p for test in tests] == pytest.approx([1 / 16, 1 / 128, 1 / 32])
    assert [test.p_holm for test in tests] == pytest.approx([1 / 16, 3 / 128, 2 / 32])


def test_widths_and_votes_are_corrected_for_too() -> None:
    widths = [50] * 4 + [120] * 6
    first = made_run("none", gaining(0), widths=widths, votes=[False] * 3)
    second = made_run("twice", [True] * 10, widths=widths, votes=[True] * 3)
    tests = {(test.unit, test.width): test for test in paired_tests([first, second], SETTINGS)}
    p = {key: test.p for key, test in tests.items()}
    assert p == pytest.approx(
        {
            ("crops", "all"): 2 / 1024,
            ("crops", "40-60"): 2 / 16,
            ("crops", "100+"): 2 / 64,
            ("vehicles", "all"): 2 / 8,
        }
    )
    assert {key: test.p_holm for key, test in tests.items()} == pytest.approx(
        {
            ("crops", "all"): 4 * 2 / 1024,
            ("crops", "100+"): 3 * 2 / 64,
            ("crops", "40-60"): 2 * 2 / 16,
            ("vehicles", "all"): 2 / 8,
        }
    )


def test_the_interval_resamples_vehicles() -> None:
    """Of two vehicles one gains all its crops: resamples of the two gain 0, a half or all.

    0 and all come in a quarter of the resamples each, so both are within 95 %. Of ten independent crops, at
    most one would gain in 11 of 1024 resamples (1.1 %) and at most two in 56 (5.5 %).
    """
    clusters = ["car1"] * 5 + ["car2"] * 5
    first = made_run("none", gaining(0), clusters=clusters)
    second = made_run("twice", gaining(5), clusters=clusters)
    (test,) = paired_tests([first, second], SETTINGS)
    assert test.interval is not None
    assert (test.difference, test.interval.low, test.interval.high) == (0.5, 0.0, 1.0)
    assert (test.interval.clusters, test.interval.resamples) == (2, 500)
    apart = difference_interval([1] * 5 + [0] * 5, range(10), resamples=500, seed=1)
    assert apart is not None
    assert (apart.low, apart.high) == (pytest.approx(0.2), pytest.approx(0.8))


def test_the_interval_of_a_width_is_of_its_own_vehicles() -> None:
    clusters, widths = [*"aabbcc", *"dd"], [30] * 6 + [120] * 2
    first = made_run("none", [0, 1, 0, 0, 0, 0, 0, 0], clusters=clusters, widths=widths)
    second = made_run("twice", [1, 0, 1, 1, 0, 0, 1, 1], clusters=clusters, widths=widths)
    found = {test.width: test.interval for test in paired_tests([first, second], SETTINGS)}
    assert list(found) == ["all", "under 40", "100+"]
    expected = difference_interval([1, -1, 1, 1, 0, 0], list("aabbcc"), resamples=500, seed=1)
    assert found["under 40"] == expected
    assert expected != difference_interval([1, -1, 1, 1, 0, 0], range(6), resamples=500, seed=1)
    assert found["100+"] is None  # one vehicle says nothing about the spread


def test_runs_of_other_crops_are_refused() -> None:
    first = made_run("none", [0, 0], clusters=["a", "b"])
    with pytest.raises(ValueError, match="same crops"):
        paired_tests([first, made_run("twice", [0, 0], clusters=["b", "a"])], SETTINGS)


# Examples


def chosen(limit: int, *, differ: Sequence[int], clusters: Sequence[str], widths: Sequence[int]) -> list[str]:
    """The names of the examples; the files are called a, b, c and so on, in order."""
    places = [(Path("abcdefghij"[number]), None) for number in range(len(differ))]
    runs = [
        made_run("none", [0] * len(differ), clusters=clusters, widths=widths),
        made_run("twice", differ, clusters=clusters, widths=widths),
    ]
    return [str(example.path) for example in examples(places, runs, limit)]


def test_examples_are_of_many_vehicles() -> None:
    """The first vehicle has crops of which the runs differ in plenty; the others come last in the file."""
    crops = {
        "differ": [1, 1, 1, 1, 0, 1, 1],
        "clusters": ["car1", "car1", "car1", "car1", "car2", "car2", "car3"],
        "widths": [50, 40, 30, 60, 20, 90, 80],
    }
    assert chosen(1, **crops) == ["c"]  # the narrowest that differs
    assert chosen(3, **crops) == ["c", "g", "f"]  # one of each, by width
    assert chosen(4, **crops) == ["c", "b", "g", "f"]  # then car1's second narrowest
    assert chosen(6, **crops) == ["c", "b", "a", "d", "g", "f"]
    assert chosen(9, **crops) == ["e", "c", "b", "a", "d", "g", "f"]  # the one that does not differ too
    assert chosen(0, **crops) == []


def test_examples_that_do_not_differ_fill_up_with_other_vehicles_first() -> None:
    crops = {
        "differ": [0, 0, 1, 0, 0],
        "clusters": ["car1", "car1", "car1", "car2", "car3"],
        "widths": [20, 30, 40, 60, 50],
    }
    assert chosen(2, **crops) == ["c", "e"]  # car1 is shown, so its narrower crops wait
    assert chosen(3, **crops) == ["c", "e", "d"]
    assert chosen(4, **crops) == ["a", "c", "e", "d"]


def test_examples_that_are_equal_come_in_file_order() -> None:
    crops = {"differ": [1] * 4, "clusters": ["b", "a", "d", "c"], "widths": [50] * 4}
    assert chosen(3, **crops) == ["a", "b", "c"]


# The page


def pixels_of(text: str) -> list[np.ndarray]:
    """The pictures on a page, in order, as they were given."""
    parts = text.split('src="data:image/png;base64,')[1:]
    contents = [base64.b64decode(part.partition('"')[0]) for part in parts]
    return [np.array(Image.open(io.BytesIO(content))) for content in contents]


def test_pictures_are_shrunk_as_the_crops_were(tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 256, (30, 90), np.uint8)
    path = tmp_path / "a.png"
    Image.fromarray(image).save(path)
    box = (10, 5, 70, 25)
    cut = image[5:25, 10:70]
    shown = [Example(path, None, 90, "AB12", ("AB12",)), Example(path, box, 60, "AB12", ("AB12",))]
    for width, expected in (
        (None, [image, cut]),
        (75, [shrink_to_width(image, 75), cut]),  # what is narrower stays
        (20, [shrink_to_width(image, 20), shrink_to_width(np.ascontiguousarray(cut), 20)]),
    ):
        page = comparison_page([("none", "toy", [])], [], shown, {"width": width})
        found = pixels_of(page)
        assert len(found) == 2
        for pixels, wanted in zip(found, expected, strict=True):
            np.testing.assert_array_equal(pixels, wanted)


def test_a_shrunk_picture_keeps_its_colours(tmp_path: Path) -> None:
    blue = np.zeros((10, 40, 3), np.uint8)
    blue[..., 2] = 200
    Image.fromarray(blue).save(tmp_path / "blue.png")
    (found,) = pixels_of(picture(tmp_path / "blue.png", width=20))
    np.testing.assert_array_equal(found, blue[:5, :20])
