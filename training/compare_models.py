"""Two readers on the same labelled crops, crop by crop: ``python training/compare_models.py --help``.

The verdict is the rule by which an int8 model is shipped: of all crops B may read at most 0.3 points fewer
than A, and no folder may lose more than 2 crops.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Runs from a clone without an installation, as a script and as a module.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import click

import lprfast
from lprfast.cli.evaluate import choose_rows, label_files
from lprfast.evaluation import Interval, Sample, Settings, cluster_bootstrap, parse_fold
from lprfast.evaluation.run import Outcome, run_rows

MAX_POINTS = 0.3  # of exact match, pooled
MAX_CROPS = 2  # of one folder


@dataclass(frozen=True)
class Row:
    """One folder, or all pooled: crops that A and B read right, and those that only one of them does."""

    name: str
    n: int
    exact_a: int
    exact_b: int
    gained: int
    lost: int

    @property
    def points(self) -> float:
        """Exact match of B less that of A, in points (1/100)."""
        return 100 * (self.exact_b - self.exact_a) / self.n


@dataclass(frozen=True)
class Comparison:
    """The folders, their pool, and the 95 % interval of its points by paired bootstrap over plate texts."""

    folders: tuple[Row, ...]
    pooled: Row
    interval: Interval | None

    @property
    def objections(self) -> list[str]:
        """Why B may not take the place of A; empty if it may."""
        found = []
        if self.pooled.points < -MAX_POINTS:
            found.append(f"pooled it loses {-self.pooled.points:.2f} points, more than {MAX_POINTS}")
        for row in self.folders:
            if row.exact_a - row.exact_b > MAX_CROPS:
                found.append(f"{row.name} loses {row.exact_a - row.exact_b} crops, more than {MAX_CROPS}")
        return found

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        rows = [{**dataclasses.asdict(row), "points": row.points} for row in (*self.folders, self.pooled)]
        interval = [100 * self.interval.low, 100 * self.interval.high] if self.interval else None
        return {
            "folders": rows[:-1],
            "pooled": {**rows[-1], "points_interval": interval},
            "ship": not self.objections,
            "objections": self.objections,
        }


def compare_samples(
    folders: Sequence[tuple[str, Sequence[Sample], Sequence[Sample]]], settings: Settings
) -> Comparison:
    """Compares the reads of A and B, given for each folder by name, on the same crops in the same order.

    Raises:
        ValueError: there is no crop, or the crops are not the same.
    """
    pairs = [(name, list(zip(a, b, strict=True))) for name, a, b in folders]
    every = [pair for _, chosen in pairs for pair in chosen]
    if not every or any(a.label != b.label for a, b in every):
        raise ValueError("expected the same labelled crops for both models, at least one")
    changes = [(b.text == b.label) - (a.text == a.label) for a, b in every]
    interval = cluster_bootstrap(
        changes,
        [1] * len(every),
        [a.cluster for a, _ in every],
        resamples=settings.resamples,
        seed=settings.seed,
    )
    return Comparison(tuple(_row(name, chosen) for name, chosen in pairs), _row("pooled", every), interval)


def _row(name: str, pairs: Sequence[tuple[Sample, Sample]]) -> Row:
    right = [(a.text == a.label, b.text == b.label) for a, b in pairs]
    return Row(
        name,
        len(right),
        sum(a for a, _ in right),
        sum(b for _, b in right),
        sum(b and not a for a, b in right),
        sum(a and not b for a, b in right),
    )


def compare_files(
    models: Sequence[str],
    inputs: Sequence[str],
    settings: Settings,
    *,
    split: str | None = None,
    width: int | None = None,
    threads: int | None = None,
) -> tuple[Comparison, list[str]]:
    """Reads the label files with both models; also says which rows and images could not be used."""
    readers = [lprfast.PlateReader(model, threads=threads) for model in models]
    folders, problems = [], []
    for labels in label_files(inputs):
        # Without tracks the bootstrap resamples plate texts.
        rows = [dataclasses.replace(row, track="") for row in choose_rows(labels, split)[0]]
        a, b = (_run(reader, labels.path, rows, settings, width) for reader in readers)
        problems += a.problems
        if a.samples:
            name = (
                labels.path.absolute().parent.name if labels.path.name == "labels.csv" else labels.path.name
            )
            folders.append((name, a.samples, b.samples))
    return compare_samples(folders, settings), problems


def _run(
    reader: lprfast.PlateReader, source: Path, rows: Sequence[Any], settings: Settings, width: int | None
) -> Outcome:
    return run_rows(reader, source, rows, settings, lprfast.vote, width=width)


def print_comparison(comparison: Comparison) -> None:
    """A Markdown table and the verdict."""
    print("| labels | n | exact A | exact B | gained | lost | points |")
    print("|---|---|---|---|---|---|---|")
    for row in (*comparison.folders, comparison.pooled):
        rates = f"{row.exact_a / row.n:.4f} | {row.exact_b / row.n:.4f}"
        print(f"| {row.name} | {row.n} | {rates} | {row.gained} | {row.lost} | {row.points:+.2f} |")
    if comparison.interval:
        low, high = 100 * comparison.interval.low, 100 * comparison.interval.high
        texts = comparison.interval.clusters
        print(f"\npooled difference, 95 %: {low:+.2f} to {high:+.2f} points (paired, {texts} plate texts)")
    objections = "; ".join(comparison.objections)
    print(
        f"verdict: B may not take A's place: {objections}" if objections else "verdict: B may take A's place"
    )


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; 0: B may take A's place, 1: it may not, 2: an argument cannot be used."""
    parser = argparse.ArgumentParser(description="Compares two readers on the same labelled crops.")
    parser.add_argument("models", nargs=2, metavar="MODEL", help="A and B: bundled models or ONNX files")
    parser.add_argument("labels", nargs="+", help="label files, or folders that hold a labels.csv")
    parser.add_argument("--fold", default="", help="symbols that count as the same, such as O0,I1")
    parser.add_argument("--split", help="rows to take (default: dev, where rows have it)")
    parser.add_argument("--width", type=int, help="shrink wider crops to this width first")
    parser.add_argument("--threads", type=int, help="worker threads (default: all usable)")
    parser.add_argument("--json", action="store_true", dest="as_json", help="one JSON document")
    given = parser.parse_args(arguments)
    try:
        settings = Settings(parse_fold(given.fold) if given.fold else {})
        options = {"split": given.split, "width": given.width, "threads": given.threads}
        comparison, problems = compare_files(given.models, given.labels, settings, **options)
    except (ValueError, OSError, lprfast.OrtError) as error:
        print(f"compare_models: {error}", file=sys.stderr)
        return 2
    except click.ClickException as error:
        print(f"compare_models: {error.format_message()}", file=sys.stderr)
        return 2
    for problem in problems:
        print(f"failed: {problem}", file=sys.stderr)
    if given.as_json:
        print(json.dumps(comparison.to_dict(), indent=2))
    else:
        print_comparison(comparison)
    return 1 if comparison.objections else 0


if __name__ == "__main__":
    sys.exit(main())
