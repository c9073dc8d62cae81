"""The command line: one small module per command."""

from __future__ import annotations

import sys
from typing import Any

import click

from lprfast.cli._common import CannotStart
from lprfast.cli.demo import demo
from lprfast.cli.doctor import doctor
from lprfast.cli.evaluate import evaluate
from lprfast.cli.models import models
from lprfast.cli.read import read


def _print_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        import lprfast

        click.echo(f"lprfast {lprfast.__version__}")
        context.exit()


class _Group(click.Group):
    """Turns a runtime that fails in the middle into a message."""

    def invoke(self, ctx: click.Context) -> Any:
        from lprfast._core import OrtError

        try:
            return super().invoke(ctx)
        except OrtError as error:
            raise CannotStart(str(error)) from error


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
    option, nothing found, no usable model or runtime).
    """
    # A file name or plate that the terminal's encoding lacks must not end a long run.
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


for _command in (demo, read, evaluate, models, doctor):
    main.add_command(_command)

__all__ = ["main"]
