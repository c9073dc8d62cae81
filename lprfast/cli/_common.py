"""What the commands share. Heavy imports stand inside functions, so that ``lprfast --help`` is quick."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

import click

from lprfast.cli._terminal import output_width, printable

if TYPE_CHECKING:
    from rich.console import Console

    from lprfast.formats import LayoutPrior
    from lprfast.reader import PlateReader
    from lprfast.results import PlateRead, PlateVote
    from lprfast.voting import Rule

SCHEMA_VERSION = 1

EXIT_FAILED = 1

# Below this a progress bar would only flash.
_LONG_WORK = 64

# Wide enough for a line that goes to a file or a pipe.
_PIPE_WIDTH = 160

F = TypeVar("F", bound=Callable[..., Any])


class CannotStart(click.ClickException):
    """Nothing could be done at all: exit code 2."""

    exit_code = 2


def reader_options(command: F) -> F:
    """Adds ``--model``, ``--device`` and ``--threads``, the arguments of :func:`make_reader`."""
    options = (
        click.option(
            "--model", default="default", show_default=True, help="Bundled model or path of an ONNX file."
        ),
        click.option("--device", default="cpu", show_default=True, help="cpu, cuda or cuda:N."),
        click.option("--threads", type=click.IntRange(1, 1024), help="Worker threads [default: all usable]."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def precision_option(command: F) -> F:
    """Adds ``--precision``."""
    choice = click.Choice(["fp32", "int8"])
    return click.option("--precision", type=choice, help="Weights to run [default: what the model has].")(
        command
    )


Layouts: TypeAlias = 'LayoutPrior | Literal["model"] | None'


def layouts_option(command: F) -> F:
    """Adds ``--layouts``; the command gets what ``PlateReader`` takes."""
    return click.option(
        "--layouts",
        callback=_layouts,
        metavar="NAME[,..]",
        help="Plates to expect, softly: world, eu, a country such as ro, a template such as LLLDDDD, or none "
        "[default: what the model names].",
    )(command)


def _layouts(context: click.Context, parameter: click.Parameter, value: str | None) -> Layouts:
    if value in (None, "model"):
        return "model"
    if value == "none":
        return None
    from lprfast.formats import layout_prior

    try:
        return layout_prior(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def sr_options(command: F) -> F:
    """Adds ``--sr`` and ``--sr-below``, as one argument ``sr`` of :func:`make_reader`."""

    @functools.wraps(command)
    def with_sr(*arguments: Any, sr: str | None, sr_below: int | None, **options: Any) -> Any:
        if sr is None and sr_below is not None:
            raise click.UsageError(
                "--sr-below says which crops --sr enlarges: give --sr too, or leave it out"
            )
        return command(*arguments, sr=None if sr is None else (sr, sr_below), **options)

    add: Any = with_sr
    for option in (
        click.option(
            "--sr-below",
            type=click.IntRange(1, 1024),
            metavar="PX",
            help="Crops narrower than this go through --sr [default: 100].",
        ),
        click.option(
            "--sr", metavar="MODEL", help="Super-resolution for narrow crops: bundled model or ONNX file."
        ),
    ):
        add = option(add)
    result: F = add
    return result


def make_reader(
    model: str = "default",
    device: str = "cpu",
    threads: int | None = None,
    precision: Literal["fp32", "int8"] | None = None,
    layouts: Layouts = "model",
    sr: tuple[str, int | None] | None = None,
) -> PlateReader:
    """The reader of every command; ``load_image`` gives BGR, and so the reader is told.

    Args:
        model, device, threads, precision: of the reader.
        sr: a super-resolution model and the width in pixels below which it is used, None as ``PlateReader``.

    Raises:
        CannotStart: the model or the runtime cannot be had; the message says why.
    """
    from lprfast._core import OrtError
    from lprfast.reader import PlateReader

    try:
        file, below = sr or (None, None)
        return PlateReader(
            model,
            device=device,
            threads=threads,
            color="bgr",
            precision=precision,
            layouts=layouts,
            sr=file,
            sr_below=below,
        )
    except (ValueError, OSError, OrtError) as error:  # ModelError is a ValueError
        raise CannotStart(str(error)) from error


def vote_reads(reads: Sequence[PlateRead], rule: Rule = "fused") -> PlateVote:
    """One vehicle's reads to one plate."""
    from lprfast.voting import vote

    return vote(reads, rule)


def complain(problems: Iterable[str]) -> None:
    """Lists what failed, on stderr."""
    for problem in problems:
        click.echo(f"failed: {printable(problem)}", err=True)


def console() -> Console:
    """stdout for sentences, wrapped between words; a pipe is not cut to 80 columns unless COLUMNS says so."""
    from rich.console import Console

    width = output_width() or _PIPE_WIDTH
    return Console(file=sys.stdout, width=width, highlight=False, markup=False, emoji=False)


def share(text: str, value: float) -> str:
    """A confidence or probability for people; blank where there is no text that it could be of."""
    return f"{value:.3f}" if text else ""


def count(number: int, noun: str) -> str:
    """``1 crop``, ``2 crops``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


@contextmanager
def progress(label: str, total: int, *, quiet: bool = False) -> Iterator[Callable[[], None]]:
    """A progress bar on stderr, only on a terminal and for long work; yields the function that steps it."""
    if quiet or total < _LONG_WORK or not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False) as bar:
        task = bar.add_task(label, total=total)
        yield lambda: bar.advance(task)
