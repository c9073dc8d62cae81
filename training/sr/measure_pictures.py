"""The pictures of ``measure_sr.py``: contrast, heat maps, and crops side by side."""

from __future__ import annotations

from collections.abc import Sequence

from PIL.Image import Image as Picture

from lprfast.evaluation import Settings
from lprfast.evaluation.image_quality import contrast
from training.sr.distortions import MapCell, map_values
from training.sr.drawing import Panel, crop_grid, heat_map, line_chart
from training.sr.intensity import intensity_rows
from training.sr.measures import Contender, Measured, TextReader, enlarged
from training.sr.pairs import Pair

CONTRAST = "contrast, (PSNR - first) / first"
_MAPS = {"exact": ("exact match, {}", ".0%"), "psnr_y": ("PSNR of the luma, dB, mean", ".1f")}


def contrast_chart(measured: Sequence[Measured]) -> Picture:
    """Eq. 20 of arXiv 2501.01483 of the mean PSNR (luma) of each contender against the first one's, in order.

    Such as exports of one run at growing steps, after what they are compared with.

    Raises:
        ValueError: fewer than two have a PSNR.
    """
    lines = {}
    for data in dict.fromkeys(each.data for each in measured):
        values = [each.psnr_y.mean for each in measured if each.data == data and each.psnr_y]
        if len(values) < 2:
            raise ValueError("--contrast: expected two or more pipelines that enlarge")
        found = contrast(values, [values[0]] * len(values))
        lines[data] = [(float(number), float(value)) for number, value in enumerate(found)]
    names = [each.contender.name for each in measured if each.data == measured[0].data and each.psnr_y]
    return line_chart(lines, ", ".join(f"{number} {name}" for number, name in enumerate(names)), CONTRAST)


def map_pictures(cells: Sequence[MapCell], reader: str) -> dict[str, Picture]:
    """Heat maps by measure, a panel for each contender that has it."""
    pictures = {}
    names = list(dict.fromkeys(cell.measured.contender.name for cell in cells))
    for what, (title, form) in _MAPS.items():
        panels = {name: map_values(cells, name, what) for name in names}
        shown = {
            name: rows
            for name, rows in panels.items()
            if any(value is not None for row in rows.values() for _, value in row)
        }
        if shown:
            pictures[what] = heat_map(shown, title.format(reader), form)
    return pictures


def grid(
    contenders: Sequence[Contender], pairs: Sequence[Pair], reader: TextReader, settings: Settings, rows: int
) -> Picture:
    """``rows`` crops spread evenly over the pairs: the small crop, each contender's picture, the original.

    Under each stands what is read of it (green: right), under the original the label too.
    """
    chosen = _spread(pairs, rows)
    ways = [
        Contender("low"),
        *(each for each in contenders if each.enlarge),
        Contender("original", original=True),
    ]
    columns = [_column(each, chosen, reader, settings) for each in ways]
    return crop_grid([each.name for each in ways], list(zip(*columns, strict=True)))


def intensity_grid(contenders: Sequence[Contender], pairs: Sequence[Pair], count: int) -> Picture:
    """``count`` plates spread evenly over the pairs, each as the original and as each contender that enlarges
    has it, over the maps of ``training.sr.intensity``."""
    chosen = _spread(pairs, count)
    ways = [Contender("original", original=True), *(each for each in contenders if each.enlarge)]
    made = [enlarged(each, chosen)[0] for each in ways]
    rows = []
    for pair, *images in zip(chosen, *made, strict=True):
        rows += intensity_rows([pair.low if image is None else image for image in images])
    return crop_grid([each.name for each in ways], rows)


def _spread(pairs: Sequence[Pair], count: int) -> list[Pair]:
    count = min(count, len(pairs))
    return [pairs[number * len(pairs) // count] for number in range(count)]


def _column(
    contender: Contender, pairs: Sequence[Pair], reader: TextReader, settings: Settings
) -> list[Panel]:
    images, _ = enlarged(contender, pairs)
    found = reader.read([pair.low for pair in pairs], images)
    panels = []
    for pair, image, (text, _) in zip(pairs, images, found, strict=True):
        if contender.enlarge and image is None:
            panels.append(Panel(pair.low, "failed", False))
            continue
        right = settings.prepare(text) == settings.prepare(pair.text) if pair.text else None
        shown = f"{text or '-'}  (is {pair.text})" if contender.original and pair.text else text
        panels.append(Panel(pair.low if image is None else image, shown, right))
    return panels
