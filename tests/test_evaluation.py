"""Metrics, intervals and guards against values worked by hand; label files through a made-up reader."""

from __future__ import annotations

import itertools
import os
import random
import string
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from lprfast.data.labels import LabelRow, read_labels
from lprfast.evaluation import (
    Negatives,
    NegativeSample,
    Sample,
    Score,
    Settings,
    VehicleSample,
    below_chance,
    cluster_bootstrap,
    edit_distance,
    exact_interval,
    find_shift,
    fold,
    make_report,
    normalize,
    parse_fold,
    positional_accuracy,
    score,
    trained_on,
    uncovered_symbols,
)
from lprfast.evaluation.run import run_rows
from lprfast.results import PlateRead

CHARSET = string.digits + string.ascii_uppercase


# Metrics


@pytest.mark.parametrize(
    ("first", "second", "distance"),
    [
        ("", "", 0),
        ("A", "", 1),
        ("", "ABC", 3),
        ("ABC", "ABC", 0),
        ("ABC", "ABD", 1),
        ("ABC", "AC", 1),
        ("ABC", "XABC", 1),
        ("AB", "BA", 2),
        ("KITTEN", "SITTING", 3),
        ("SUNDAY", "SATURDAY", 3),
        ("0123456", "1234567", 2),
    ],
)
def test_edit_distance_by_hand(first: str, second: str, distance: int) -> None:
    assert edit_distance(first, second) == distance
    assert edit_distance(second, first) == distance


def slow_distance(first: str, second: str) -> int:
    if not first or not second:
        return len(first) + len(second)
    return min(
        slow_distance(first[1:], second) + 1,
        slow_distance(first, second[1:]) + 1,
        slow_distance(first[1:], second[1:]) + (first[0] != second[0]),
    )


def test_edit_distance_equals_its_recursive_definition() -> None:
    words = ["".join(word) for length in range(4) for word in itertools.product("ab", repeat=length)]
    for first, second in itertools.product(words, words):
        assert edit_distance(first, second) == slow_distance(first, second)


def test_cer_is_a_ratio_of_sums_not_a_mean_of_ratios() -> None:
    total = score([("AB", "AC"), ("ABCDEFGH", "ABCDEFGH")])
    assert total == Score(n=2, exact=1, distance=1, characters=10, within_one=2)
    assert total.cer == 0.1
    assert total.exact_match == 0.5
    assert score([("ABCDEF", "A")]).cer == 5.0
    assert score([]) == Score(0, 0, 0, 0, 0)
    assert (score([]).cer, score([]).exact_match) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("ab-12 c", "AB12C"),
        ("B·AD 1", "BAD1"),
        ("\uff21\uff11", "A1"),
        ("京A12345", "京A12345"),
        ("-.", ""),
        ("äö", "ÄÖ"),
    ],
)
def test_normalize(written: str, normal: str) -> None:
    assert normalize(written) == normal


def test_fold() -> None:
    table = parse_fold("O0Q, i1")
    assert table == {"O": "O", "0": "O", "Q": "O", "I": "I", "1": "I"}
    assert fold("Q01I8", table) == "OOII8"
    assert fold("Q01I8", {}) == "Q01I8"


