"""The command line: one small module per command."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from typing import Any

import click

from lprfast.cli._common import EXIT_FAILED, CannotStart
from lprfast.cli.compare_sr import compare_sr
from lprfast.cli.demo import demo
from lprfast.cli.doctor import doctor
from lprfast.cli.evaluate import evaluate
from lprfast.cli.models import models
from lprfast.cli.read import read
from lprfast.cli.sizes import sizes
from lprfast.cli.upscale import upscale
from lprfast.cli.vote import vote


def _print_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        import lprfast

        click.echo(f"lprfast {lprfast.__version__}")
        context.exit()


class Interrupted(click.ClickException):
    """Ctrl-C: exit code 130, as shells have it."""

    exit_code = 130


class _Group(click.Group):
    """Turns what ends a command in the middle into a message: the runtime, a model, Ctrl-C, a full disk."""

    def main(self, *args: Any, **options: Any) -> Any:
        try:
            try:
                return super().main(*args, **options)
            finally:
                # Here a full disk can still be told; at the interpreter's end it could not.
                sys.stdout.flush()
        except OSError as error:
            _forget_output()
            if error.errno != errno.EPIPE:  # whoever read the pipe has seen enough
                where = f"{error.filename}: " if error.filename else "the output cannot be written: "
                click.echo(f"Error: {where}{error.strerror or error}", err=True)
            sys.exit(EXIT_FAILED)

    def invoke(self, ctx: click.Context) -> Any:
        from lprfast._core import ModelError, OrtError

        try:
            return super().invoke(ctx)
        except (ModelError, OrtError) as error:
            raise CannotStart(str(error)) from error
        except KeyboardInterrupt:
            raise Interrupted("interrupted") from None


def _forget_output() -> None:
    # What stdout still holds would fail once more when the interpreter closes it.
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version.",
)
def main() -> None:
    """Read licence plates: crops in, one plate per vehicle out, with a probability.

    Exit codes: 0 all was read, 1 some inputs failed (they are listed), 2 it could not start (wrong path or
    option, nothing found, no usable model or runtime), 130 it was interrupted.
    """
    # A file name or plate that the terminal's encoding lacks must not end a long run.
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


for _command in (demo, read, vote, evaluate, sizes, upscale, compare_sr, models, doctor):
    main.add_command(_command)

__all__ = ["main"]
