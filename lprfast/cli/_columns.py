"""Aligned columns for people. Rows that are too wide go on in a second line; no name is ever broken."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import zip_longest

import click

from lprfast.cli._terminal import output_width, printable

_GAP = "  "


class Columns:
    """Prints rows as they come, so that a long run shows its results at once.

    Where the columns together are wider than the output, the first one, a name, has a line of its own.

    Args:
        headers: one per column; a row may have more cells, which are not aligned.
        widths: of each column's widest cell, as far as known.
        right: headers of the columns that are aligned to the right.
    """

    def __init__(self, headers: Sequence[str], widths: Sequence[int], right: Sequence[str] = ()) -> None:
        self._headers = headers
        self._widths = [max(width, len(header)) for header, width in zip(headers, widths, strict=True)]
        self._right = right
        self._limit = output_width()
        total = sum(self._widths) + len(_GAP) * (len(headers) - 1)
        self._name_alone = self._limit is not None and total > self._limit

    def header(self) -> None:
        """Prints the headers."""
        self.row(self._headers)

    def row(self, cells: Sequence[str]) -> None:
        """Prints one row, on several lines where it must be, broken between cells only."""
        from rich.cells import cell_len

        padded = [
            self._pad(printable(cell), header, width)
            for cell, header, width in zip_longest(
                cells, self._headers[: len(cells)], self._widths[: len(cells)]
            )
        ]
        line, *rest = padded
        for index, cell in enumerate(rest):
            longer = line + _GAP + cell
            too_long = self._limit is not None and cell_len(longer.rstrip()) > self._limit
            if cell.strip() and (too_long or (self._name_alone and index == 0)):
                click.echo(line.rstrip())
                line = _GAP + cell
            else:
                line = longer
        click.echo(line.rstrip())

    def _pad(self, cell: str, header: str | None, width: int | None) -> str:
        from rich.cells import cell_len

        space = " " * ((width or 0) - cell_len(cell))
        return space + cell if header in self._right else cell + space


def print_rows(headers: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[str] = ()) -> None:
    """Prints rows that are all there already, under their headers."""
    from rich.cells import cell_len

    rows = list(rows)
    widths = [
        max((cell_len(printable(row[place])) for row in rows), default=0) for place in range(len(headers))
    ]
    columns = Columns(headers, widths, right)
    columns.header()
    for row in rows:
        columns.row(row)
