"""Prints, after the tables of pytest-benchmark, each peer's median time divided by lprfast's in its group."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest

OURS = "lprfast"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    session: Any = getattr(terminalreporter.config, "_benchmarksession", None)
    groups: dict[str, dict[str, float]] = defaultdict(dict)
    for entry in getattr(session, "benchmarks", []):
        if entry.group and entry.stats.data:
            groups[entry.group][entry.name.removeprefix("test_")] = entry.stats.median
    lines = list(ratio_lines(groups))
    if lines:
        terminalreporter.section("ratios: median of the peer / median of lprfast, same run")
        terminalreporter.write_line("\n".join(lines))


def ratio_lines(groups: dict[str, dict[str, float]]) -> Any:
    for group, medians in groups.items():
        ours = {name: value for name, value in medians.items() if OURS in name}
        for name, median in ours.items():
            for peer, value in medians.items():
                if peer not in ours:
                    yield f"{group:<44} {peer:<36} / {name:<28} {value / median:7.2f}"
