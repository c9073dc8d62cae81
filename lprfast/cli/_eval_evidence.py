"""What ``lprfast eval`` keeps of every crop for ``--save-posteriors`` and ``--report``."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lprfast.cli._common import F
from lprfast.cli._eval_output import check_folder, write_whole

if TYPE_CHECKING:
    from lprfast.data.labels import LabelRow
    from lprfast.data.reading import FileRead
    from lprfast.evaluation import Report, Settings
    from lprfast.evaluation.posteriors import CachedCrop

_FILE = click.Path(path_type=Path, dir_okay=False)


class Evidence:
    """The crops of a run, where one of the two files is wanted, and nothing otherwise.

    Args:
        posteriors: the file for reads, or None.
        report: the HTML file, or None.
        worst: errors shown there.
    """

    def __init__(self, posteriors: Path | None, report: Path | None, worst: int) -> None:
        self._posteriors = posteriors
        self._report = report
        self._worst = worst
        self._crops: list[CachedCrop] = []

    def check(self) -> None:
        """Before anything is read: UsageError where a file's folder is missing."""
        check_folder(self._posteriors)
        check_folder(self._report)

    def observe(self, source: Path) -> Callable[[LabelRow, FileRead], None]:
        """What to call after each row of a label file."""
        if self._posteriors is None and self._report is None:
            return lambda row, file: None
        return functools.partial(self._keep, source)

    def _keep(self, source: Path, row: LabelRow, file: FileRead) -> None:
        from lprfast.evaluation.posteriors import CachedCrop

        read = file.read
        if self._posteriors is None:  # the page needs no more than the figures
            read = dataclasses.replace(read, log_posteriors=None, signature=None)
        # Label files may come to state a time and the plate's place in the image.
        time, box = getattr(row, "time", None), getattr(row, "box", None)
        self._crops.append(CachedCrop(read, row.text, str(source), str(row.path), row.track, time, box))

    def write(
        self, reports: Sequence[Report], settings: Settings, facts: dict[str, Any], warnings: Sequence[str]
    ) -> list[str]:
        """Writes the files; what could not be written, each with its path and why."""
        from lprfast.evaluation.page import eval_page
        from lprfast.evaluation.posteriors import CachedReads, save_posteriors

        problems = []
        if self._posteriors is not None:
            try:
                save_posteriors(self._posteriors, CachedReads(tuple(self._crops), settings, facts))
            except OSError as error:
                problems.append(f"{self._posteriors}: cannot be written: {error.strerror or error}")
        if self._report is not None:
            text = eval_page(reports, self._crops, settings, facts, worst=self._worst, notes=warnings)
            problems += write_whole(self._report, text.encode("utf-8"))
        return problems


def evidence_options(command: F) -> F:
    """Adds ``--save-posteriors``, ``--report`` and ``--worst``; the command gets ``evidence``."""

    @functools.wraps(command)
    def with_evidence(
        *arguments: Any, save_posteriors: Path | None, report: Path | None, worst: int, **options: Any
    ) -> Any:
        return command(*arguments, evidence=Evidence(save_posteriors, report, worst), **options)

    add: Any = with_evidence
    for option in (
        click.option(
            "--worst",
            type=click.IntRange(0, 10_000),
            default=50,
            show_default=True,
            help="Errors shown on the page of --report.",
        ),
        click.option(
            "--report",
            type=_FILE,
            help="Write the figures, drawings and the worst errors' crops here, one HTML page.",
        ),
        click.option(
            "--save-posteriors",
            type=_FILE,
            help="Write every read with its posteriors here (.npz), to compare rules of voting on them.",
        ),
    ):
        add = option(add)
    result: F = add
    return result
