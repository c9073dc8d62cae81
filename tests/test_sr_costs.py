"""``python -m training.sr.costs``: what it refuses, and what it prints of a network."""

from __future__ import annotations

import re

import pytest

from training.sr import costs

pytestmark = pytest.mark.usefixtures("process_as_it_was")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--scale", "3"], "--scale: expected one of 2, 4, 8, got 3"),
        (["--loss", "foo"], "--loss: expected one of l1, mse, "),
        (["--channels", "2"], "--channels: expected one of 1, 3, got 2"),
        (["--batch", "0"], "--batch: expected a positive finite number, got 0"),
    ],
)
def test_arguments_that_cannot_be_used(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert costs.main(arguments) == 2
    out, err = capsys.readouterr()
    assert err.startswith(f"costs: {message}")
    assert err.count("\n") == 1
    assert out == ""


def test_bicubic_has_no_step(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        costs.main(["--arch", "bicubic"])
    assert ended.value.code == 2
    assert "--arch: invalid choice: 'bicubic'" in capsys.readouterr().err


def test_a_line_for_each_network_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(costs, "SECONDS", 0.0)
    assert costs.main(["--arch", "compact_42k", "--arch", "espcn", "--batch", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    told = [re.match(r"(\w+) +([\d,]+) parameters +(\S+) ms a step +(\S+) steps/s", line) for line in lines]
    assert [(each[1], each[2]) for each in told if each] == [("compact_42k", "41,936"), ("espcn", "24,752")]
    assert all("low (2, 1, 16, 16)" in line for line in lines)  # a patch of 64 large pixels
    for each in told:
        assert each
        assert float(each[3]) == pytest.approx(1000 / float(each[4]), rel=0.01, abs=0.06)  # both are rounded
