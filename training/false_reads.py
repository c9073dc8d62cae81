"""Counts crops without a plate that a model reads as one: ``false_reads.py MODEL --held-out``."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

# Runs from a clone without an installation, as a script and as a module.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import lprfast
from lprfast.evaluation import exact_interval
from training.synth.negative_set import draw_set

_CHUNK = 256


@dataclass(frozen=True)
class FalseReads:
    """Crops and false reads per kind of negative, and some of the texts that were read."""

    crops: Counter[str]
    reads: Counter[str]
    examples: dict[str, list[str]]


def count_false_reads(
    reader: lprfast.PlateReader, crops: Iterable[tuple[lprfast.reader.Crop, str]], threshold: float
) -> FalseReads:
    """Reads crops (uint8 [h, w], kind), none of which shows a legible plate.

    A read counts as false when its status is ``ok`` and its confidence is above ``threshold``, 0-1.
    """
    result = FalseReads(Counter(), Counter(), {})
    batch: list[tuple[lprfast.reader.Crop, str]] = []
    for item in crops:
        batch.append(item)
        if len(batch) == _CHUNK:
            _add(result, reader, batch, threshold)
            batch = []
    _add(result, reader, batch, threshold)
    return result


def _add(
    result: FalseReads,
    reader: lprfast.PlateReader,
    batch: list[tuple[lprfast.reader.Crop, str]],
    threshold: float,
) -> None:
    for (_, kind), read in zip(batch, reader.read_many([crop for crop, _ in batch]), strict=True):
        result.crops[kind] += 1
        if read.status == "ok" and read.confidence > threshold:
            result.reads[kind] += 1
            result.examples.setdefault(kind, []).append(read.text)


def format_table(result: FalseReads, threshold: float) -> str:
    """The counts as text: a line per kind, then the share over all with its 95 % interval."""
    lines = [f"{'kind':15}{'crops':>7}{'over ' + format(threshold, 'g'):>10}  read as"]
    for kind, count in result.crops.items():
        examples = " ".join(result.examples.get(kind, [])[:4])
        lines.append(f"{kind:15}{count:7}{result.reads[kind]:10}  {examples}".rstrip())
    hits, count = result.reads.total(), result.crops.total()
    exact = exact_interval(hits, count)
    lines.append(
        f"{hits} of {count} negatives read as a plate with confidence over {threshold:g}: "
        f"{hits / count:.2%} (95 % Clopper-Pearson {exact.low:.2%} to {exact.high:.2%})"
    )
    return "\n".join(lines)


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="name of a bundled model, or path of an ONNX file")
    parser.add_argument("--count", type=int, default=2000, help="crops to draw (default %(default)s)")
    parser.add_argument("--held-out", action="store_true", help="kinds that training never draws")
    parser.add_argument("--threshold", type=float, default=0.5, metavar="0-1", help="default %(default)s")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, help="worker threads of the reader (default all)")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; 0: measured, 2: an argument cannot be used."""
    given = make_parser().parse_args(arguments)
    try:
        if given.count < 1:
            raise ValueError(f"--count: expected 1 or more, got {given.count}")
        if not 0 <= given.threshold <= 1:
            raise ValueError(f"--threshold: expected 0 to 1, got {given.threshold}")
        reader = lprfast.PlateReader(given.model, threads=given.threads)
        found = count_false_reads(reader, draw_set(given.seed, given.count, given.held_out), given.threshold)
    except (ValueError, lprfast.ModelError, lprfast.OrtError) as error:
        print(f"false_reads: {error}", file=sys.stderr)
        return 2
    print(format_table(found, given.threshold))
    return 0


if __name__ == "__main__":
    sys.exit(main())
