"""``lprfast models``: what comes with the package."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING, Any

import click

from lprfast.cli._columns import print_rows
from lprfast.cli._common import SCHEMA_VERSION, make_reader
from lprfast.cli._terminal import output_width, printable

if TYPE_CHECKING:
    from lprfast.model import ModelContract


@click.command()
@click.option(
    "--json", "as_json", is_flag=True, help="One JSON document on stdout, with the training records."
)
def models(as_json: bool) -> None:
    """List the bundled models and what their files say of themselves."""
    infos = bundled_models()
    if as_json:
        click.echo(json.dumps({"schema_version": SCHEMA_VERSION, "models": infos}, indent=2))
        return
    if not infos:
        click.echo("no models are bundled with this installation; --model takes the path of an ONNX file")
        return
    headers = ("model", "precision", "input", "symbols", "parameters", "size", "calibrated")
    print_rows(headers, map(_row, infos), right=("symbols", "parameters", "size"))
    click.echo()
    for info in {info["name"]: info for info in infos}.values():
        data = ", ".join(info["training"].get("data", ["not recorded"]))
        _print_words(f"{info['name']}: trained on {data}")
    _print_words("The whole training record: lprfast models --json")


def bundled_models() -> list[dict[str, Any]]:
    """One entry per file of the bundled models, what is run by default before its fp32 twin."""
    from lprfast.models import model_names, model_path

    infos = []
    for name in model_names():
        for path in dict.fromkeys([model_path(name), model_path(name, "fp32")]):
            contract = make_reader(str(path), threads=1).contract
            infos.append({"name": name, "bytes": path.stat().st_size} | _contract_info(contract))
    return infos


def _contract_info(contract: ModelContract) -> dict[str, Any]:
    return {
        "model_name": contract.name,
        "task": contract.task,
        "precision": contract.precision,
        "input": [contract.input_channels, contract.input_height, contract.input_width],
        "resize": f"{contract.resize_fit} {contract.resize_kernel}",
        "charset": list(contract.charset),
        "calibration": dict(contract.calibration),
        "training": dict(contract.training),
    }


def _row(info: dict[str, Any]) -> tuple[str, ...]:
    channels, height, width = info["input"]
    parameters = info["training"].get("parameters")
    return (
        info["name"],
        info["precision"],
        f"{channels} x {height} x {width}",
        str(len(info["charset"])),
        f"{parameters:,}" if isinstance(parameters, int) else "not recorded",
        f"{info['bytes'] / 1e6:.2f} MB",
        "yes" if info["calibration"] else "no",
    )


def _print_words(text: str) -> None:
    width = max(20, output_width() or len(text) + 1)
    lines = textwrap.wrap(
        printable(text), width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )
    click.echo("\n".join(lines))
