"""Whether enlarging crops helps a reader: rates per width, paired tests, and examples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from lprfast.data.label_rows import Box
from lprfast.evaluation.bootstrap import Interval
from lprfast.evaluation.breakdown import crop_rates, vehicle_rates
from lprfast.evaluation.paired import difference_interval, holm, mcnemar
from lprfast.evaluation.rates import Rates, Settings
from lprfast.evaluation.run import Outcome
from lprfast.evaluation.samples import Sample, VehicleSample
from lprfast.evaluation.sr_pipelines import BUCKETS, Spent, bucket

ALL = "all"


@dataclass(frozen=True, slots=True)
class Run:
    """One reader behind one pipeline, over all label files.

    Attributes:
        pipeline, reader: their names.
        outcome: what was read; the crops of every run are the same, in the same order.
        spent: times per width bucket.
    """

    pipeline: str
    reader: str
    outcome: Outcome
    spent: dict[str, Spent]


@dataclass(frozen=True, slots=True)
class Cell:
    """The figures of one run in one width bucket, or of all widths.

    Attributes:
        width: a name of ``BUCKETS``, or ``all``.
        crops: rates over crops; None without any.
        failed: of these, crops that could not be enlarged or read; they count as wrong.
        vehicles: rates over votes, a vehicle being in the bucket of its widest crop; None without any.
        sr_ms, read_ms: milliseconds of processor time per crop, all threads; None without crops.
    """

    width: str
    crops: Rates | None
    failed: int
    vehicles: Rates | None
    sr_ms: float | None
    read_ms: float | None

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "width": self.width,
            "crops": self.crops.to_dict() if self.crops else None,
            "failed": self.failed,
            "vehicles": self.vehicles.to_dict() if self.vehicles else None,
            "character_accuracy": character_accuracy(self.crops) if self.crops else None,
            "sr_ms": self.sr_ms,
            "read_ms": self.read_ms,
        }


@dataclass(frozen=True, slots=True)
class PairedTest:
    """A pipeline against the first one of its reader, or a reader's against the first reader's first one.

    Attributes:
        reader: of the second pipeline.
        first_reader: of the first one; another one where readers are compared.
        first, second: names of the pipelines.
        unit: ``crops`` or ``vehicles``.
        width: as of ``Cell``.
        n: items.
        gained, lost: items that only the second pipeline, or only the first, has right.
        difference: of the exact match, second minus first, -1 to 1.
        interval: of the difference, 95 % over vehicles (``difference_interval``); None for a single one.
        p: McNemar's exact two-sided p-value. Crops of one vehicle are not independent, which it does not
            know: with tracks believe the interval, or the vehicles.
        p_holm: corrected for all tests of the comparison.
    """

    reader: str
    first_reader: str
    first: str
    second: str
    unit: str
    width: str
    n: int
    gained: int
    lost: int
    difference: float
    interval: Interval | None
    p: float
    p_holm: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values; the interval as [low, high] or null."""
        values = asdict(self)
        values["interval"] = [self.interval.low, self.interval.high] if self.interval else None
        return values


@dataclass(frozen=True, slots=True)
class Example:
    """One crop and what every run made of it: texts in the order of the runs, prepared."""

    path: Path
    box: Box | None
    width: int
    label: str
    texts: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {"path": str(self.path), "width": self.width, "label": self.label, "texts": list(self.texts)}


def character_accuracy(rates: Rates) -> float:
    """``max(0, 1 - CER)``."""
    return max(0.0, 1.0 - rates.score.cer)


def cells(run: Run, settings: Settings) -> list[Cell]:
    """One cell for each bucket that holds a crop or a vehicle, and one of all."""
    samples: dict[str, list[Sample]] = {}
    vehicles: dict[str, list[VehicleSample]] = {}
    for sample in run.outcome.samples:
        samples.setdefault(bucket(sample.traits.width), []).append(sample)
    for vehicle in run.outcome.vehicles:
        vehicles.setdefault(bucket(vehicle.traits.width), []).append(vehicle)
    found = [
        _cell(name, samples.get(name, ()), vehicles.get(name, ()), run.spent[name], settings)
        for name in BUCKETS
        if name in samples or name in vehicles
    ]
    total = sum(run.spent.values(), Spent())
    return [*found, _cell(ALL, run.outcome.samples, run.outcome.vehicles, total, settings)]


def _cell(
    name: str, samples: Sequence[Sample], vehicles: Sequence[VehicleSample], spent: Spent, settings: Settings
) -> Cell:
    return Cell(
        name,
        crop_rates(samples, settings),
        sum(sample.status == "error" for sample in samples),
        vehicle_rates(vehicles, settings),
        spent.ms(spent.enlarging),
        spent.ms(spent.reading),
    )


