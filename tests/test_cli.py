"""The command line, on the toy model and made-up label files; real processes where it matters."""

from __future__ import annotations

import csv
import importlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image
from toy_model import CHARSET, crop_of_text, metadata_with, model_bytes

from lprfast import ModelError, OrtError
from lprfast.cli import main
from lprfast.cli._common import printable

demo_module = importlib.import_module("lprfast.cli.demo")  # the package's own name is the command


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("model") / "toy.onnx"
    path.write_bytes(model_bytes())
    return str(path)


def run(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def process(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from lprfast.cli import main; main()", *map(str, arguments)],
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, **environment},
        timeout=120,
        check=False,
    )


def save_crop(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(crop_of_text(text)).save(path)
    return path


def label_file(folder: Path, rows: Sequence[Sequence[str]], header: str = "path,text") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "labels.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(header + "\n")
        csv.writer(file).writerows(rows)
    return path


# The whole program


def test_help_lists_the_commands_and_exit_codes() -> None:
    result = run("--help")
    assert result.exit_code == 0
    for word in ("demo", "read", "eval", "models", "doctor", "Exit codes"):
        assert word in result.stdout


@pytest.mark.parametrize("command", ["demo", "read", "eval", "models", "doctor"])
def test_every_command_has_help(command: str) -> None:
    result = run(command, "--help")
    assert result.exit_code == 0
    assert result.stdout.startswith("Usage: ")


def test_version() -> None:
    import lprfast

    assert run("--version").stdout == f"lprfast {lprfast.__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [("read", "--no-such-option"), ("no-such-command",), ("read",), ("eval",), ("eval", "x", "--width", "0")],
)
def test_wrong_usage_is_exit_code_2(arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert "Usage: " in result.stderr
    assert result.stdout == ""


def test_a_wrong_model_or_device_is_named(tmp_path: Path, model: str) -> None:
    crop = save_crop(tmp_path / "a.png", "A1")
    (tmp_path / "text.onnx").write_text("no model", encoding="utf-8")
    for options, word in (
        (("--model", tmp_path / "none.onnx"), "none.onnx"),
        (("--model", tmp_path / "text.onnx"), "text.onnx"),
        (("--model", "no-such-name"), "no-such-name"),
        (("--model", model, "--device", "abacus"), "abacus"),
    ):
        result = run("read", crop, *options)
        assert result.exit_code == 2, result.output
        assert word in result.stderr
        assert result.stdout == ""


def test_printable_escapes_what_a_terminal_would_obey() -> None:
    assert printable("a\x1b[2Jb\nc") == "a\\x1b[2Jb\\nc"
    assert printable("ü 京 [1] 'x'") == "ü 京 [1] 'x'"
    assert printable(os.fsdecode(b"bad\xff")) == "bad\\udcff"
    assert printable("right\u202eleft") == "right\\u202eleft"


# read


def test_read_table(tmp_path: Path, model: str) -> None:
    save_crop(tmp_path / "car 2" / "b[1].png", "AB12")
    save_crop(tmp_path / "car 10" / "ü.png", "XY99")
    Image.fromarray(np.zeros((32, 128), dtype=np.uint8)).save(tmp_path / "none.png")
    result = run("read", tmp_path, "--model", model)
    assert result.exit_code == 0
    lines = [line.split() for line in result.stdout.splitlines()]
    assert lines[0] == ["crop", "size", "read", "confidence", "status"]
    assert lines[1][-2:] == ["128x32", "no_plate"]
    assert lines[2][-4:] == ["128x32", "AB12", "1.000", "ok"]
    assert lines[3][-4:] == ["128x32", "XY99", "1.000", "ok"]
    assert "b[1].png" in result.stdout
    assert result.stderr == "3 crops: 1 no_plate, 2 ok\n"


def test_read_json_is_one_document_and_nothing_else(tmp_path: Path, model: str) -> None:
    paths = [save_crop(tmp_path / f"{text}.png", text) for text in ("AB12", "XY99")]
    (tmp_path / "empty.png").touch()
    result = run("read", *paths, tmp_path / "empty.png", "--json", "--nbest", "2", "--model", model)
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert set(document) == {"schema_version", "reads"}
    assert document["schema_version"] == 1
    first, second, bad = document["reads"]
    assert (first["path"], first["text"], first["status"], first["width"]) == (
        str(paths[0]),
        "AB12",
        "ok",
        128,
    )
    assert len(first["char_confidences"]) == 4
    assert first["alternatives"][0]["text"] == "AB12"
    assert "log_posteriors" not in first
    assert second["text"] == "XY99"
    assert (bad["text"], bad["confidence"], bad["status"]) == ("", 0.0, "error")
    assert bad["error"] == "the file is empty (0 bytes)"
    assert result.stderr == f"failed: {tmp_path / 'empty.png'}: the file is empty (0 bytes)\n"


def test_read_csv(tmp_path: Path, model: str) -> None:
    good = save_crop(tmp_path / 'a, "b".png', "AB12")
    bad = tmp_path / "bad.png"
    bad.write_text("no image", encoding="utf-8")
    result = run("read", good, bad, "--csv", "--model", model)
    assert result.exit_code == 1
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [(row["path"], row["text"], row["status"]) for row in rows] == [
        (str(good), "AB12", "ok"),
        (str(bad), "", "error"),
    ]
    assert float(rows[0]["confidence"]) > 0.999
    assert len(rows[0]["char_confidences"].split()) == 4
    assert rows[1]["error"].startswith("not an image")
    assert [row["alternatives"] for row in rows] == ["", ""]


def test_read_csv_holds_the_alternatives(tmp_path: Path, model: str) -> None:
    crop = save_crop(tmp_path / "a.png", "AB12")
    row = next(
        csv.DictReader(io.StringIO(run("read", crop, "--csv", "--nbest", "3", "--model", model).stdout))
    )
    found = [other.rsplit(":", 1) for other in row["alternatives"].split(" ")]
    (read,) = json.loads(run("read", crop, "--json", "--nbest", "3", "--model", model).stdout)["reads"]
    assert found == [[other["text"], f"{other['probability']:.6f}"] for other in read["alternatives"]]
    assert found[0][0] == "AB12"


def test_read_votes_per_folder(tmp_path: Path, model: str) -> None:
    for index, text in enumerate(("AB12", "AB12", "AB1Z")):
        save_crop(tmp_path / "one" / f"{index}.png", text)
    save_crop(tmp_path / "one" / "inner" / "0.png", "XY99")
    (tmp_path / "one" / "9.png").touch()
    result = run("read", tmp_path, "--track-per-folder", "--json", "--model", model)
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    one, inner = document["tracks"]
    assert (one["track"], one["text"], one["status"]) == (str(tmp_path / "one"), "AB12", "ok")
    assert one["paths"] == [str(tmp_path / "one" / f"{index}.png") for index in (0, 1, 2, 9)]
    assert len(one["contributions"]) == 4
    assert (inner["track"], inner["text"]) == (str(tmp_path / "one" / "inner"), "XY99")
    assert [read["track"] for read in document["reads"]] == [str(tmp_path / "one")] * 4 + [inner["track"]]
    rows = list(
        csv.reader(io.StringIO(run("read", tmp_path, "--track-per-folder", "--csv", "--model", model).stdout))
    )
    assert rows[0] == ["track", "text", "probability", "status", "crops", "pattern", "second_plate"]
    assert [(row[1], row[4]) for row in rows[1:]] == [("AB12", "4"), ("XY99", "1")]
    table = run("read", tmp_path, "--track-per-folder", "--model", model).stdout.splitlines()
    assert table[0].split() == ["track", "text", "pattern", "probability", "status", "crops"]
    assert table[1].split()[-5:-3] == ["AB12", one["pattern"]]


def test_read_best_first_per_folder(tmp_path: Path, model: str) -> None:
    for index in range(6):
        crop = np.roll(crop_of_text("AB12"), 8 * index, axis=1)
        (tmp_path / "one").mkdir(exist_ok=True)
        Image.fromarray(crop).save(tmp_path / "one" / f"{index}.png")
    (tmp_path / "one" / "9.png").touch()
    command = ("read", tmp_path, "--track-per-folder", "--model", model)
    result = run(*command, "--stop-at", "0.9", "--json")
    assert result.exit_code == 1
    assert f"failed: {tmp_path / 'one' / '9.png'}: " in result.stderr
    document = json.loads(result.stdout)
    (track,) = document["tracks"]
    assert track["text"] == "AB12"
    assert [Path(path).name for path in track["paths"]] == [f"{n}.png" for n in (0, 1, 2, 3, 4, 5, 9)]
    reasons = [contribution["reason"] or "" for contribution in track["contributions"]]
    assert sum(reason.startswith("not read") for reason in reasons) == 5
    assert [read["status"] for read in document["reads"]] == ["ok", "ok", "error"]
    rows = run(*command, "--stop-at", "0.9", "--csv").stdout.splitlines()
    assert rows[1].endswith(",ok,3,AB12,")
    # The toy names no probability: all is read.
    assert run(*command, "--stop-at", "model", "--csv").stdout == run(*command, "--csv").stdout
    table = run(*command, "--stop-at", "0.9")
    assert "7 crops: 1 error, 4 not read, 2 ok" in table.stderr


def test_read_best_first_holds_no_more_crops_than_it_says(
    tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.import_module("lprfast.cli.read"), "_MOST_CROPS_HELD", 3)
    for index in range(4):
        save_crop(tmp_path / "one" / f"{index}.png", "AB12")
    command = ("read", tmp_path / "one", "--track-per-folder", "--stop-at", "0.9", "--model", model)
    result = run(*command)
    assert result.exit_code == 2
    shown = " ".join(result.stderr.replace("│", "").split())
    assert "expected up to 3 crops of one vehicle, got 4; leave --stop-at out" in shown
    (tmp_path / "one" / "3.png").unlink()
    assert run(*command).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--track-per-folder", "--stop-at", "1.5"), "expected a probability over 0 and up to 1, or model"),
        (("--track-per-folder", "--stop-at", "most"), "got 'most'"),
        (("--stop-at", "0.9"), "--stop-at: needs --track-per-folder"),
        (("--track-per-folder", "--stop-at", "0.9", "--nbest", "2", "--json"), "and excludes --nbest"),
    ],
)
def test_read_refuses_a_stop_that_is_none(
    arguments: tuple[str, ...], message: str, tmp_path: Path, model: str
) -> None:
    result = run("read", tmp_path, *arguments, "--model", model)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.replace("│", "").split())


