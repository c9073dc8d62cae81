"""``lprfast doctor``: what is installed, what runs, what is broken and what to do."""

from __future__ import annotations

import dataclasses
import json
import sys
from typing import TYPE_CHECKING

import click

from lprfast.cli._common import EXIT_FAILED, SCHEMA_VERSION, console, reader_options
from lprfast.cli._terminal import printable

if TYPE_CHECKING:
    from lprfast.cli._checks import Finding


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@reader_options
def doctor(as_json: bool, model: str, device: str, threads: int | None) -> None:
    """Check the installation. The exit code is 1 when something is broken."""
    from lprfast.cli import _checks

    findings = [
        *_checks.version_findings(),
        *_checks.runtime_findings(),
        *_checks.processor_findings(),
        *_checks.variable_findings(),
        *_checks.reading_findings(model, device, threads),
    ]
    broken = [finding for finding in findings if finding.broken]
    if as_json:
        values = [dataclasses.asdict(finding) for finding in findings]
        document = {"schema_version": SCHEMA_VERSION, "ok": not broken, "findings": values}
        click.echo(json.dumps(document, indent=2))
    else:
        _print(findings)
    if broken:
        sys.exit(EXIT_FAILED)


def _print(findings: list[Finding]) -> None:
    from rich.text import Text

    out = console()
    width = max(len(finding.name) for finding in findings)
    for finding in findings:
        mark = "BROKEN " if finding.broken else ""
        line = Text(f"{finding.name:<{width}}  {mark}{printable(finding.value)}")
        out.print(line, style="red" if finding.broken else None, soft_wrap=True)
        if finding.advice:
            out.print(f"{'':<{width}}  -> {printable(finding.advice)}", soft_wrap=True)
    count = sum(finding.broken for finding in findings)
    out.print("all is well" if not count else f"{count} broken: see the lines marked BROKEN")