def paired_tests(runs: Sequence[Run], settings: Settings) -> list[PairedTest]:
    """Each pipeline against the first one of its reader: over all crops, per width, and over vehicles.

    With several readers, each run of another reader stands against the first run too: so a reader behind
    super-resolution can be told from one that needs none.

    Raises:
        ValueError: the runs are not of the same crops.
    """
    tests: list[PairedTest] = []
    for reader in dict.fromkeys(run.reader for run in runs):
        first, *others = (run for run in runs if run.reader == reader)
        for other in others:
            tests += _tests(first, other, settings)
    for run in runs:
        if run.reader != runs[0].reader:
            tests += _tests(runs[0], run, settings)
    corrected = holm([test.p for test in tests])
    return [replace(test, p_holm=p) for test, p in zip(tests, corrected, strict=True)]


def _tests(first: Run, second: Run, settings: Settings) -> list[PairedTest]:
    crops = list(zip(first.outcome.samples, second.outcome.samples, strict=True))
    if any((a.label, a.cluster) != (b.label, b.cluster) for a, b in crops):
        raise ValueError("runs: expected the same crops in the same order in each")
    groups = [(ALL, crops)]
    for name in BUCKETS:
        members = [pair for pair in crops if bucket(pair[0].traits.width) == name]
        if members and len(members) < len(crops):
            groups.append((name, members))
    tests = [
        _test(first, second, ("crops", name), pairs, [a.cluster for a, _ in pairs], settings)
        for name, pairs in groups
        if pairs
    ]
    votes = list(zip(first.outcome.vehicles, second.outcome.vehicles, strict=True))
    if any(a.label != b.label for a, b in votes):
        raise ValueError("runs: expected the same vehicles in the same order in each")
    if votes:
        tests.append(_test(first, second, ("vehicles", ALL), votes, range(len(votes)), settings))
    return tests


def _test(
    first: Run,
    second: Run,
    what: tuple[str, str],
    pairs: Sequence[tuple[Sample, Sample]] | Sequence[tuple[VehicleSample, VehicleSample]],
    clusters: Sequence[Any],
    settings: Settings,
) -> PairedTest:
    before = [a.text == a.label for a, _ in pairs]
    after = [b.text == b.label for _, b in pairs]
    changes = [int(b) - int(a) for a, b in zip(before, after, strict=True)]
    interval = difference_interval(changes, clusters, resamples=settings.resamples, seed=settings.seed)
    p = mcnemar(before, after)
    names = (second.reader, first.reader, first.pipeline, second.pipeline, *what)
    counts = (len(changes), changes.count(1), changes.count(-1))
    return PairedTest(*names, *counts, sum(changes) / len(changes), interval, p, p)


def examples(places: Sequence[tuple[Path, Box | None]], runs: Sequence[Run], limit: int) -> list[Example]:
    """Crops to look at, by width, the narrow ones first.

    Those where the runs differ in being right are chosen before others. Of either, one of each cluster
    (vehicle, else text) comes before a second of any, those that differ counted with the others; then a
    narrow one before a wider one, and the earlier of equals.

    Args:
        places: file and box of each crop, as the runs read them.
        runs: at least one.
        limit: how many at most, 0 or more.

    Raises:
        ValueError: the places and the runs are not of equally many crops.
    """
    crops = list(zip(places, _side_by_side(runs), strict=True))
    crops.sort(key=lambda crop: (_agree(crop[1]), crop[1][0].traits.width))
    turns = _turns(samples[0].cluster for _, samples in crops)
    # Sorting is stable: within a turn the narrow ones stay in front.
    chosen = sorted(zip(turns, crops, strict=True), key=lambda pair: (_agree(pair[1][1]), pair[0]))
    shown = [_example(path, box, samples) for _, ((path, box), samples) in chosen[:limit]]
    return sorted(shown, key=lambda one: one.width)


def _side_by_side(runs: Sequence[Run]) -> list[tuple[Sample, ...]]:
    return list(zip(*(run.outcome.samples for run in runs), strict=True))


def _agree(samples: Sequence[Sample]) -> bool:
    """Whether all have one crop right, or all have it wrong."""
    return len({sample.text == sample.label for sample in samples}) == 1


def _turns(clusters: Iterable[Hashable]) -> Iterator[int]:
    """For each item how many of its cluster stand before it."""
    seen: Counter[Hashable] = Counter()
    for cluster in clusters:
        yield seen[cluster]
        seen[cluster] += 1


def _example(path: Path, box: Box | None, samples: Sequence[Sample]) -> Example:
    first = samples[0]
    return Example(path, box, first.traits.width, first.label, tuple(sample.text for sample in samples))