@pytest.mark.parametrize(
    ("groups", "message"),
    [("O", "at least two"), ("O0,", "at least two"), ("O0,0D", "twice"), ("AA", "twice")],
)
def test_folds_that_make_no_sense(groups: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_fold(groups)


# Bootstrap


def exact_quantiles(tops: Sequence[float], bottoms: Sequence[float], level: float) -> tuple[float, float]:
    """Quantiles over all C^C resamples, each of the same probability."""
    indices = range(len(tops))
    ratios = [
        sum(tops[i] for i in drawn) / sum(bottoms[i] for i in drawn)
        for drawn in itertools.product(indices, repeat=len(tops))
    ]
    low, high = np.quantile(ratios, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def test_interval_against_every_resample() -> None:
    tops, bottoms = [3.0, 1.0, 0.0, 5.0, 2.0], [4.0, 4.0, 3.0, 5.0, 7.0]
    expected = exact_quantiles(tops, bottoms, 0.8)
    interval = cluster_bootstrap(tops, bottoms, "abcde", level=0.8, resamples=20_000)
    assert interval is not None
    assert (interval.clusters, interval.resamples) == (5, 20_000)
    assert interval.low == pytest.approx(expected[0], abs=0.01)
    assert interval.high == pytest.approx(expected[1], abs=0.01)


def test_exact_values_for_two_clusters() -> None:
    # Resamples of {0, 1}: 0 with 1/4, 1/2 with 1/2, 1 with 1/4; so 30-70 % is 1/2 and 20-80 % is 0 to 1.
    middle = cluster_bootstrap([0, 1], [1, 1], "ab", level=0.4)
    wide = cluster_bootstrap([0, 1], [1, 1], "ab", level=0.6)
    assert middle is not None
    assert wide is not None
    assert (middle.low, middle.high) == (0.5, 0.5)
    assert (wide.low, wide.high) == (0.0, 1.0)


def test_clusters_are_resampled_as_wholes() -> None:
    # 50 right crops of one vehicle and 50 wrong ones of another are two observations, not a hundred.
    right, ones = [1.0] * 50 + [0.0] * 50, [1.0] * 100
    whole = cluster_bootstrap(right, ones, ["a"] * 50 + ["b"] * 50)
    single = cluster_bootstrap(right, ones, range(100))
    assert whole is not None
    assert single is not None
    assert (whole.low, whole.high, whole.clusters) == (0.0, 1.0, 2)
    assert single.low > 0.38
    assert single.high < 0.62


def test_every_resample_of_equal_clusters_is_the_same() -> None:
    interval = cluster_bootstrap([1, 0] * 30, [1] * 60, [index // 2 for index in range(60)])
    assert interval is not None
    assert (interval.low, interval.high) == (0.5, 0.5)


def test_order_of_crops_within_clusters_does_not_matter_and_seeds_do() -> None:
    generator = random.Random(3)
    rows = [(generator.random(), 1.0, index % 9) for index in range(90)]
    first = cluster_bootstrap(*zip(*rows, strict=True))
    assert first == cluster_bootstrap(*zip(*rows, strict=True))
    assert first != cluster_bootstrap(*zip(*rows, strict=True), seed=1)


def test_one_cluster_or_none_has_no_interval() -> None:
    assert cluster_bootstrap([1, 0], [1, 1], "aa") is None
    assert cluster_bootstrap([], [], []) is None


def test_exact_intervals_against_values_known_in_closed_form() -> None:
    def ends(right: int, clusters: int) -> tuple[float, float]:
        found = exact_interval(right, clusters)
        return found.low, found.high

    assert ends(0, 20) == pytest.approx((0.0, 1 - 0.025 ** (1 / 20)))
    assert ends(20, 20) == pytest.approx((0.025 ** (1 / 20), 1.0))
    # One of two: P(at least 1) = 1 - (1 - p)^2 = 0.025, P(at most 1) = 1 - p^2 = 0.025.
    assert ends(1, 2) == pytest.approx((1 - 0.975**0.5, 0.975**0.5))
    low, high = ends(20, 2000)
    assert 0.006 < low < 0.0065
    assert 0.015 < high < 0.0155


@pytest.mark.parametrize(("right", "clusters"), [(-1, 5), (6, 5), (0, 0)])
def test_impossible_counts_are_named(right: int, clusters: int) -> None:
    with pytest.raises(ValueError, match=rf"got clusters {clusters}, right {right}, level 0\.95"):
        exact_interval(right, clusters)


def test_all_right_and_all_wrong_have_an_interval_of_some_width() -> None:
    # One cluster: 0.025. Two: its square root.
    assert (exact_interval(1, 1).low, exact_interval(1, 1).high) == (pytest.approx(0.025), 1.0)
    assert exact_interval(2, 2).low == pytest.approx(0.158114, abs=1e-6)
    assert (exact_interval(0, 100).low, exact_interval(0, 100).high) == (
        0.0,
        pytest.approx(0.036217, abs=1e-6),
    )
    with pytest.raises(ValueError, match="got clusters 0, right 0"):
        exact_interval(0, 0)
    samples = [Sample("A", "A", "A", "ok", name) for name in "xyyy"]
    rates = make_report("x", samples, [], Settings({})).crops
    assert rates.exact_interval == exact_interval(2, 2)
    assert rates.cer_interval is None  # 0 in every resample, which proves nothing of other crops
    wrong = [*samples, Sample("B", "A", "B", "ok", "z")]
    mixed = make_report("x", wrong, [], Settings({})).crops.cer_interval
    assert mixed is not None
    assert mixed.low < 0.2 < mixed.high
    one = make_report("x", samples[1:], [], Settings({})).crops
    assert (one.exact_interval, one.clusters, one.to_dict()["clusters"]) == (None, 1, 1)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (([1], [1, 1], "ab"), {}, "got 1, 2 and 2"),
        (([1, 1], [1, 0], "ab"), {}, "positive"),
        (([1, 1], [1, 1], "ab"), {"level": 1.0}, "level: expected 0-1, got 1.0"),
        (([1, 1], [1, 1], "ab"), {"resamples": 0}, "at least 1, got 0"),
    ],
)
def test_bootstrap_arguments(
    arguments: tuple[list[float], list[float], str], options: dict[str, float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        cluster_bootstrap(*arguments, **options)  # type: ignore[arg-type]


# Guards


def random_plates(count: int, symbols: str = CHARSET, seed: int = 0) -> list[str]:
    generator = random.Random(seed)
    return ["".join(generator.choices(symbols, k=7)) for _ in range(count)]


def moved(text: str, places: int) -> str:
    """What a decoder with its charset off makes of a perfect read: symbols that fall off the end vanish."""
    indices = (CHARSET.index(symbol) + places for symbol in text)
    return "".join(CHARSET[index] for index in indices if 0 <= index < len(CHARSET))


@pytest.mark.parametrize("places", [-3, -2, -1, 1, 2, 3])
def test_a_shifted_charset_is_found(places: int) -> None:
    labels = random_plates(60)
    finding = find_shift([moved(label, places) for label in labels], labels, CHARSET)
    assert finding is not None
    assert finding.shift == -places
    assert finding.accuracy < 0.3
    assert finding.shifted_accuracy > 0.85
    assert f"off by {-places:+d}" in str(finding)


def test_a_shift_is_found_behind_a_fold() -> None:
    table = parse_fold("O0,I1,8B")
    labels = random_plates(60)
    prepared = [fold(label, table) for label in labels]
    finding = find_shift(
        [moved(label, -1) for label in labels], prepared, CHARSET, lambda text: fold(text, table)
    )
    assert finding is not None
    assert finding.shift == 1


def test_right_poor_and_few_reads_are_no_shift() -> None:
    labels = random_plates(60)
    assert find_shift(labels, labels, CHARSET) is None
    assert find_shift(random_plates(60, seed=1), labels, CHARSET) is None
    assert find_shift([""] * 60, labels, CHARSET) is None
    assert find_shift([moved(label, -1) for label in labels[:20]], labels[:20], CHARSET) is None
    half = [label if index % 2 else "" for index, label in enumerate(labels)]
    assert find_shift(half, labels, CHARSET) is None


def test_positional_accuracy_by_hand() -> None:
    assert positional_accuracy(["ABC", "XY"], ["ABD", "XYZ"]) == 0.8
    assert positional_accuracy(["BC"], ["ABC"]) == 0.0
    assert positional_accuracy([""], ["ABC"]) == 0.0


@pytest.mark.parametrize(
    ("record", "entry"),
    [
        (["x", "cars/labels.csv"], "cars/labels.csv"),
        (["cars"], "cars"),
        (["data\\cars"], "data\\cars"),
        (["/data/cars/labels.csv"], "/data/cars/labels.csv"),
        (["vans/labels.csv", "ars/labels.csv", "cars/other.csv", "data"], None),
        (["synthetic", "labels.csv", ""], None),
    ],
)
def test_label_files_that_a_training_record_names(record: list[str], entry: str | None) -> None:
    assert trained_on(Path("/data/cars/labels.csv"), record) == entry


def test_a_warning_below_chance() -> None:
    labels = random_plates(60)
    guesses = random_plates(60, seed=1)
    assert below_chance(labels, labels, 36) is None
    warning = below_chance([moved(label, -1) for label in labels], labels, 36)
    assert warning is not None
    assert "blind guessing among 36 symbols reaches 2.78%" in warning
    assert below_chance(guesses, labels, 36) is not None
    # Reading nothing is no guess, and a lost first symbol is no fault of the wiring.
    assert below_chance([""] * 60, labels, 36) is None
    assert below_chance([label[1:] for label in labels], labels, 36) is None
    assert below_chance(guesses[:20], labels[:20], 36) is None


# Reports and runs


def test_a_report_by_hand() -> None:
    samples = [
        Sample("AB", "AB", "AB", "ok", "t1"),
        Sample("AX", "AB", "AX", "ok", "t1"),
        Sample("", "CDEF", "", "unreadable", "t2"),
    ]
    report = make_report("x", samples, [VehicleSample("AB", "AB"), VehicleSample("CD", "CDEF")], Settings({}))
    assert report.crops.score == Score(3, 1, 5, 8, 2)
    assert report.crops.exact_interval is not None
    assert report.crops.exact_interval.clusters == 2
    assert report.statuses == {"ok": 2, "unreadable": 1}
    assert report.vehicles is not None
    assert report.vehicles.score == Score(2, 1, 2, 6, 1)
    values = report.to_dict()
    assert values["crops"]["cer"] == 0.625
    assert values["crops"]["exact_match_interval"] == [0.0, 0.5]
    assert make_report("x", samples, [], Settings({})).vehicles is None


def test_uncovered_symbols() -> None:
    counts = uncovered_symbols(["京AA", "京B", "A0"], "ABO", Settings({"0": "O", "O": "O"}))
    assert counts == {"京": 2, "0": 1}  # labels come prepared, so 0 would have been folded
    assert uncovered_symbols(["AO"], "a0", Settings({"0": "O", "O": "O"})) == {}


class ValueReader:
    """Reads a crop's first pixel: value v is the text ``texts[v]``."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts

    def read_many(self, crops: Sequence[npt.NDArray[np.uint8]], nbest: int = 0) -> list[PlateRead]:
        return [self._read(self.texts[int(crop[0, 0])]) for crop in crops]

    def _read(self, text: str) -> PlateRead:
        return PlateRead(text=text, confidence=0.9) if text else PlateRead(status="no_plate")


class Vote:
    def __init__(self, reads: Sequence[PlateRead]) -> None:
        texts = [read.text for read in reads if read.text]
        self.text = max(sorted(set(texts)), key=texts.count, default="")
        self.probability = 0.75


def crops(folder: Path, *values: int) -> list[Path]:
    paths = [folder / f"{index}.png" for index in range(len(values))]
    for path, value in zip(paths, values, strict=True):
        Image.new("L", (20, 8), value).save(path)
    return paths


def test_a_run_scores_votes_and_lists(tmp_path: Path) -> None:
    paths = [*crops(tmp_path, 0, 0, 1, 2, 1, 1), tmp_path / "missing.png"]
    labels = ["AB-1", "AB1", "ab1", "CD0", "CDO", "--", "AB1"]
    tracks = ["car", "car", "car", "two", "two", "", ""]
    rows = [
        LabelRow(path, text, line, track=track)
        for line, (path, text, track) in enumerate(zip(paths, labels, tracks, strict=True), start=2)
    ]
    steps = []
    source = tmp_path / "labels.csv"
    outcome = run_rows(
        ValueReader(["AB1", "XY", ""]), source, rows, Settings({}), Vote, advance=lambda: steps.append(1)
    )
    assert [(s.text, s.label, s.status) for s in outcome.samples] == [
        ("AB1", "AB1", "ok"),
        ("AB1", "AB1", "ok"),
        ("XY", "AB1", "ok"),
        ("", "CD0", "no_plate"),
        ("XY", "CDO", "ok"),
    ]
    assert len({s.cluster for s in outcome.samples}) == 2
    assert outcome.vehicles == [VehicleSample("AB1", "AB1", 0.75)]
    assert outcome.problems == [
        f"{source}, line 7: the text has no letter or digit",
        f"{source}: track 'two' has different texts (lines 5, 6); not voted",
        f"{source}, line 8: {tmp_path / 'missing.png'}: no such file",
    ]
    folded = run_rows(ValueReader(["AB1", "XY", ""]), source, rows, Settings(parse_fold("O0")), Vote)
    assert [vehicle.label for vehicle in folded.vehicles] == ["AB1", "CDO"]


def test_crops_without_a_plate_vote_in_their_track_and_are_counted_apart(tmp_path: Path) -> None:
    rows = [
        LabelRow(path, text, line, track=track)
        for line, (path, text, track) in enumerate(
            zip(
                crops(tmp_path, 0, 1, 1, 2, 1),
                ("A", "", "", "", ""),
                ("v", "v", "v", "none", ""),
                strict=True,
            )
        )
    ]
    outcome = run_rows(ValueReader(["A", "B", ""]), tmp_path, rows, Settings({}), Vote)
    assert [sample.label for sample in outcome.samples] == ["A"]
    assert outcome.negatives == [
        NegativeSample(True, 0.9),
        NegativeSample(True, 0.9),
        NegativeSample(False, 0.0),
        NegativeSample(True, 0.9),
    ]
    assert outcome.vehicles == [VehicleSample("B", "A", 0.75)]
    assert outcome.problems == []
    outcome += outcome
    negatives = [NegativeSample(True, 0.5), *outcome.negatives]
    assert make_report("x", [], [], Settings({}), negatives).negatives == Negatives(9, 7, 6)
    assert make_report("x", outcome.samples, [], Settings({})).negatives is None


def test_without_tracks_equal_texts_are_one_cluster(tmp_path: Path) -> None:
    paths = crops(tmp_path, 0, 0, 0)
    rows = [LabelRow(path, text, 2) for path, text in zip(paths, ("A", "A", "B"), strict=True)]
    outcome = run_rows(ValueReader(["A"]), tmp_path, rows, Settings({}), Vote)
    clusters = [sample.cluster for sample in outcome.samples]
    assert clusters[0] == clusters[1] != clusters[2]
    assert outcome.vehicles == []


def test_a_track_and_a_text_of_the_same_name_are_two_clusters(tmp_path: Path) -> None:
    paths = crops(tmp_path, 0, 0)
    rows = [LabelRow(paths[0], "A", 2, track="A"), LabelRow(paths[1], "A", 3)]
    outcome = run_rows(ValueReader(["A"]), tmp_path, rows, Settings({}), Vote)
    assert len({sample.cluster for sample in outcome.samples}) == 2


@pytest.mark.skipif("LPRFAST_DATA" not in os.environ, reason="LPRFAST_DATA is not set")
def test_every_row_of_the_real_label_files_is_scored() -> None:
    class Same:
        def read_many(self, crops: Sequence[npt.NDArray[np.uint8]], nbest: int = 0) -> list[PlateRead]:
            return [PlateRead(text="A", width=crop.shape[1], height=crop.shape[0]) for crop in crops]

    files = sorted(Path(os.environ["LPRFAST_DATA"]).glob("*/labels.csv"))
    assert files
    for file in files:
        labels = read_labels(file)
        assert labels.bad_rows == ()
        lines = len(file.read_text(encoding="utf-8").splitlines()) - 1
        outcome = run_rows(Same(), file, labels.rows, Settings({}), Vote, width=60)
        assert outcome.problems == []
        assert len(outcome.samples) == len(labels.rows) == lines
        assert len(outcome.vehicles) == len({row.track for row in labels.rows if row.track})