def test_read_a_label_file_with_tracks_in_any_order(tmp_path: Path, model: str) -> None:
    for index, text in enumerate(("AB12", "XY99", "AB12")):
        save_crop(tmp_path / f"{index}.png", text)
    rows = (("0.png", "a"), ("1.png", "b"), ("2.png", "a"), ("", "b"), ("gone.png", "b"))
    path = label_file(tmp_path, rows, "path,track")
    result = run("read", path, "--track-per-folder", "--json", "--model", model)
    assert result.exit_code == 1
    tracks = json.loads(result.stdout)["tracks"]
    assert [(track["text"], len(track["paths"])) for track in tracks] == [("AB12", 2), ("XY99", 2)]
    assert f"failed: {path}, line 5: path is empty\n" in result.stderr
    assert f"failed: {tmp_path / 'gone.png'}: no such file\n" in result.stderr


def test_read_names_what_cannot_be_found(tmp_path: Path, model: str) -> None:
    (tmp_path / "hollow").mkdir()
    for name, message in (
        ("nowhere", "nowhere: no such file or folder"),
        ("hollow", "hollow: the folder holds no image files"),
        ("*.png", "no file matches this pattern"),
    ):
        result = run("read", tmp_path / name, "--model", model)
        assert result.exit_code == 2
        assert message in result.stderr.replace("\n", " ")


