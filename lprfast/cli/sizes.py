"""``lprfast sizes``: how wide the crops are, and what that suggests."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from lprfast.cli._columns import print_rows
from lprfast.cli._common import EXIT_FAILED, SCHEMA_VERSION, CannotStart, complain, console, count, progress

if TYPE_CHECKING:
    from lprfast.data.paths import ImageSource

_BAR = 40


@click.command()
@click.argument("inputs", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "--below",
    multiple=True,
    type=click.IntRange(1, 100_000),
    metavar="PX",
    help="Also state the share of crops narrower than this; may be given several times.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def sizes(inputs: tuple[str, ...], below: tuple[int, ...], as_json: bool) -> None:
    """Show how wide the crops are and what that suggests: retraining, the camera, or nothing.

    PATH is an image, a folder (searched with its subfolders), a glob in quotes, or a label file as of
    lprfast eval. Only the files' headers are read. Sizes are those of the upright picture, in pixels; of
    images named as in CCPD, those of the plate.
    """
    from lprfast.data.paths import InputError, expand

    try:
        expanded = expand(inputs)
    except InputError as error:
        raise click.UsageError(str(error)) from None
    found, unreadable = _measure(expanded.sources)
    problems = [*expanded.problems, *unreadable]
    complain(problems)
    if not found:
        raise CannotStart("no image could be opened; the reasons are listed above")
    document = _document(found, below, problems)
    if as_json:
        click.echo(json.dumps(document, indent=2, allow_nan=False))
    else:
        _print(document, [width for width, _ in found])
    if problems:
        sys.exit(EXIT_FAILED)


def _measure(sources: Sequence[ImageSource]) -> tuple[list[tuple[int, int]], list[str]]:
    """Width and height of every image, and a line for each that cannot be opened."""
    from lprfast.data.images import ImageError, image_size

    found, problems = [], []
    with progress("measuring", len(sources)) as step:
        for source in sources:
            try:
                found.append(_plate_size(source, image_size(source.path)))
            except ImageError as error:
                problems.append(str(error))
            step()
    return found, problems


def _plate_size(source: ImageSource, size: tuple[int, int]) -> tuple[int, int]:
    if source.box is None or source.box[2] > size[0] or source.box[3] > size[1]:
        return size  # the image is the crop, or was cut out already
    left, top, right, bottom = source.box
    return right - left, bottom - top


def _document(
    found: Sequence[tuple[int, int]], below: Sequence[int], problems: Sequence[str]
) -> dict[str, Any]:
    from lprfast.evaluation.size_advice import suggestions
    from lprfast.evaluation.sizes import kept_share, share_below, spread, width_buckets

    widths = [width for width, _ in found]
    return {
        "schema_version": SCHEMA_VERSION,
        "n": len(found),
        "buckets": [bucket.to_dict() for bucket in width_buckets(widths)],
        "below": [{"width": width, "share": share_below(widths, width)} for width in below],
        "width": spread(widths).to_dict(),
        "height": spread([height for _, height in found]).to_dict(),
        "aspect": spread([width / height for width, height in found]).to_dict(),
        "kept_accuracy": kept_share(widths),
        "suggestions": [suggestion.to_dict() for suggestion in suggestions(widths)],
        "failed": list(problems),
    }


def _print(document: dict[str, Any], widths: Sequence[int]) -> None:
    rows = [
        (one["name"], str(one["n"]), f"{one['share']:.1%}", f"{one['cumulative']:.1%}")
        for one in document["buckets"]
    ]
    print_rows(("width (px)", "crops", "share", "up to here"), rows, right=("crops", "share", "up to here"))
    click.echo()
    for one in document["below"]:
        click.echo(f"under {one['width']} px: {one['share']:.1%}")
    if document["below"]:
        click.echo()
    _print_histogram(widths)
    _print_spreads(document)
    out = console()
    out.print(f"{count(document['n'], 'crop')}; what the widths suggest:")
    for one in document["suggestions"]:
        out.print(f"* {one['topic']}: {one['advice']}")
        out.print(f"  Why: {one['reason']}.")


def _print_histogram(widths: Sequence[int]) -> None:
    from lprfast.evaluation.sizes import histogram

    bins = histogram(widths)
    most = max(n for _, _, n in bins)
    names = [f"{low}+" if high is None else f"{low}-{high - 1}" for low, high, _ in bins]
    space = max(map(len, names))
    for name, (_, _, n) in zip(names, bins, strict=True):
        # A bin with a crop shows at least one mark.
        click.echo(f"{name:>{space}} |{'#' * -(-n * _BAR // most)}{f' {n}' if n else ''}")
    click.echo()


def _print_spreads(document: dict[str, Any]) -> None:
    names = list(document["width"])
    rows = [
        (title, *(f"{document[key][name]:.{digits}f}" for name in names))
        for key, title, digits in (
            ("width", "width", 0),
            ("height", "height", 0),
            ("aspect", "width / height", 2),
        )
    ]
    print_rows(("", *names), rows, right=names)
    click.echo()
