"""``lprfast eval --report``: one page with the figures, two drawings and the worst errors as pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lprfast.evaluation.bootstrap import Interval
from lprfast.evaluation.charts import reliability_chart, shares_by_width, width_chart
from lprfast.evaluation.confusions import Confusion, align
from lprfast.evaluation.markup import Child, Markup, page, picture, table, tag
from lprfast.evaluation.posteriors import CachedCrop
from lprfast.evaluation.rates import Rates, Settings
from lprfast.evaluation.report import Report

_SHOWN_PAIRS = 20
_SHOWN_SYMBOLS = 40


def worst_errors(crops: Sequence[CachedCrop], settings: Settings, limit: int) -> list[CachedCrop]:
    """The wrong reads, the most confident first; those not read as a plate at all come last.

    A text on a crop without a plate is wrong too. Files that could not be used are left out.

    Args:
        crops: of a run, in any order; of equals the earlier one comes first.
        settings: how texts are compared.
        limit: how many at most, 0 or more.
    """
    wrong = [crop for crop in crops if crop.read.status != "error" and not is_right(crop, settings)]
    return sorted(wrong, key=lambda crop: -crop.read.confidence)[:limit]


def is_right(crop: CachedCrop, settings: Settings) -> bool:
    """Whether a crop was read as its label has it; without a label: whether no text was read."""
    if not crop.label:
        return crop.read.status != "ok"
    return settings.prepare(crop.read.text) == settings.prepare(crop.label)


def eval_page(
    reports: Sequence[Report],
    crops: Sequence[CachedCrop],
    settings: Settings,
    facts: Mapping[str, Any],
    *,
    worst: int = 50,
    notes: Sequence[str] = (),
) -> str:
    """The page as one HTML document that loads nothing: styles, drawings and pictures are in it.

    Args:
        reports: as ``lprfast eval`` makes them; the last one is of all crops.
        crops: what was read; only the worst errors' files are opened again.
        settings: how texts are compared.
        facts: what the figures depend on, name to plain value.
        worst: how many errors are shown, 0 or more.
        notes: sentences to stand at the top, such as warnings.
    """
    pooled = reports[-1]
    shown = reports[:-1] if len(reports) == 2 else reports
    return page(
        "lprfast eval",
        [tag("p", tag("strong", "Warning: "), note) for note in notes],
        tag("h2", "Summary"),
        _summary(shown),
        tag("h2", "Confidence and width"),
        tag("div", _charts(pooled, crops, settings), class_="charts"),
        tag("h2", "Confused characters"),
        confusion_table(pooled.confusion),
        tag("h2", "Worst errors"),
        _errors(crops, settings, worst),
        tag("h2", "What the figures depend on"),
        table(("setting", "value"), [(name, _plain(value)) for name, value in facts.items()]),
    )


def _summary(reports: Sequence[Report]) -> Markup:
    headers = ("labels", "crops", "exact match (95 %)", "CER (95 %)", "votes right (95 %)", "ECE",
               "not read", "read without a plate")  # fmt: skip
    rows = []
    for report in reports:
        votes = report.vehicles
        negatives = report.negatives
        unread = [f"{n} {status}" for status, n in report.statuses.items() if status != "ok"]
        rows.append(
            (
                report.name,
                str(report.crops.score.n),
                _exact(report.crops),
                _rate(report.crops.score.cer, report.crops.cer_interval) if report.crops.score.n else "-",
                f"{votes.score.exact}/{votes.score.n}: {_exact(votes)}" if votes else "-",
                f"{report.confidence.ece:.3f}" if report.confidence else "-",
                ", ".join(unread) or "-",
                f"{negatives.read} of {negatives.n}" if negatives else "-",
            )
        )
    return table(headers, rows, numbers=(1, 5))


def _exact(rates: Rates) -> str:
    return _rate(rates.score.exact_match, rates.exact_interval) if rates.score.n else "-"


def _rate(value: float, interval: Interval | None) -> str:
    return f"{value:.1%} ({interval.low:.1%} - {interval.high:.1%})" if interval else f"{value:.1%} (-)"


def _charts(pooled: Report, crops: Sequence[CachedCrop], settings: Settings) -> list[Markup]:
    labelled = [crop for crop in crops if crop.label and crop.read.width]
    if pooled.confidence is None or not labelled:
        return [tag("p", "No crop with a labelled plate was read.")]
    right = [is_right(crop, settings) for crop in labelled]
    shares = shares_by_width([crop.read.width for crop in labelled], right)
    drawings = (
        ("Share that is right over confidence", reliability_chart(pooled.confidence, pooled.raw_confidence)),
        ("Exact match by width of the crop as read", width_chart(shares)),
    )
    return [tag("figure", tag("figcaption", name), drawing) for name, drawing in drawings]


def confusion_table(confusion: Confusion) -> Markup:
    """The most frequent wrong pairs, and the matrix of their characters; rows are labels."""
    pairs = confusion.worst(_SHOWN_PAIRS)
    if not pairs:
        return tag("p", "None: every character that was read is right.")
    totals: dict[str, int] = {}
    for (label, _), n in confusion.counts.items():
        totals[label] = totals.get(label, 0) + n
    rows = [
        (label or "nothing", read or "nothing", str(n), f"{n / totals[label]:.1%}" if label else "")
        for label, read, n in pairs
    ]
    heads = ("label", "read as", "times", "of the label's characters")
    return Markup(table(heads, rows, numbers=(2, 3)) + _matrix(confusion))


def _matrix(confusion: Confusion) -> Markup:
    worst = confusion.worst(len(confusion.counts))
    rows = _first_symbols([label for label, _, _ in worst])
    columns = _first_symbols([read for _, read, _ in worst])
    most = worst[0][2]
    lines = []
    for label in rows:
        counts = [0 if label == read else confusion.counts.get((label, read), 0) for read in columns]
        cells = [
            tag("td", str(n) if n else "", style=f"background:rgba(214,120,30,{n / most:.2f})" if n else None)
            for n in counts
        ]
        lines.append(tag("tr", tag("th", label or "+"), cells))
    heads = [tag("th", read or "-") for read in columns]
    note = "Wrong characters only: rows are labels, columns what was read; + inserted, - missing."
    matrix = tag("table", tag("tr", tag("th", ""), heads), lines, class_="matrix")
    return Markup(tag("p", note, class_="note") + matrix)


def _first_symbols(symbols: Sequence[str]) -> list[str]:
    """The first different ones, so the most often confused, in order of code points."""
    return sorted(list(dict.fromkeys(symbols))[:_SHOWN_SYMBOLS])


def _errors(crops: Sequence[CachedCrop], settings: Settings, limit: int) -> list[Markup]:
    shown = worst_errors(crops, settings, limit)
    wrong = len(worst_errors(crops, settings, len(crops)))
    text = f"{wrong} of {len(crops)} crops are wrong; the {len(shown)} most confident ones are shown."
    rows: list[tuple[Child, ...]] = [
        (
            picture(crop.path, crop.box),
            tag("span", settings.prepare(crop.label) or "(no plate)", class_="plate"),
            _read(crop, settings),
            f"{crop.read.confidence:.3f}",
            f"{crop.read.width} x {crop.read.height}",
            crop.path,
        )
        for crop in shown
    ]
    heads = ("crop", "label", "read", "confidence", "size", "file")
    return [tag("p", text, class_="note"), *([table(heads, rows, numbers=(3,))] if rows else [])]


def _read(crop: CachedCrop, settings: Settings) -> Markup:
    if crop.read.status != "ok":
        return tag("em", crop.read.status)
    return marked(settings.prepare(crop.label), settings.prepare(crop.read.text))


def marked(label: str, text: str) -> Markup:
    """A text with what differs from the label marked; ``·`` stands for a missing character."""
    parts = [
        read if read == expected else tag("mark", read or "\N{MIDDLE DOT}")
        for expected, read in align(label, text)
    ]
    return tag("span", parts, class_="plate")


def _plain(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {one}" for key, one in value.items()) or "-"
    return "-" if value is None else str(value)
