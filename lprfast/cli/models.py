"""``lprfast models``: what comes with the package; ``lprfast models check``: what a file is made of."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from lprfast.cli._columns import print_rows
from lprfast.cli._common import EXIT_FAILED, SCHEMA_VERSION, CannotStart, complain, make_reader
from lprfast.cli._model_check import check
from lprfast.cli._terminal import output_width, printable

if TYPE_CHECKING:
    from lprfast.model import ModelContract
    from lprfast.models import Task


@click.group(invoke_without_command=True)
@click.option(
    "--json", "as_json", is_flag=True, help="One JSON document on stdout, with the training records."
)
@click.pass_context
def models(context: click.Context, as_json: bool) -> None:
    """List the bundled models and what their files say of themselves."""
    if context.invoked_subcommand is not None:
        if as_json:
            raise click.UsageError(f"--json stands after {context.invoked_subcommand}")
        return
    infos, problems = bundled_models()
    if as_json:
        document = {"schema_version": SCHEMA_VERSION, "models": infos, "failed": problems}
        click.echo(json.dumps(document, indent=2))
    else:
        _print_models(infos, problems)
    complain(problems)
    if problems:
        sys.exit(EXIT_FAILED)


def _print_models(infos: Sequence[dict[str, Any]], problems: Sequence[str]) -> None:
    if not infos:
        if not problems:
            click.echo("no models are bundled with this installation; --model takes the path of an ONNX file")
        return
    headers = ("model", "precision", "task", "input", "symbols", "calibrated", "parameters", "size")
    print_rows(headers, map(_row, infos), right=("symbols", "parameters", "size"))
    click.echo()
    for info in {(info["task"], info["name"]): info for info in infos}.values():
        _print_words(f"{info['name']}: trained on {_data(info['training'].get('data'))}")
    _print_words("The whole training record: lprfast models --json")


def _data(record: object) -> str:
    """What a training record names as data; the record is free JSON, and so may be anything."""
    if not record:
        return "not recorded"
    return ", ".join(map(str, record)) if isinstance(record, list) else str(record)


def bundled_models() -> tuple[list[dict[str, Any]], list[str]]:
    """One entry per file of the bundled models, readers first; what is run by default before its fp32 twin.

    Returns:
        The entries, and for each file that cannot be used a sentence that names it.
    """
    from lprfast._core import OrtError
    from lprfast.models import TASKS, model_names, model_path

    infos, problems = [], []
    for task in TASKS:
        for name in model_names(task):
            for path in dict.fromkeys([model_path(name, None, task), model_path(name, "fp32", task)]):
                try:
                    infos.append({"name": name, "bytes": path.stat().st_size} | _info(str(path), task))
                except (CannotStart, ValueError, OSError, OrtError) as error:
                    problems.append(f"{name} ({path.name}): {error}")
    return infos, problems


def _info(path: str, task: Task) -> dict[str, Any]:
    if task == "ocr":
        return _reader_info(make_reader(path, threads=1).contract)
    from lprfast.super_resolution import SuperResolver

    contract = SuperResolver(path, threads=1).contract
    return {
        "model_name": contract.name,
        "task": contract.task,
        "precision": contract.precision,
        "scale": contract.scale,
        "channels": contract.channels,
        "training": dict(contract.training),
    }


def _reader_info(contract: ModelContract) -> dict[str, Any]:
    return {
        "model_name": contract.name,
        "task": contract.task,
        "precision": contract.precision,
        "input": [contract.input_channels, contract.input_height, contract.input_width],
        "resize": f"{contract.resize_fit} {contract.resize_kernel}",
        "charset": list(contract.charset),
        "calibration": dict(contract.calibration),
        "vote": dict(contract.vote),
        "training": dict(contract.training),
    }


def _row(info: dict[str, Any]) -> tuple[str, ...]:
    parameters = info["training"].get("parameters")
    of_task = _reader_columns(info) if info["task"] == "ocr" else _sr_columns(info)
    return (
        info["name"],
        info["precision"],
        info["task"],
        *of_task,
        f"{parameters:,}" if isinstance(parameters, int) else "not recorded",
        f"{info['bytes'] / 1e6:.2f} MB",
    )


def _reader_columns(info: dict[str, Any]) -> tuple[str, ...]:
    channels, height, width = info["input"]
    calibrated = "yes" if info["calibration"] else "no"
    return f"{channels} x {height} x {width}", str(len(info["charset"])), calibrated


def _sr_columns(info: dict[str, Any]) -> tuple[str, ...]:
    return f"{info['channels']} x H x W, enlarged {info['scale']} times", "", ""


models.add_command(check)


def _print_words(text: str) -> None:
    width = max(20, output_width() or len(text) + 1)
    lines = textwrap.wrap(
        printable(text), width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )
    click.echo("\n".join(lines))