def test_read_goes_on_after_inputs_that_lead_nowhere(tmp_path: Path, model: str) -> None:
    save_crop(tmp_path / "a" / "0.png", "AB12")
    (tmp_path / "b").mkdir()
    (tmp_path / "c.csv").touch()
    result = run("read", tmp_path / "*", tmp_path / "none", "--track-per-folder", "--csv", "--model", model)
    assert result.exit_code == 1
    assert [line.split(",")[1] for line in result.stdout.splitlines()[1:]] == ["AB12"]
    assert [line.split(": ")[1] for line in result.stderr.splitlines()] == [
        str(tmp_path / "b"),
        str(tmp_path / "c.csv"),
        str(tmp_path / "none"),
    ]


def test_read_refuses_two_formats(tmp_path: Path, model: str) -> None:
    result = run("read", save_crop(tmp_path / "a.png", "A"), "--json", "--csv", "--model", model)
    assert result.exit_code == 2
    assert "--json and --csv exclude one another" in result.stderr
    result = run("read", tmp_path, "--track-per-folder", "--nbest", "2", "--csv", "--model", model)
    assert result.exit_code == 2
    assert "--nbest: a table or CSV of votes has no line for a crop" in result.stderr


def test_a_crop_that_the_reader_refuses_makes_exit_code_1(tmp_path: Path, model: str) -> None:
    Image.new("L", (20_000, 2)).save(tmp_path / "b.png")
    save_crop(tmp_path / "a.png", "AB12")
    result = run("read", tmp_path, "--json", "--model", model)
    assert result.exit_code == 1
    first, second = json.loads(result.stdout)["reads"]
    assert (first["status"], second["status"]) == ("ok", "error")
    assert "20000" in second["error"]
    assert f"failed: {tmp_path / 'b.png'}: " in result.stderr


