"""``lprfast models check``: operators, costs, and where a model can run."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lprfast.cli._columns import print_rows
from lprfast.cli._common import EXIT_FAILED, SCHEMA_VERSION, CannotStart, complain, console

if TYPE_CHECKING:
    from lprfast.onnx_file.check import ModelCheck


def _size_option(context: click.Context, parameter: click.Parameter, value: str) -> tuple[int, int]:
    match = re.fullmatch(r"([1-9][0-9]{0,3})x([1-9][0-9]{0,3})", value)
    if match is None:
        raise click.BadParameter(f"expected HEIGHTxWIDTH in pixels such as 24x80, got {value!r}")
    return int(match[1]), int(match[2])


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option(
    "--size",
    default="24x80",
    show_default=True,
    callback=_size_option,
    metavar="HxW",
    help="Crop to count multiplications for, where the model leaves its size free.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def check(files: tuple[Path, ...], size: tuple[int, int], as_json: bool) -> None:
    """State what a model file is made of and whether it can run in int8 and on small neural processors.

    FILE is an ONNX file, a reader or a super-resolution model, or the name of a bundled one. It is run once,
    on an empty crop.
    """
    from lprfast._core import OrtError
    from lprfast.onnx_file.check import check_model

    found, problems = [], []
    for file in map(_bundled_or_file, files):
        try:
            found.append(check_model(file, size))
        except ValueError as error:  # ModelError is one
            problems.append(str(error))
        except OrtError as error:
            problems.append(f"{file}: {error}")
    complain(problems)
    if not found:
        raise CannotStart("no file could be used; the reasons are listed above")
    if as_json:
        models = [one.to_dict() for one in found]
        document = {"schema_version": SCHEMA_VERSION, "models": models, "failed": problems}
        click.echo(json.dumps(document, indent=2, allow_nan=False))
    else:
        for one in found:
            _print(one)
    if problems:
        sys.exit(EXIT_FAILED)


def _bundled_or_file(given: Path) -> Path:
    from lprfast.models import TASKS, model_names, model_path

    for task in TASKS:
        if str(given) in model_names(task):
            return model_path(str(given), task=task)
    return given


def _print(found: ModelCheck) -> None:
    out = console()
    shape = " x ".join(map(str, found.input_shape))
    out.print(f"{found.path}: task {found.task or 'not stated'}, opset {found.opset}")
    out.print(
        f"{found.parameters:,} parameters; {found.macs / 1e6:.1f} million multiply-accumulates for one crop "
        f"of {shape}"
    )
    if found.contract_error:
        out.print(f"no model for lprfast: {found.contract_error}")
    free = ", ".join(found.free_axes)
    out.print(f"free axes of the input: {free}; an NPU wants them fixed" if free else "input of a fixed size")
    rows = [
        (
            use.name,
            str(use.count),
            f"{use.macs / 1e6:.1f}M" if use.macs else "",
            f"{use.quantised} of {use.count}" if use.quantised else "yes" if use.quantises else "no",
            "yes" if use.edge else "no",
            use.note,
        )
        for use in found.operators
    ]
    headers = ("operator", "nodes", "MACs", "int8", "NPU", "note")
    print_rows(headers, rows, right=("nodes", "MACs"))
    out.print(_int8_words(found))
    out.print(_edge_words(found))
    click.echo()


def _int8_words(found: ModelCheck) -> str:
    if found.has_qdq:
        return f"int8: quantised; {found.quantised_macs:.1%} of the multiplications are between integers"
    if found.not_quantising:
        return f"int8: not quantised; would stay in floating point: {', '.join(found.not_quantising)}"
    return "int8: not quantised; every operator can be"


def _edge_words(found: ModelCheck) -> str:
    if found.not_on_edge:
        return f"NPU: not on the list of what they take: {', '.join(found.not_on_edge)}"
    return "NPU: every operator is on the list (lprfast/onnx_file/edge_operators.py names its sources)"
