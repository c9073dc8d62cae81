"""``lprfast eval`` on label files of other projects, by groups, and its guard over the whole run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from PIL import Image
from toy_model import CHARSET, crop_of_text, model_bytes

from lprfast.cli import main


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("model") / "toy.onnx"
    path.write_bytes(model_bytes())
    return str(path)


def run(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(main, ["eval", *map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def evaluated(*arguments: str | Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(run(*arguments, "--json", "--resamples", "20").stdout)
    return document


def save_crop(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(crop_of_text(text)).save(path)


def test_tracks_with_their_halves(tmp_path: Path, model: str) -> None:
    for track, (low, high) in {"a": ("AB13", "AB12"), "b": ("CD34", "CD34")}.items():
        save_crop(tmp_path / track / "lr-001.png", low)
        save_crop(tmp_path / track / "hr-001.png", high)
        values = {"plate_text": "AB12" if track == "a" else "CD34", "plate_layout": f"layout {track}"}
        (tmp_path / track / "annotations.json").write_text(json.dumps(values), encoding="utf-8")
    save_crop(tmp_path / "c" / "lr-001.png", "EF56")
    document = evaluated(tmp_path, "--model", model)
    assert document["pooled"]["crops"]["n"] == 4
    assert document["pooled"]["vehicles"]["n"] == 2
    assert "no text: expected annotations.json" in document["failed"][0]
    low = evaluated(tmp_path, "--model", model, "--split", "lr")["pooled"]
    assert (low["crops"]["n"], low["crops"]["exact"], low["crops"]["within_one"]) == (2, 1, 2)
    assert [(g["name"], g["crops"]["exact"], g["vehicles"]["exact"]) for g in low["by"]["type"]] == [
        ("layout a", 0, 0),
        ("layout b", 1, 1),
    ]
    assert [group["name"] for group in low["by"]["lines"]] == ["one"]


def test_paddle_lines_and_groups_on_request(tmp_path: Path, model: str) -> None:
    save_crop(tmp_path / "1.png", "AB12")
    (tmp_path / "rec_gt.txt").write_text("1.png\tAB12\n", encoding="utf-8")
    width = crop_of_text("AB12").shape[1]
    assert width >= 100
    plain = run(tmp_path / "rec_gt.txt", "--model", model, "--resamples", "20")
    grouped = run(tmp_path / "rec_gt.txt", "--model", model, "--by", "width", "--by", "region")
    assert (plain.exit_code, grouped.exit_code) == (0, 0)
    assert "100+" not in plain.stdout
    assert "100+" in grouped.stdout
    assert "unknown" in grouped.stdout
    wrong = run(tmp_path / "rec_gt.txt", "--by", "color")
    assert wrong.exit_code == 2
    assert "'width', 'region', 'type', 'lines'" in wrong.stderr


def test_no_usable_row_names_the_first_bad_one(tmp_path: Path, model: str) -> None:
    save_crop(tmp_path / "lr-1.png", "AB12")
    result = run(tmp_path, "--model", model)
    assert result.exit_code == 2
    assert "first bad row: line 1" in " ".join(result.stderr.split())


def test_chance_is_judged_over_the_whole_run(tmp_path: Path, model: str) -> None:
    # 17 places: no shift of 1 to 3, and no character right.
    for name, places in (("right", 0), ("wrong", 17)):
        lines = ["path,text"]
        for index in range(40):
            symbols = [(index * 7 + place * 5) % 36 for place in range(6)]
            save_crop(tmp_path / name / f"{index}.png", "".join(CHARSET[symbol] for symbol in symbols))
            label = "".join(CHARSET[(symbol + places) % 36] for symbol in symbols)
            lines.append(f"{index}.png,{label}")
        (tmp_path / name / "labels.csv").write_text("\n".join(lines), encoding="utf-8")
    assert evaluated(tmp_path, "--model", model)["warnings"] == []
    (warning,) = evaluated(tmp_path / "wrong", "--model", model)["warnings"]
    assert "blind guessing among 36 symbols reaches 2.78%" in warning