@pytest.mark.parametrize("error", [OrtError, ModelError])
def test_a_runtime_that_fails_in_the_middle_is_a_message(
    tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error("no memory for the tensor")

    monkeypatch.setattr("lprfast.reader.PlateReader.read_many", fail)
    result = run("read", save_crop(tmp_path / "a.png", "A"), "--csv", "--model", model)
    assert result.exit_code == 2
    assert result.stderr == "Error: no memory for the tensor\n"


def test_tables_break_between_cells_only(tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    name = "a_street_with_quite_a_long_name"
    save_crop(Path(name, "0.png"), "AB12")
    Path(name, "1.png").touch()
    monkeypatch.setenv("COLUMNS", "60")
    assert run("read", name, "--nbest", "3", "--model", model).stdout.splitlines()[:4] == [
        "crop",
        "  size       read        confidence  status",
        f"{name}/0.png",
        "  128x32     AB12        1.000       ok          AB12 1.000",
    ]
    voted = run("read", name, "--track-per-folder", "--model", model).stdout.splitlines()
    assert [line.split()[0] for line in voted] == ["track", "text", name, "AB12"]
    monkeypatch.setenv("COLUMNS", "90")
    wide = run("read", name, "--model", model).stdout.splitlines()
    assert wide[1].split() == [f"{name}/0.png", "128x32", "AB12", "1.000", "ok"]
    assert wide[2].split()[:2] == [f"{name}/1.png", "error"]
    monkeypatch.delenv("COLUMNS")  # a file or pipe has no width
    long = run("read", name, "--nbest", "9", "--model", model).stdout.splitlines()
    assert [line.split()[0] for line in long] == ["crop", f"{name}/0.png", f"{name}/1.png"]


def test_numbers_of_one_are_singular(tmp_path: Path, model: str) -> None:
    result = run("read", save_crop(tmp_path / "a.png", "AB12"), "--model", model)
    assert result.stderr == "1 crop: 1 ok\n"


# eval


def evaluated(*arguments: str | Path) -> dict[str, Any]:
    result = run("eval", *arguments, "--json")
    document: dict[str, Any] = json.loads(result.stdout)
    document["exit_code"] = result.exit_code
    document["stderr"] = result.stderr
    return document


def test_eval_by_hand(tmp_path: Path, model: str) -> None:
    texts = ("AB12", "AB12", "XY9O", "CD34")
    for index, text in enumerate(texts):
        save_crop(tmp_path / f"{index}.png", text)
    rows = [("0.png", "ab-12", "v"), ("1.png", "AB1Z", "w"), ("2.png", "XY90", ""), ("3.png", "CD34", "")]
    path = label_file(tmp_path, rows, "path,text,track")
    document = evaluated(path, "--model", model)
    pooled = document["pooled"]
    assert document["exit_code"] == 0
    assert (pooled["crops"]["n"], pooled["crops"]["exact"], pooled["crops"]["exact_match"]) == (4, 2, 0.5)
    assert pooled["crops"]["cer"] == 2 / 16
    assert pooled["crops"]["clusters"] == 4
    assert (pooled["vehicles"]["n"], pooled["vehicles"]["exact"]) == (2, 1)
    assert pooled["statuses"] == {"ok": 4}
    assert document["settings"]["splits"] == {str(path): "all"}
    folded = evaluated(path, "--model", model, "--fold", "O0,2Z")
    assert folded["pooled"]["crops"]["exact"] == 4
    as_written = evaluated(path, "--model", model, "--as-written")
    assert as_written["pooled"]["crops"]["exact"] == 1


def test_eval_takes_dev_rows_where_there_are_any(tmp_path: Path, model: str) -> None:
    for index in range(3):
        save_crop(tmp_path / f"{index}.png", "AB12")
    rows = [("0.png", "AB12", "dev"), ("1.png", "AB12", "train"), ("2.png", "AB12", "")]
    path = label_file(tmp_path, rows, "path,text,split")
    counts = {}
    for split in (None, "dev", "train", "all"):
        document = evaluated(path, "--model", model, *(("--split", split) if split else ()))
        counts[split] = (document["pooled"]["crops"]["n"], document["settings"]["splits"][str(path)])
    assert counts == {None: (1, "dev"), "dev": (1, "dev"), "train": (1, "train"), "all": (3, "all")}
    assert "split dev" in run("eval", path, "--model", model).stdout
    result = run("eval", path, "--model", model, "--split", "test")
    assert result.exit_code == 2
    assert "splits in the file: dev, train" in result.stderr.replace("\n", " ")


def test_eval_width_shrinks_before_reading(tmp_path: Path, model: str) -> None:
    save_crop(tmp_path / "0.png", "AB12CD")
    path = label_file(tmp_path, [("0.png", "AB12CD")])
    assert evaluated(path, "--model", model, "--width", "128")["pooled"]["crops"]["exact"] == 1
    narrow = evaluated(path, "--model", model, "--width", "4")
    assert narrow["settings"]["width"] == 4
    assert narrow["pooled"]["crops"]["exact"] == 0


def test_eval_of_folders_pools_files(tmp_path: Path, model: str) -> None:
    for name, labels in (("b", ("AB12", "XX")), ("a", ("AB12",))):
        for index, _ in enumerate(labels):
            save_crop(tmp_path / name / f"{index}.png", "AB12")
        label_file(tmp_path / name, [(f"{index}.png", label) for index, label in enumerate(labels)])
    document = evaluated(tmp_path, "--model", model)
    assert [report["name"] for report in document["files"]] == [
        str(tmp_path / "a" / "labels.csv"),
        str(tmp_path / "b" / "labels.csv"),
    ]
    assert [report["crops"]["n"] for report in document["files"]] == [1, 2]
    assert document["pooled"]["crops"]["n"] == 3
    assert document["files"][0]["crops"]["exact_match_interval"] is None
    twice = evaluated(tmp_path / "a", tmp_path / "a" / "labels.csv", "--model", model)
    assert twice["pooled"]["crops"]["n"] == 1
    table = run("eval", tmp_path, "--model", model).stdout
    assert "pooled" in table
    assert "66.7%" in table


@pytest.mark.parametrize("width", ["60", "80"])
def test_eval_table_keeps_names_and_intervals_whole(
    tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch, width: str
) -> None:
    monkeypatch.setenv("COLUMNS", width)
    for name in ("some_country_plates", "b"):
        for index, text in enumerate(("AB12", "AB12")):
            save_crop(tmp_path / name / f"{index}.png", text)
        Image.fromarray(np.zeros((32, 128), dtype=np.uint8)).save(tmp_path / name / "2.png")
        rows = [("0.png", "AB12", "v"), ("1.png", "AB1Z", "w"), ("2.png", "XY99", "x")]
        label_file(tmp_path / name, rows, "path,text,track")
    lines = run("eval", tmp_path, "--model", model).stdout.splitlines()
    assert max(map(len, lines)) <= int(width)
    # 1 of 3 is right, and of the votes; 1 + 4 of 12 characters are wrong.
    found = " ".join(" ".join(lines).split())
    assert found.count("some_country_plates 3 33.3% (0.0% - 100.0%) 41.67% (0.0% - 100.0%)") == 1
    assert found.count("some_country_plates 1/3 33.3% (0.0% - 100.0%) 1 no_plate") == 1
    assert found.count("pooled 2/6 33.3% (0.0% - 66.7%) 2 no_plate") == 1


def test_eval_lists_failures_and_goes_on(tmp_path: Path, model: str) -> None:
    save_crop(tmp_path / "0.png", "AB12")
    path = label_file(tmp_path, [("0.png", "AB12"), ("gone.png", "AB12"), ("1.png",)])
    document = evaluated(path, "--model", model)
    assert document["exit_code"] == 1
    assert document["pooled"]["crops"]["n"] == 1
    assert document["failed"] == [
        f"{path}, line 4: expected 2 columns, got 1",
        f"{path}, line 3: {tmp_path / 'gone.png'}: no such file",
    ]
    assert document["stderr"].count("failed: ") == 2
    (tmp_path / "0.png").unlink()
    result = run("eval", path, "--model", model)
    assert result.exit_code == 1
    assert "no crop could be read" in result.stderr


def test_eval_counts_crops_without_a_plate_apart(tmp_path: Path, model: str) -> None:
    for index, text in enumerate(("AB12", "", "XY", "CD34")):
        save_crop(tmp_path / f"{index}.png", text)
    rows = [("0.png", "AB12"), ("1.png", ""), ("2.png", ""), ("3.png", "CD3")]
    document = evaluated(label_file(tmp_path, rows), "--model", model)
    pooled = document["pooled"]
    assert document["exit_code"] == 0
    assert pooled["negatives"] == {"n": 2, "read": 1, "read_with_confidence_above_0.5": 1}
    assert (pooled["crops"]["n"], pooled["crops"]["exact"], pooled["crops"]["cer"]) == (2, 1, 1 / 7)
    assert pooled["statuses"] == {"ok": 2}
    assert pooled["confidence"]["n"] == 2
    table = run("eval", tmp_path, "--model", model).stdout
    assert "negatives: 2, read as a plate: 1 (1 with confidence > 0.5)" in table


def test_eval_of_crops_without_a_plate_only(tmp_path: Path, model: str) -> None:
    for index, text in enumerate(("", "XY", "")):
        save_crop(tmp_path / f"{index}.png", text)
    path, diagram = label_file(tmp_path, [(f"{i}.png", "") for i in range(3)]), tmp_path / "r.png"
    document = evaluated(path, "--model", model)
    assert document["exit_code"] == 0
    assert document["pooled"]["negatives"]["n"] == 3
    assert (document["pooled"]["crops"]["n"], document["pooled"]["confidence"]) == (0, None)
    result = run("eval", path, "--model", model, "--reliability", diagram)
    assert result.exit_code == 1
    assert "negatives: 3, read as a plate: 1" in result.stdout
    assert "%" not in result.stdout.splitlines()[1]  # of no crops there is no share
    assert result.stderr == f"failed: {diagram}: not drawn: no crop with a labelled plate was read\n"


def test_eval_shows_its_figures_even_where_a_file_cannot_be_written(tmp_path: Path, model: str) -> None:
    save_crop(tmp_path / "0.png", "AB12")
    labels, diagram = label_file(tmp_path, [("0.png", "AB12")]), tmp_path / "r.svg"
    document = evaluated(labels, "--model", model, "--confusion", "/dev/full", "--reliability", diagram)
    assert document["exit_code"] == 1
    assert document["pooled"]["crops"]["exact"] == 1
    assert document["stderr"] == "failed: /dev/full: cannot be written: No space left on device\n"
    assert b"<svg" in diagram.read_bytes()
    assert not os.path.isfile("/dev/full")


def test_eval_replaces_its_files_as_wholes(tmp_path: Path, model: str) -> None:
    save_crop(tmp_path / "0.png", "AB12")
    labels, matrix, link = (
        label_file(tmp_path, [("0.png", "AB12")]),
        tmp_path / "matrix.json",
        tmp_path / "link",
    )
    matrix.write_text("old", encoding="utf-8")
    link.symlink_to(matrix)
    assert evaluated(labels, "--model", model, "--confusion", link)["exit_code"] == 0
    assert link.is_symlink()
    assert json.loads(matrix.read_text(encoding="utf-8"))["texts"] == 1
    assert not list(tmp_path.glob("*.partial"))
    (tmp_path / "matrix.json.partial").mkdir()  # in the way
    matrix.write_text("old", encoding="utf-8")
    document = evaluated(labels, "--model", model, "--confusion", matrix)
    assert document["exit_code"] == 1
    assert f"failed: {matrix}: cannot be written" in document["stderr"]
    assert matrix.read_text(encoding="utf-8") == "old"


def test_eval_states_which_weights_were_run(tmp_path: Path, model: str) -> None:
    save_crop(tmp_path / "0.png", "AB12")
    settings = evaluated(label_file(tmp_path, [("0.png", "AB12")]), "--model", model)["settings"]
    assert (settings["precision"], settings["calibrated"]) == ("fp32", False)


def test_eval_wrong_paths(tmp_path: Path, model: str) -> None:
    for name, message in (("none.csv", "no such file or folder"), ("", "holds no labels.csv")):
        result = run("eval", tmp_path / name, "--model", model)
        assert result.exit_code == 2
        assert message in result.stderr
    (tmp_path / "labels.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    assert "one column 'path'" in run("eval", tmp_path, "--model", model).stderr
    assert "twice" in run("eval", tmp_path, "--fold", "O0,0D").stderr


def test_eval_warns_of_symbols_that_the_model_lacks(tmp_path: Path, model: str) -> None:
    save_crop(tmp_path / "0.png", "A12")
    document = evaluated(label_file(tmp_path, [("0.png", "京A12")]), "--model", model)
    assert document["exit_code"] == 0
    assert [warning.split(": ", 1)[1] for warning in document["warnings"]] == [
        "1 label holds symbols that the model cannot write: 京"
    ]
    assert "WARNING: " in document["stderr"]


def test_eval_warns_of_crops_that_the_model_was_trained_on(tmp_path: Path) -> None:
    model = tmp_path / "trained.onnx"
    model.write_bytes(
        model_bytes(metadata_with(training=json.dumps({"data": ["synthetic", "cars/labels.csv"]})))
    )
    save_crop(tmp_path / "cars" / "0.png", "AB12")
    path = label_file(tmp_path / "cars", [("0.png", "AB12", "dev")], "path,text,split")
    assert evaluated(path, "--model", model)["warnings"] == []
    (warning,) = evaluated(path, "--model", model, "--split", "all")["warnings"]
    assert warning.startswith(f"{path}: the model's training record names cars/labels.csv")
    label_file(tmp_path / "cars", [("0.png", "AB12")])
    document = evaluated(path, "--model", model)
    assert len(document["warnings"]) == 1
    assert document["exit_code"] == 0
    assert document["files"][0]["crops"]["clusters"] == 1
    save_crop(tmp_path / "vans" / "0.png", "AB12")
    assert evaluated(label_file(tmp_path / "vans", [("0.png", "AB12")]), "--model", model)["warnings"] == []


def test_eval_refuses_a_result_that_a_charset_shift_explains(tmp_path: Path) -> None:
    shifted = tmp_path / "shifted.onnx"
    moved = json.dumps([*CHARSET[1:], "_"])  # class k is decoded as the symbol one place further on
    shifted.write_bytes(model_bytes(metadata_with(charset=moved)))
    rows = []
    for index in range(40):
        text = "".join(CHARSET[(index * 7 + place * 5) % 36] for place in range(6))
        save_crop(tmp_path / f"{index}.png", text)
        rows.append((f"{index}.png", text))
    result = run("eval", label_file(tmp_path, rows), "--model", shifted, "--json")
    assert result.exit_code == 1
    assert "the charset is off by -1" in result.stderr
    assert result.stdout == ""


# demo, models, doctor


@pytest.fixture
def tracks(tmp_path: Path) -> Path:
    folder = tmp_path / "demo_tracks"
    for name, label, texts in (("car_1", "AB12", ("AB12", "AB12", "AB1Z")), ("car_2", "XY99", ("XY9G",))):
        for index, text in enumerate(texts):
            save_crop(folder / name / f"{index}.png", text)
        label_file(folder / name, [(f"{index}.png", label) for index in range(len(texts))])
    return folder


def test_demo(tracks: Path, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_module, "bundled_folder", lambda: tracks)
    result = run("demo", "--model", model)
    assert result.exit_code == 0
    assert result.stdout.startswith("These plates are synthetic")
    assert "vote: AB12" in result.stdout
    assert "equals the labelled text AB12" in result.stdout
    assert "differs from the labelled text XY99" in result.stdout
    assert result.stdout.endswith("1 of 2 votes equal the labelled text.\n")
    other = run("demo", tracks, "--model", model)
    assert "synthetic" not in other.stdout


def test_demo_with_one_label_file_and_a_broken_image(tmp_path: Path, model: str) -> None:
    save_crop(tmp_path / "x" / "0.png", "AB12")
    (tmp_path / "x" / "1.png").touch()
    label_file(tmp_path, [("x/0.png", "AB12", "red"), ("x/1.png", "AB12", "red")], "path,text,track")
    result = run("demo", tmp_path, "--model", model)
    assert result.exit_code == 1
    assert "red" in result.stdout
    assert f"failed: {tmp_path / 'x' / '1.png'}: the file is empty" in result.stderr
    assert ["1.png", "error"] in [line.split() for line in result.stdout.splitlines()]
    assert run("demo", tmp_path / "x", "--model", model).exit_code == 2


def test_models(tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    training = json.dumps({"parameters": 1234567, "data": ["drawn plates"]})
    (tmp_path / "default.onnx").write_bytes(model_bytes(metadata_with(training=training)))
    (tmp_path / "another.onnx").write_bytes(model_bytes())
    monkeypatch.setattr("lprfast.models._FOLDER", tmp_path)
    monkeypatch.setenv("COLUMNS", "40")
    assert max(map(len, run("models").stdout.splitlines())) <= 40
    monkeypatch.delenv("COLUMNS")
    table = run("models").stdout
    assert "1,234,567" in table
    assert "1 x 32 x 128" in table
    assert "drawn plates" in table
    default, another = json.loads(run("models", "--json").stdout)["models"]
    assert (default["name"], another["name"]) == ("default", "another")
    assert default["bytes"] == (tmp_path / "default.onnx").stat().st_size
    assert default["charset"] == list(CHARSET)
    assert default["training"]["parameters"] == 1234567
    monkeypatch.setattr("lprfast.models._FOLDER", tmp_path / "none")
    assert "no models are bundled" in run("models").stdout


def test_models_lists_the_others_where_one_is_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, data in (("default", [1, None, "drawn"]), ("odd", {"plates": 3}), ("bare", [])):
        stored = model_bytes(metadata_with(training=json.dumps({"data": data})))
        (tmp_path / f"{name}.onnx").write_bytes(stored)
    (tmp_path / "broken.onnx").write_bytes(b"no model")
    monkeypatch.setattr("lprfast.models._FOLDER", tmp_path)
    result = run("models")
    assert result.exit_code == 1
    assert "default: trained on 1, None, drawn" in result.stdout
    assert "odd: trained on {'plates': 3}" in result.stdout
    assert "bare: trained on not recorded" in result.stdout
    assert result.stderr.startswith("failed: broken (broken.onnx): ")
    document = json.loads(run("models", "--json").stdout)
    assert [one["name"] for one in document["models"]] == ["default", "bare", "odd"]
    assert len(document["failed"]) == 1


def findings(*arguments: str | Path) -> tuple[int, dict[str, dict[str, Any]]]:
    result = run("doctor", "--json", *arguments)
    document = json.loads(result.stdout)
    assert document["ok"] == (result.exit_code == 0)
    return result.exit_code, {finding["name"]: finding for finding in document["findings"]}


def test_doctor_on_a_sound_installation(tracks: Path, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_module, "bundled_folder", lambda: tracks)
    monkeypatch.setattr("lprfast._ort_library.installed_ort_wheels", lambda: [("onnxruntime", "1.99")])
    code, found = findings("--model", model, "--threads", "1")
    assert code == 0, found
    assert found["numpy"]["value"] == np.__version__
    assert found["onnxruntime wheels"]["value"] == "onnxruntime 1.99"
    assert "CPUExecutionProvider" in found["providers"]["value"]
    assert found["telemetry"]["value"] == "off"
    assert found["model"]["value"] == "toy, cpu, 1 threads"
    assert found["self-test"]["value"].startswith("read AB12 (1.000)")
    text = run("doctor", "--model", model).stdout
    assert text.endswith("all is well\n")


def test_doctor_compares_the_bundled_model_with_the_demo_label(
    tracks: Path, tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo_module, "bundled_folder", lambda: tracks)
    monkeypatch.setattr("lprfast._ort_library.installed_ort_wheels", lambda: [("onnxruntime", "1.99")])
    monkeypatch.setattr("lprfast.models._FOLDER", tmp_path)
    (tmp_path / "default.onnx").write_bytes(Path(model).read_bytes())
    code, found = findings()
    assert (code, found["self-test"]["broken"]) == (0, False)
    label_file(tracks / "car_1", [("0.png", "AB13")])  # the crop reads AB12
    code, found = findings()
    assert (code, found["self-test"]["broken"]) == (1, True)
    assert found["self-test"]["value"].startswith("read AB12 (1.000)")
    assert found["self-test"]["advice"].startswith("the demo crop shows AB13: ")
    assert "BROKEN read AB12" in run("doctor").stdout
    assert findings("--model", model)[0] == 0  # of another model nothing is promised


def test_doctor_names_what_is_broken(tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wheels = [("onnxruntime", "1.99"), ("onnxruntime-gpu", "1.98")]
    monkeypatch.setattr("lprfast._ort_library.installed_ort_wheels", lambda: wheels)
    monkeypatch.setattr(demo_module, "bundled_folder", lambda: tmp_path)
    code, found = findings("--model", model)
    assert code == 1
    assert "pip uninstall onnxruntime onnxruntime-gpu" in found["onnxruntime wheels"]["advice"]
    assert found["self-test"]["broken"]
    code, found = findings("--model", tmp_path / "none.onnx")
    assert code == 1
    assert "none.onnx" in found["model"]["advice"]
    assert "self-test" not in found
    text = run("doctor", "--model", tmp_path / "none.onnx")
    assert text.exit_code == 1
    assert "BROKEN" in text.stdout


def test_doctor_without_a_runtime(tmp_path: Path, model: str) -> None:
    result = process("doctor", "--model", model, LPRFAST_ORT_LIBRARY=str(tmp_path / "none.so"))
    assert result.returncode == 1
    assert "cannot be loaded" in result.stdout
    assert "LPRFAST_ORT_LIBRARY" in result.stdout
    assert "Traceback" not in result.stderr


# Real processes


def test_help_does_not_load_the_heavy_libraries() -> None:
    script = (
        "import sys; from lprfast.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted({'rich', 'onnxruntime', 'torch', 'cv2', 'lprfast.evaluation'} & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, encoding="utf-8", timeout=120, check=True
    )
    assert result.stdout.splitlines()[-1] == "[]"


def test_a_process_survives_an_encoding_without_the_symbols(tmp_path: Path, model: str) -> None:
    crop = save_crop(tmp_path / "京 1.png", "AB12")
    (tmp_path / "zero.png").touch()
    result = process("read", tmp_path, "--model", model, PYTHONIOENCODING="latin-1", PYTHONUTF8="0")
    assert result.returncode == 1
    assert "\\u4eac 1.png" in result.stdout
    assert result.stderr.splitlines()[0].startswith("failed: ")
    document = json.loads(process("read", tmp_path, "--model", model, "--json").stdout)
    assert [read["status"] for read in document["reads"]] == ["error", "ok"]
    assert document["reads"][1]["path"] == str(crop)


@pytest.mark.parametrize("option", ["", "--json", "--csv", "--help"])
def test_output_that_cannot_be_written_is_one_message(tmp_path: Path, model: str, option: str) -> None:
    crop = save_crop(tmp_path / "a.png", "AB12")
    script = "from lprfast.cli import main; main()"
    arguments = ["read", str(crop), "--model", model, *filter(None, [option])]
    with open("/dev/full", "w", encoding="utf-8") as full:
        result = subprocess.run(
            [sys.executable, "-c", script, *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
    assert result.returncode == 1
    lines = [line for line in result.stderr.splitlines() if not line.startswith("1 crop: ")]
    assert lines == ["Error: the output cannot be written: No space left on device"]


def test_ctrl_c_is_exit_code_130(tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("lprfast.reader.PlateReader.read_many", interrupt)
    crop = save_crop(tmp_path / "a.png", "AB12")
    for command in ("read", "eval"):
        target = label_file(tmp_path, [("a.png", "AB12")]) if command == "eval" else crop
        result = run(command, target, "--model", model)
        assert (result.exit_code, result.stderr) == (130, "Error: interrupted\n")


def test_a_file_name_that_is_no_text(tmp_path: Path, model: str) -> None:
    crop = save_crop(tmp_path / "a.png", "AB12")
    name = os.fsencode(tmp_path) + b"/bad\xff\n.png"
    os.rename(crop, name)
    result = process("read", tmp_path, "--model", model)
    assert result.returncode == 0, result.stderr
    assert "bad\\udcff\\n.png" in result.stdout
    for option in ("--json", "--csv"):
        result = process("read", tmp_path, "--model", model, option)
        assert result.returncode == 0, result.stderr
        assert "AB12" in result.stdout


@pytest.mark.skipif("LPRFAST_DATA" not in os.environ, reason="LPRFAST_DATA is not set")
def test_eval_counts_every_row_of_the_real_label_files(model: str) -> None:
    folder = Path(os.environ["LPRFAST_DATA"])
    document = evaluated(folder, "--model", model, "--split", "all", "--resamples", "10")
    assert document["failed"] == []
    for report in document["files"]:
        with Path(report["name"]).open(encoding="utf-8", newline="") as file:
            assert report["crops"]["n"] == len(list(csv.reader(file))) - 1
