"""``lprfast compare-sr --report``: the tables of the comparison and its examples as pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lprfast.evaluation.bootstrap import Interval
from lprfast.evaluation.markup import Markup, page, picture, table, tag
from lprfast.evaluation.page import marked
from lprfast.evaluation.rates import Rates
from lprfast.evaluation.sr_comparison import Cell, Example, PairedTest, character_accuracy

CELL_HEADERS = ("width", "pipeline", "reader", "crops", "exact match (95 %)", "characters (95 %)", "SR ms",
                "read ms", "votes right")  # fmt: skip
TEST_HEADERS = ("reader", "pipelines", "of", "width", "n", "gained", "lost", "difference (95 %)", "p",
                "p (Holm)")  # fmt: skip

Figures = Sequence[tuple[str, str, Sequence[Cell]]]


def cell_rows(figures: Figures) -> list[tuple[str, ...]]:
    """Rows under ``CELL_HEADERS``, bucket by bucket, of (pipeline, reader, cells)."""
    widths = [cell.width for cell in max((cells for _, _, cells in figures), key=len)]
    return [
        (width, pipeline, reader, *_figures(cell))
        for width in widths
        for pipeline, reader, cells in figures
        for cell in cells
        if cell.width == width
    ]


def test_rows(tests: Sequence[PairedTest]) -> list[tuple[str, ...]]:
    """Rows under ``TEST_HEADERS``."""
    return [
        (
            test.reader if test.first_reader == test.reader else f"{test.first_reader} -> {test.reader}",
            f"{test.first} -> {test.second}",
            test.unit,
            test.width,
            str(test.n),
            f"+{test.gained}",
            f"-{test.lost}",
            f"{test.difference:+.1%} {_ends(test.interval, sign='+')}",
            f"{test.p:.3f}",
            f"{test.p_holm:.3f}",
        )
        for test in tests
    ]


def comparison_page(
    figures: Figures,
    tests: Sequence[PairedTest],
    shown: Sequence[Example],
    facts: Mapping[str, Any],
    warnings: Sequence[str] = (),
) -> str:
    """One HTML document that loads nothing: styles and pictures are in it.

    Args:
        figures: pipeline, reader and cells of each run.
        tests: the paired tests.
        shown: the examples.
        facts: what the figures depend on, name to plain value; ``readers`` and ``pipelines`` by their names.
            ``width``, to which crops were shrunk first (None: not at all), holds for the pictures too.
        warnings: sentences to stand at the top.
    """
    note = (
        "Milliseconds of processor time per crop, all threads. Differences: the second pipeline minus the "
        "first, with a bootstrap interval over vehicles; p is McNemar's, which takes crops of one vehicle "
        "for independent."
    )
    return page(
        "lprfast compare-sr",
        [tag("p", tag("strong", "Warning: "), warning) for warning in warnings],
        tag("h2", "By width"),
        table(CELL_HEADERS, cell_rows(figures), numbers=(3, 6, 7)),
        tag("h2", "Paired tests"),
        tag("p", note, class_="note"),
        table(TEST_HEADERS, test_rows(tests), numbers=(4, 5, 6, 8, 9)) if tests else tag("p", "None."),
        tag("h2", "Examples"),
        _examples(figures, shown, facts["width"]),
        tag("h2", "What the figures depend on"),
        table(("setting", "value"), list(_settings(facts))),
    )


def _settings(facts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """A row for each setting; of readers and pipelines one for each of them."""
    for name, value in facts.items():
        if name in ("readers", "pipelines"):
            for of, parts in value.items():
                yield f"{name[:-1]} {of}", ", ".join(f"{key} {part}" for key, part in parts.items()) or "-"
        else:
            yield name, str(value)


def run_names(figures: Figures) -> list[str]:
    """One name per run: the pipeline, and the reader where there are several."""
    readers = {reader for _, reader, _ in figures}
    return [f"{pipeline} / {reader}" if len(readers) > 1 else pipeline for pipeline, reader, _ in figures]


def _examples(figures: Figures, shown: Sequence[Example], width: int | None) -> Markup:
    rows = [
        (
            picture(example.path, example.box, width),
            str(example.width),
            tag("span", example.label, class_="plate"),
            *(marked(example.label, text) if text else tag("em", "-") for text in example.texts),
        )
        for example in shown
    ]
    return table(("crop", "width", "truth", *run_names(figures)), rows, numbers=(1,))


def _figures(cell: Cell) -> tuple[str, ...]:
    crops, votes = cell.crops, cell.vehicles
    return (
        _count(crops, cell.failed),
        f"{crops.score.exact_match:.1%} {_ends(crops.exact_interval)}" if crops else "-",
        _characters(crops) if crops else "-",
        _ms(cell.sr_ms),
        _ms(cell.read_ms),
        f"{votes.score.exact}/{votes.score.n}" if votes else "-",
    )


def _count(crops: Rates | None, failed: int) -> str:
    return f"{crops.score.n if crops else 0}" + (f" ({failed} failed)" if failed else "")


def _characters(crops: Rates) -> str:
    turned = crops.cer_interval and Interval(
        max(0.0, 1 - crops.cer_interval.high),
        max(0.0, 1 - crops.cer_interval.low),
        crops.cer_interval.clusters,
        crops.cer_interval.resamples,
    )
    return f"{character_accuracy(crops):.1%} {_ends(turned)}"


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _ends(interval: Interval | None, sign: str = "") -> str:
    return f"({interval.low:{sign}.1%} - {interval.high:{sign}.1%})" if interval else "(-)"
