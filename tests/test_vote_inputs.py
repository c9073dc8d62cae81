"""What ``lprfast vote`` and ``lprfast sizes`` take: label files of every format, folders, boxes in names."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image
from test_label_formats import CCPD_NAME
from toy_model import crop_of_text, model_bytes

from lprfast.cli import main
from lprfast.data import expand


def run(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def save(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(crop_of_text(text)).save(path)
    return path


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model" / "toy.onnx"
    path.parent.mkdir()
    path.write_bytes(model_bytes())
    return path


def voted(model: Path, *inputs: Path) -> list[tuple[str, str, str]]:
    """Track, text and number of crops of every vehicle."""
    rows = list(csv.reader(io.StringIO(run("vote", *inputs, "--csv", "--model", model).stdout)))
    assert rows[0] == ["track", "text", "probability", "status", "crops", "pattern", "second_plate"]
    return [(row[0], row[1], row[4]) for row in rows[1:]]


def test_a_label_file_of_paddle(tmp_path: Path, model: Path) -> None:
    for name in ("a/1.png", "a/2.png", "b/1.png"):
        save(tmp_path / name, "AB12" if name[0] == "a" else "XY99")
    labels = tmp_path / "rec_gt.txt"
    labels.write_text("a/1.png\tAB12\na/2.png\tAB12\nb/1.png\tXY99\n", encoding="utf-8")
    folders = [(str(tmp_path / "a"), "AB12", "2"), (str(tmp_path / "b"), "XY99", "1")]
    assert voted(model, labels) == folders
    found = json.loads(run("sizes", labels, "--json").stdout)
    assert (found["n"], found["width"]["max"]) == (3, crop_of_text("A").shape[1])
    assert len(json.loads(run("read", labels, "--json", "--model", model).stdout)["reads"]) == 3


def test_a_text_file_that_is_no_label_file_says_what_was_expected(tmp_path: Path, model: Path) -> None:
    save(tmp_path / "1.png", "AB12")
    (tmp_path / "notes.txt").write_text("hello\n", encoding="utf-8")
    result = run("vote", tmp_path / "notes.txt", tmp_path / "1.png", "--model", model)
    assert result.exit_code == 1
    assert "notes.txt: " in result.stderr
    assert "lines of path, tab, text" in result.stderr
    assert "AB12" in result.stdout  # the good input beside it is voted


def test_a_folder_with_labels_votes_by_their_tracks(tmp_path: Path, model: Path) -> None:
    for index, text in enumerate(("AB12", "XY99", "AB12")):
        save(tmp_path / "set" / "images" / f"{index}.png", text)
    save(tmp_path / "set" / "images" / "unlisted.png", "ZZ99")
    labels = tmp_path / "set" / "labels.csv"
    labels.write_text(
        "path,text,track\nimages/0.png,AB12,v\nimages/1.png,XY99,w\nimages/2.png,AB12,v\n", encoding="utf-8"
    )
    save(tmp_path / "plain" / "0.png", "CD34")
    labelled = [(f"{labels}:w", "XY99", "1"), (f"{labels}:v", "AB12", "2")]
    assert voted(model, tmp_path / "set") == labelled
    # Below a folder that is named as well, and no folder beside it is lost.
    assert voted(model, tmp_path / "plain", tmp_path / "set")[1:] == labelled
    (tmp_path / "model").rename(tmp_path.parent / f"{tmp_path.name}-model")
    model = tmp_path.parent / f"{tmp_path.name}-model" / "toy.onnx"
    assert voted(model, tmp_path) == [(str(tmp_path / "plain"), "CD34", "1"), *labelled]
    # ``read`` and ``sizes`` take all that lies there, as before.
    assert len(expand([str(tmp_path / "set")]).sources) == 4
    assert json.loads(run("sizes", tmp_path / "set", "--json").stdout)["n"] == 4


def test_folders_of_tracks_are_a_vehicle_each(tmp_path: Path, model: Path) -> None:
    for track, text in (("track_00001", "AB12"), ("track_00002", "XY99")):
        for frame in ("lr-001", "lr-002", "hr-001"):
            save(tmp_path / "ufpr" / track / f"{frame}.png", text)
        (tmp_path / "ufpr" / track / "annotations.json").write_text(
            json.dumps({"plate_text": text}), encoding="utf-8"
        )
        (tmp_path / "ufpr" / track / "lr-001.txt").write_text("plate: AB12\n", encoding="utf-8")
    assert voted(model, tmp_path / "ufpr") == [
        (str(tmp_path / "ufpr" / "track_00001"), "AB12", "3"),
        (str(tmp_path / "ufpr" / "track_00002"), "XY99", "3"),
    ]


def ccpd_photo(folder: Path, number: int, text: str) -> None:
    """A photograph with the plate at (10, 20), named as in CCPD."""
    crop = crop_of_text(text)
    photo = np.zeros((100, crop.shape[1] + 30), np.uint8)
    photo[20 : 20 + crop.shape[0], 10 : 10 + crop.shape[1]] = crop
    box = f"10&20_{10 + crop.shape[1]}&{20 + crop.shape[0]}"
    name = CCPD_NAME.replace("154&383_386&473", box).replace("025", str(number))
    folder.mkdir(exist_ok=True)
    Image.fromarray(photo).save(folder / f"{name}.png")


def test_the_plates_of_ccpd_are_cut_out(tmp_path: Path, model: Path) -> None:
    for number, text in enumerate(("AB12", "XY99"), 1):
        ccpd_photo(tmp_path / "ccpd", number, text)
    plates = voted(model, tmp_path / "ccpd")
    assert sorted(text for _, text, _ in plates) == ["AB12", "XY99"]  # a vehicle each
    height, width = crop_of_text("AB12").shape
    found = json.loads(run("sizes", tmp_path / "ccpd", "--json").stdout)
    assert (found["width"]["min"], found["width"]["max"]) == (width, width)
    assert (found["height"]["min"], found["height"]["max"]) == (height, height)
    page = tmp_path / "out.html"
    assert run("vote", tmp_path / "ccpd", "--report", page, "--model", model).exit_code == 0
    assert page.read_text(encoding="utf-8").count("data:image/png;base64,") == 2


def test_the_plates_of_ccpd_are_cut_out_to_read_best_first(tmp_path: Path, model: Path) -> None:
    ccpd_photo(tmp_path / "ccpd", 1, "AB12")
    command = ("read", tmp_path / "ccpd", "--track-per-folder", "--json", "--model", model)
    for more in ((), ("--stop-at", "0.9")):
        document = json.loads(run(*command, *more).stdout)
        assert [track["text"] for track in document["tracks"]] == ["AB12"]
        height, width = crop_of_text("AB12").shape
        assert [(read["width"], read["height"]) for read in document["reads"]] == [(width, height)]


def test_a_crop_that_was_cut_out_of_ccpd_is_taken_whole(tmp_path: Path, model: Path) -> None:
    path = save(tmp_path / f"{CCPD_NAME}.png", "AB12")
    assert voted(model, path) == [(str(path), "AB12", "1")]
    height, width = crop_of_text("AB12").shape
    found = json.loads(run("sizes", path, "--json").stdout)
    assert (found["width"]["max"], found["height"]["max"]) == (width, height)


def test_a_second_plate_is_told(tmp_path: Path, model: Path) -> None:
    for index, text in enumerate(("AB12", "AB12", "XY99", "XY99")):
        shown = np.roll(crop_of_text(text), 8 * (index % 2), axis=1)
        (tmp_path / "one").mkdir(exist_ok=True)
        Image.fromarray(np.ascontiguousarray(shown)).save(tmp_path / "one" / f"{index}.png")
    page = tmp_path / "out.html"
    result = run("vote", tmp_path / "one", "--model", model, "--report", page)
    header, line = result.stdout.splitlines()
    assert header.split() == ["track", "text", "pattern", "probability", "status", "crops"]
    first, second = line.split()[1], line.split("second plate: ")[1].split()[0]
    assert {first, second} == {"AB12", "XY99"}
    text = page.read_text(encoding="utf-8")
    assert f'<strong>Second plate: </strong><span class="plate">{second}</span>' in text
    assert text.count("<td>second plate</td>") == 2
    (vehicle,) = json.loads(run("vote", tmp_path / "one", "--model", model, "--json").stdout)["tracks"]
    assert vehicle["conflict"]["text"] == second
    assert vehicle["conflict"]["indices"] == ([2, 3] if second == "XY99" else [0, 1])
    rows = list(
        csv.reader(
            io.StringIO(run("read", tmp_path / "one", "--track-per-folder", "--csv", "--model", model).stdout)
        )
    )
    assert rows[1][-2:] == [vehicle["pattern"], second]
