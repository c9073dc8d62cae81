"""The commands around super-resolution, on models that can be worked out by hand."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sr_models import nearest, sr_contract, sr_model
from test_cli import label_file, run, save_crop
from toy_model import CHARSET, charset_json, crop_of_text, metadata_with, model_bytes

from lprfast import ModelError, PlateReader, SuperResolver, load_image
from lprfast.cli.upscale import target_paths
from lprfast.evaluation.sr_pipelines import (
    BUCKETS,
    KeptAnswers,
    Pipeline,
    PipelineReader,
    bucket,
    open_pipeline,
)
from lprfast.models import model_names, model_path
from lprfast.super_resolution import UpscaledCrop


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    (folder / "toy.onnx").write_bytes(model_bytes())
    (folder / "twice.onnx").write_bytes(sr_model(2))
    (folder / "colour.onnx").write_bytes(sr_model(2, 3))
    (folder / "black.onnx").write_bytes(sr_model(2, gain=0))
    return folder


def small(text: str) -> np.ndarray:
    return np.ascontiguousarray(crop_of_text(text)[::2, ::2])


def save(path: Path, pixels: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


@pytest.mark.parametrize("command", ["upscale", "compare-sr"])
def test_every_command_has_help(command: str) -> None:
    result = run(command, "--help")
    assert result.exit_code == 0
    assert result.stdout.startswith("Usage: ")


# upscale


def test_upscale_writes_png_files_in_their_places(tmp_path: Path, models: Path) -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (20, 40, 3), np.uint8)
    save(tmp_path / "in" / "car 1" / "a.png", rgb)
    save(tmp_path / "in" / "car 2" / "a.bmp", rgb)
    save(tmp_path / "in" / "b.png", small("AB12"))
    out = tmp_path / "new" / "out"
    result = run("upscale", tmp_path / "in", "--model", models / "colour.onnx", "--out", out)
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == f"3 crops written to {out}\n"
    found = sorted(str(path.relative_to(out)) for path in out.rglob("*.png"))
    assert found == ["b.png", "car 1/a.png", "car 2/a.png"]
    with Image.open(out / "car 1" / "a.png") as image:
        np.testing.assert_array_equal(np.array(image), nearest(rgb, 2))
    np.testing.assert_array_equal(load_image(out / "car 2" / "a.png")[..., ::-1], nearest(rgb, 2))


def test_upscale_below_and_bad_files(tmp_path: Path, models: Path) -> None:
    save(tmp_path / "in" / "narrow.png", small("A"))
    save(tmp_path / "in" / "wide.png", crop_of_text("A"))
    (tmp_path / "in" / "bad.png").write_bytes(b"no image")
    out = tmp_path / "out"
    result = run("upscale", tmp_path / "in", "--model", models / "twice.onnx", "--out", out, "--below", 100)
    assert result.exit_code == 1
    assert result.stderr.splitlines()[0].startswith(f"failed: {tmp_path / 'in' / 'bad.png'}: not an image")
    assert f"1 crop written to {out}, 1 crop of 100 px and more left out" in result.stderr
    assert [path.name for path in out.iterdir()] == ["narrow.png"]
    np.testing.assert_array_equal(load_image(out / "narrow.png"), crop_of_text("A"))


def test_upscale_names_wrong_models_and_places(tmp_path: Path, models: Path) -> None:
    crop = save(tmp_path / "a.png", small("A"))
    result = run("upscale", crop, "--model", models / "toy.onnx", "--out", tmp_path / "out")
    assert (result.exit_code, "toy.onnx" in result.stderr, "'sr'" in result.stderr) == (2, True, True)
    assert not (tmp_path / "out").exists()
    result = run("upscale", tmp_path / "none", "--model", models / "twice.onnx", "--out", tmp_path / "out")
    assert (result.exit_code, "no such file" in result.stderr) == (2, True)
    result = run("upscale", crop, "--model", models / "twice.onnx", "--out", crop / "below")
    assert (result.exit_code, "cannot be made" in result.stderr) == (2, True)


def test_upscale_never_writes_over_what_it_reads(tmp_path: Path, models: Path) -> None:
    save_crop(tmp_path / "crops" / "a.png", "AB12")
    before = (tmp_path / "crops" / "a.png").read_bytes()
    result = run("upscale", tmp_path / "crops", "--model", models / "twice.onnx", "--out", tmp_path / "crops")
    assert result.exit_code == 2
    assert "would be overwritten" in " ".join(result.stderr.replace("│", "").split())
    assert (tmp_path / "crops" / "a.png").read_bytes() == before


def test_upscale_cuts_out_the_plate_that_a_name_says(tmp_path: Path, models: Path) -> None:
    # CCPD: area, tilt, box, corners, characters, brightness, blur; the box is 40 x 16 pixels.
    corners = "60&46_20&46_20&30_60&30"
    name = f"025-95_113-20&30_60&46-{corners}-0_0_22_27_27_33_16-37-15.png"
    (tmp_path / "ccpd").mkdir()
    Image.fromarray(np.full((80, 100), 128, np.uint8)).save(tmp_path / "ccpd" / name)
    out = tmp_path / "out"
    result = run("upscale", tmp_path / "ccpd", "--model", models / "twice.onnx", "--out", out)
    assert result.exit_code == 0
    (written,) = out.iterdir()
    assert load_image(written).shape[:2] == (32, 80)


def test_files_that_differ_in_their_ending_do_not_overwrite_one_another() -> None:
    paths = [Path("x/a.jpg"), Path("x/a.png"), Path("x/b.c.png"), Path("x/y/a.jpg")]
    found = [str(target) for _, target in target_paths(paths, Path("out"))]
    assert found == ["out/a.png", "out/a.png.png", "out/b.c.png", "out/y/a.png"]
    assert target_paths([Path("only.jpg")], Path("out")) == [(Path("only.jpg"), Path("out/only.png"))]


# --sr of the commands that read


def test_read_and_eval_with_sr(tmp_path: Path, models: Path) -> None:
    save(tmp_path / "a.png", small("AB12"))
    save(tmp_path / "b.png", crop_of_text("AB12"))
    options = ("--model", models / "toy.onnx", "--sr", models / "black.onnx", "--sr-below", 100)
    document = json.loads(run("read", tmp_path, "--json", *options).stdout)
    assert [(read["text"], read["upscaled"]) for read in document["reads"]] == [("", 2), ("AB12", 0)]
    labels = label_file(tmp_path, [("a.png", "AB12"), ("b.png", "AB12")])
    document = json.loads(run("eval", labels, "--json", *options).stdout)
    assert document["pooled"]["crops"]["exact"] == 1
    assert (document["settings"]["sr"], document["settings"]["sr_below"]) == ("tiny", 100)
    result = run("read", tmp_path, "--model", models / "toy.onnx", "--sr", models / "toy.onnx")
    assert (result.exit_code, "'task': expected 'sr'" in result.stderr) == (2, True)


# compare-sr


def labelled(folder: Path) -> Path:
    """Eight crops of four vehicles, of 64 and of 128 pixels."""
    rows = []
    for number, text in enumerate(["AB12", "ZZ99", "0O0O", "7XK4"]):
        save(folder / f"{number}s.png", small(text))
        save(folder / f"{number}w.png", crop_of_text(text))
        rows += [(f"{number}s.png", text, f"car{number}"), (f"{number}w.png", text, f"car{number}")]
    return label_file(folder, rows, "path,text,track")


def compare(folder: Path, models: Path, *options: str | Path) -> dict[str, Any]:
    names = ("none", models / "twice.onnx", models / "black.onnx")
    pipelines = [word for name in names for word in ("--pipeline", name)]
    result = run("compare-sr", folder, *pipelines, "--model", models / "toy.onnx", "--json", *options)
    assert result.exit_code == 0, result.output
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def test_compare_sr_by_hand(tmp_path: Path, models: Path) -> None:
    labelled(tmp_path)
    document = compare(tmp_path, models, "--below", "100")
    runs = {one["pipeline"]: {cell["width"]: cell for cell in one["widths"]} for one in document["runs"]}
    assert list(runs) == ["none", "twice.onnx", "black.onnx"]
    for cells in runs.values():
        assert list(cells) == ["60-80", "100+", "all"]
        assert [cells[width]["crops"]["n"] for width in cells] == [4, 4, 8]
        assert cells["100+"]["crops"]["exact"] == 4  # --below leaves these as they are
    assert runs["twice.onnx"]["all"]["crops"]["exact"] == 8
    assert runs["twice.onnx"]["all"]["vehicles"]["exact"] == 4
    assert runs["black.onnx"]["60-80"]["crops"]["exact"] == 0
    assert runs["black.onnx"]["60-80"]["character_accuracy"] == 0
    assert runs["twice.onnx"]["60-80"]["sr_ms"] > 0
    assert all(cell["read_ms"] > 0 for cells in runs.values() for cell in cells.values())
    tests = {(test["second"], test["unit"], test["width"]): test for test in document["tests"]}
    lost = tests["black.onnx", "crops", "60-80"]
    before = runs["none"]["60-80"]["crops"]["exact"]
    assert (lost["n"], lost["gained"], lost["lost"]) == (4, 0, before)
    assert lost["difference"] == -before / 4
    assert lost["p"] == pytest.approx(min(1, 2 * 0.5**before))
    assert lost["p_holm"] >= lost["p"]
    assert tests["black.onnx", "vehicles", "all"]["n"] == 4
    assert document["settings"]["pipelines"]["twice.onnx"]["scale"] == 2
    assert [example["width"] for example in document["examples"]] == [64] * 4 + [128] * 4
    first = document["examples"][0]
    assert (first["label"], first["texts"][1], first["texts"][2]) == ("AB12", "AB12", "")


def test_compare_sr_tables_and_page(tmp_path: Path, models: Path) -> None:
    labelled(tmp_path)
    page = tmp_path / "page.html"
    pipelines = ("--pipeline", "none", "--pipeline", "bicubic2", "--pipeline", models / "twice.onnx")
    toy = ("--model", models / "toy.onnx")
    result = run("compare-sr", tmp_path, *pipelines, *toy, "--report", page, "--examples", "1")
    assert result.exit_code == 0, result.output
    lines = [line.split() for line in result.stdout.splitlines()]
    assert lines[0][:4] == ["width", "pipeline", "reader", "crops"]
    assert [line[:4] for line in lines[7:10]] == [
        ["all", "none", "toy", "8"],
        ["all", "bicubic2", "toy", "8"],
        ["all", "twice.onnx", "toy", "8"],
    ]
    text = page.read_text(encoding="utf-8")
    assert text.count("<img ") == 1
    for word in ("bicubic2", "twice.onnx", "difference (95 %)", "Content-Security-Policy"):
        assert word in text


def test_the_page_shows_crops_as_they_were_read(tmp_path: Path, models: Path) -> None:
    labelled(tmp_path)
    page = tmp_path / "page.html"
    for options, expected in (((), [64] * 4 + [128] * 4), (("--width", "100"), [64] * 4 + [100] * 4)):
        compare(tmp_path, models, "--report", page, *options)
        contents = re.findall('base64,([^"]+)"', page.read_text(encoding="utf-8"))
        pictures = [Image.open(io.BytesIO(base64.b64decode(content))) for content in contents]
        assert [picture.width for picture in pictures] == expected


def test_compare_sr_shrinks_first_and_takes_several_readers(tmp_path: Path, models: Path) -> None:
    labelled(tmp_path)
    (tmp_path / "other.onnx").write_bytes(model_bytes(metadata_with(name="other")))
    document = compare(tmp_path, models, "--width", "50", "--model", tmp_path / "other.onnx")
    assert [(one["reader"], one["pipeline"]) for one in document["runs"]] == [
        (reader, pipeline) for reader in ("toy", "other") for pipeline in ("none", "twice.onnx", "black.onnx")
    ]
    assert all([cell["width"] for cell in one["widths"]] == ["40-60", "all"] for one in document["runs"])
    assert document["runs"][0]["widths"][1]["crops"] == document["runs"][3]["widths"][1]["crops"]


def swapped() -> list[str]:
    """The toy reader's alphabet with A and B in each other's place."""
    return [{"A": "B", "B": "A"}.get(symbol, symbol) for symbol in CHARSET]


def test_readers_are_compared_with_the_first_one(tmp_path: Path, models: Path) -> None:
    """The other reader reads AB12 as BA12: one vehicle of four, two crops of eight."""
    labels = labelled(tmp_path)
    other = tmp_path / "other.onnx"
    other.write_bytes(model_bytes(metadata_with(name="other", charset=charset_json(swapped()))))
    ways = ("--pipeline", models / "twice.onnx", "--pipeline", models / "black.onnx", "--below", "100")
    readers = ("--model", models / "toy.onnx", "--model", other)
    page = tmp_path / "page.html"
    document = json.loads(run("compare-sr", labels, *ways, *readers, "--json", "--report", page).stdout)
    votes = {
        (one["reader"], one["pipeline"]): one["widths"][-1]["vehicles"]["exact"] for one in document["runs"]
    }
    assert votes == {
        ("toy", "twice.onnx"): 4,
        ("toy", "black.onnx"): 4,
        ("other", "twice.onnx"): 3,
        ("other", "black.onnx"): 3,
    }
    tests = {
        (test["first_reader"], test["first"], test["reader"], test["second"]): (test["gained"], test["lost"])
        for test in document["tests"]
        if (test["unit"], test["width"]) == ("crops", "all")
    }
    assert tests == {
        ("toy", "twice.onnx", "toy", "black.onnx"): (0, 4),
        ("other", "twice.onnx", "other", "black.onnx"): (0, 3),
        ("toy", "twice.onnx", "other", "twice.onnx"): (0, 2),
        ("toy", "twice.onnx", "other", "black.onnx"): (0, 5),
    }
    of_vehicles = [test for test in document["tests"] if test["unit"] == "vehicles"]
    assert [(test["n"], test["lost"]) for test in of_vehicles] == [(4, 0), (4, 0), (4, 1), (4, 1)]
    assert document["settings"]["readers"]["other"]["sha256"] == sha256(other)
    assert document["settings"]["pipelines"]["twice.onnx"]["sha256"] == sha256(models / "twice.onnx")
    text = page.read_text(encoding="utf-8")
    assert "toy -&gt; other" in text
    assert text.count(sha256(other)) == text.count(sha256(models / "black.onnx")) == 1


def test_a_reader_given_twice_is_one(tmp_path: Path, models: Path) -> None:
    labels = labelled(tmp_path)
    toy = models / "toy.onnx"
    again = toy.parent / ".." / toy.parent.name / "toy.onnx"
    assert compare_names(labels, toy, again) == ["toy"]


def compare_names(labels: Path, *readers: Path) -> list[str]:
    options = [word for reader in readers for word in ("--model", reader)]
    document = json.loads(run("compare-sr", labels, "--pipeline", "none", *options, "--json").stdout)
    return [one["reader"] for one in document["runs"]]


def test_bicubic_has_the_limits_of_models() -> None:
    pipeline = open_pipeline("bicubic8")
    assert pipeline.enlarge is not None
    wide, fits = np.zeros((2, 2049), np.uint8), np.zeros((2, 2048), np.uint8)
    bad, good = pipeline.enlarge([wide, fits])
    assert bad.error == "enlarged 8 times, 2049 x 2 pixels are more than 16384 a side"
    assert bad.image is None
    assert good.image is not None
    assert good.image.shape == (16, 16384)
    reader = PipelineReader(pipeline, PlateReader(model_bytes(), threads=1))
    broken, sound = reader.read_many([wide, small("AB12")])
    assert (broken.status, broken.error, broken.width) == ("error", bad.error, 2049)
    (alone,) = reader.read_many([small("AB12")])
    assert (sound.status, sound.text) == ("ok", alone.text)


def test_few_enlarged_crops_are_held_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[int] = []

    def enlarge(crops: Any) -> list[UpscaledCrop]:
        held.append(len(crops))
        return [UpscaledCrop(nearest(crop, 2)) for crop in crops]

    crops = [small(text) for text in ("AB12", "ZZ99", "0O0O", "7XK4", "A1")]
    reader = PipelineReader(Pipeline("twice", enlarge, {}, 2), PlateReader(model_bytes(), threads=1))
    held.clear()
    monkeypatch.setattr("lprfast.evaluation.sr_pipelines.HELD_BYTES", 2 * 4 * crops[0].size)
    texts = [read.text for read in reader.read_many(crops)]
    assert texts == ["AB12", "ZZ99", "0O0O", "7XK4", "A1"]
    assert held == [2, 2, 1]
    held.clear()
    monkeypatch.setattr("lprfast.evaluation.sr_pipelines.HELD_BYTES", 1)
    assert [read.text for read in reader.read_many(crops)] == texts
    assert held == [1] * 5


def test_what_is_enlarged_for_one_reader_is_kept_for_the_next() -> None:
    asked: list[int] = []

    def enlarge(crops: Any) -> list[UpscaledCrop]:
        asked.append(len(crops))
        return [UpscaledCrop(nearest(crop, 2)) for crop in crops]

    crops = [small(text) for text in ("AB12", "ZZ99", "0O0O")]
    one = nearest(crops[0], 2).nbytes
    readers = [
        PipelineReader(Pipeline("twice", enlarge, {}, 2), PlateReader(model_bytes(), threads=1))
        for _ in range(3)
    ]
    kept = readers[1].kept = readers[2].kept = KeptAnswers(2 * one)  # after their trial runs
    asked.clear()
    texts = [[read.text for read in reader.read_many(crops)] for reader in readers]
    assert texts == [["AB12", "ZZ99", "0O0O"]] * 3
    assert asked == [3, 3, 1]  # there is room for two of three
    assert readers[2].spent[bucket(crops[0].shape[1])].enlarging > 0  # stated for the last reader too
    kept.forget()
    readers[2].read_many(crops)
    assert asked == [3, 3, 1, 3]


def test_models_of_one_name_are_told_apart(tmp_path: Path) -> None:
    labels = labelled(tmp_path / "crops")
    files = []
    for folder, gain in (("a", 1), ("b", 0)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "sr.onnx").write_bytes(sr_model(2, gain=gain))
        (tmp_path / folder / "toy.onnx").write_bytes(model_bytes())
        files += ["--pipeline", tmp_path / folder / "sr.onnx", "--model", tmp_path / folder / "toy.onnx"]
    document = json.loads(run("compare-sr", labels, *files, "--json").stdout)
    folders = [str(tmp_path / folder) for folder in ("a", "b")]
    assert [(one["reader"], one["pipeline"]) for one in document["runs"]] == [
        (f"{reader}/toy.onnx", f"{pipeline}/sr.onnx") for reader in folders for pipeline in folders
    ]
    names = ("first_reader", "first", "reader", "second")
    tested = {tuple(test[name] for name in names) for test in document["tests"]}
    assert len(tested) == 2 + 2  # within each reader, and the second one's against the first pair


def test_compare_sr_names_what_is_wrong(tmp_path: Path, models: Path) -> None:
    labels = labelled(tmp_path)
    toy = ("--model", models / "toy.onnx")
    for pipeline, word in (("bicubic3", "bicubic3"), (models / "toy.onnx", "this is a reader")):
        result = run("compare-sr", labels, "--pipeline", pipeline, *toy)
        assert (result.exit_code, word in result.stderr) == (2, True), result.output
    assert run("compare-sr", labels, *toy).exit_code == 2
    (tmp_path / "0s.png").unlink()
    result = run("compare-sr", labels, "--pipeline", "none", "--pipeline", "bicubic2", *toy)
    assert result.exit_code == 1
    assert result.stderr.count("failed: ") == 1
    assert "0s.png" in result.stderr


def test_compare_sr_refuses_a_charset_that_is_off(tmp_path: Path) -> None:
    # The first symbol behind the others: each symbol is read as the one before it.
    shifted = metadata_with(charset=charset_json([CHARSET[-1], *CHARSET[:-1]]))
    (tmp_path / "off.onnx").write_bytes(model_bytes(shifted))
    texts = [f"{CHARSET[i % 30 + 2]}{CHARSET[i % 7 + 20]}5{CHARSET[i % 11 + 3]}W" for i in range(50)]
    for number, text in enumerate(texts):
        save(tmp_path / f"{number}.png", crop_of_text(text))
    labels = label_file(tmp_path, [(f"{number}.png", text) for number, text in enumerate(texts)])
    result = run("compare-sr", labels, "--pipeline", "none", "--model", tmp_path / "off.onnx")
    assert result.exit_code == 1
    assert "the charset is off by +1" in result.stderr
    assert result.stdout == ""


def test_a_run_below_chance_is_warned_of_by_name(tmp_path: Path, models: Path) -> None:
    # 17 places: no shift of 1 to 3, and no character right.
    other = metadata_with(name="other", charset=charset_json([*CHARSET[17:], *CHARSET[:17]]))
    (tmp_path / "other.onnx").write_bytes(model_bytes(other))
    rows = []
    for number in range(40):
        text = "".join(CHARSET[(number * 7 + place * 5) % 36] for place in range(6))
        save_crop(tmp_path / f"{number}.png", text)
        rows.append((f"{number}.png", text))
    labels = label_file(tmp_path, rows)
    readers = ("--model", models / "toy.onnx", "--model", tmp_path / "other.onnx")
    result = run("compare-sr", labels, "--pipeline", "none", *readers, "--json")
    assert result.exit_code == 0, result.output
    (warning,) = json.loads(result.stdout)["warnings"]
    assert warning.startswith("none / other: 0.00% of the characters read are right; blind guessing among 36")
    assert f"WARNING: {warning}" in " ".join(result.stderr.split())


def test_a_crop_that_sr_fails_on_counts_as_wrong(tmp_path: Path, models: Path) -> None:
    weights = np.full((4, 1, 1, 1), np.inf, np.float32)
    (tmp_path / "inf.onnx").write_bytes(sr_model(2, weights=weights))
    reader = PipelineReader(open_pipeline(str(tmp_path / "inf.onnx")), PlateReader(model_bytes()))
    read, *_ = reader.read_many([small("AB12")])
    assert (read.status, read.text, read.width) == ("error", "", 64)
    assert reader.spent["60-80"].crops == 1
    assert reader.spent["100+"].ms(0) is None


def test_a_pipeline_that_fails_on_every_crop_is_refused(tmp_path: Path, models: Path) -> None:
    weights = np.full((4, 1, 1, 1), np.inf, np.float32)
    (tmp_path / "inf.onnx").write_bytes(sr_model(2, weights=weights))
    arguments = ("--pipeline", "none", "--pipeline", tmp_path / "inf.onnx", "--model", models / "toy.onnx")
    result = run("compare-sr", labelled(tmp_path), *arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "inf.onnx / toy: none of 8 crops could be read: " in result.stderr
    assert "NaN or infinity" in result.stderr


def test_crops_that_a_pipeline_fails_on_are_counted_and_named(tmp_path: Path, models: Path) -> None:
    save(tmp_path / "wide.png", np.full((8, 9000), 128, np.uint8))
    save(tmp_path / "good.png", crop_of_text("AB12"))
    labels = label_file(tmp_path, [("wide.png", "AB12"), ("good.png", "AB12")])
    arguments = (labels, "--pipeline", "none", "--pipeline", "bicubic2", "--model", models / "toy.onnx")
    document = json.loads(run("compare-sr", *arguments, "--json").stdout)
    failed = {one["pipeline"]: one["widths"][-1]["failed"] for one in document["runs"]}
    assert failed == {"none": 0, "bicubic2": 1}
    told = "bicubic2 / toy: 1 of 2 crops failed and count as wrong: enlarged 2 times, 9000 x 8 pixels are"
    assert [told in warning for warning in document["warnings"]].count(True) == 1
    assert "2 (1 failed)" in run("compare-sr", *arguments).stdout


def test_compare_sr_warns_of_what_was_learnt_from_and_cannot_be_written(tmp_path: Path) -> None:
    folder = tmp_path / "cars"
    save(folder / "0.png", crop_of_text("AB12"))
    save(folder / "1.png", crop_of_text("AB12"))
    labels = label_file(folder, [("0.png", "AB12"), ("1.png", "\u0416B12")])
    seen = {"data": ["synthetic", f"cars/{labels.name}"]}
    (tmp_path / "reader.onnx").write_bytes(model_bytes(metadata_with(training=json.dumps(seen))))
    learnt = sr_contract(scale=2, channels=1, training=seen).to_metadata()
    (tmp_path / "sr.onnx").write_bytes(sr_model(2, metadata=learnt))
    arguments = (
        "--pipeline",
        "none",
        "--pipeline",
        tmp_path / "sr.onnx",
        "--model",
        tmp_path / "reader.onnx",
    )
    warnings = json.loads(run("compare-sr", labels, *arguments, "--json").stdout)["warnings"]
    named = [warning.split(": ")[0] for warning in warnings if "training record" in warning]
    assert named == ["sr.onnx", "toy"]
    assert sum("cannot write: \u0416" in warning for warning in warnings) == 1


def test_labels_without_a_text_are_named_as_that(tmp_path: Path, models: Path) -> None:
    save(tmp_path / "0.png", crop_of_text("AB12"))
    labels = label_file(tmp_path, [("0.png", "")])
    result = run("compare-sr", labels, "--pipeline", "none", "--model", models / "toy.onnx")
    assert result.exit_code == 1
    assert "no crop with a labelled plate could be read: no label has a text" in result.stderr


def test_a_width_without_a_model_is_refused(tmp_path: Path, models: Path) -> None:
    save(tmp_path / "0.png", crop_of_text("AB12"))
    result = run("read", tmp_path / "0.png", "--model", models / "toy.onnx", "--sr-below", 50)
    assert result.exit_code == 2
    assert "give --sr too" in result.stderr


def test_buckets() -> None:
    widths = [1, 39, 40, 59, 60, 79, 80, 99, 100, 5000]
    names = [bucket(width) for width in widths]
    assert names == [name for name in BUCKETS for _ in range(2)]


# Bundled super-resolution models


@pytest.fixture
def bundled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of models: a reader, and one for super-resolution with its twin."""
    folder = tmp_path / "bundled"
    (folder / "sr").mkdir(parents=True)
    (folder / "default.onnx").write_bytes(model_bytes())
    for name, precision in (("tiny", "int8"), ("tiny-fp32", "fp32")):
        metadata = sr_contract(name=name, scale=2, precision=precision).to_metadata()
        (folder / "sr" / f"{name}.onnx").write_bytes(sr_model(2, metadata=metadata))
    monkeypatch.setattr("lprfast.models._FOLDER", folder)
    return folder


def test_tasks_are_kept_apart(bundled: Path) -> None:
    assert (model_names(), model_names("sr")) == (["default"], ["tiny"])
    assert model_path("tiny", task="sr") == bundled / "sr" / "tiny.onnx"
    assert model_path("tiny", "fp32", "sr") == bundled / "sr" / "tiny-fp32.onnx"
    assert SuperResolver("tiny", threads=1).model == str(bundled / "sr" / "tiny.onnx")
    assert SuperResolver("tiny", precision="fp32").model == str(bundled / "sr" / "tiny-fp32.onnx")
    exact = PlateReader(sr="tiny", threads=1, precision="fp32").sr_contract
    assert exact is not None
    assert (exact.name, exact.precision) == ("tiny-fp32", "fp32")
    with pytest.raises(ValueError, match=r"precision: int8 was asked for, but .*tiny-fp32\.onnx holds fp32"):
        SuperResolver(bundled / "sr" / "tiny-fp32.onnx", precision="int8")
    reader = PlateReader(sr="tiny", threads=1)
    assert reader.sr_contract is not None
    assert reader.sr_contract.name == "tiny"
    assert reader.read(small("AB12")).upscaled == 2


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "sr as reader": (
        lambda: PlateReader("tiny"),
        r"'tiny' is a bundled super-resolution model; a reader is expected here \(bundled ones: default\)",
    ),
    "reader as sr": (
        lambda: PlateReader(sr="default"),
        r"'default' is a bundled reader; a super-resolution model is expected here \(bundled ones: tiny\)",
    ),
    "reader as resolver": (lambda: SuperResolver("default"), "'default' is a bundled reader"),
    "no sr": (
        lambda: SuperResolver("best"),
        r"no bundled super-resolution model is called 'best' \(there are: tiny\), and no file either",
    ),
    "no reader": (lambda: PlateReader("best"), r"no bundled model is called 'best' \(there are: default\)"),
    "reader as pipeline": (
        lambda: open_pipeline("default"),
        "bicubic8, tiny or the file .* got 'default', which is a bundled reader$",
    ),
    "no pipeline": (
        lambda: open_pipeline("best"),
        "bicubic8, tiny or the file of a super-resolution model, got 'best'$",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_name_of_the_other_task_is_refused(bundled: Path, case: str) -> None:
    opened, message = REFUSED[case]
    with pytest.raises(ModelError, match=message):
        opened()


def test_the_commands_take_a_bundled_name(bundled: Path, tmp_path: Path) -> None:
    crop = save(tmp_path / "a.png", small("AB12"))
    assert run("upscale", crop, "--model", "tiny", "--out", tmp_path / "out").exit_code == 0
    assert load_image(tmp_path / "out" / "a.png").shape == (32, 128)
    result = run("upscale", crop, "--model", "default", "--out", tmp_path / "no")
    assert (result.exit_code, "'default' is a bundled reader" in result.stderr) == (2, True)
    assert '"upscaled": 2' in run("read", crop, "--sr", "tiny", "--json").stdout
    labels = label_file(tmp_path, [("a.png", "AB12")])
    ways = ("--pipeline", "none", "--pipeline", "tiny")
    document = json.loads(run("compare-sr", labels, *ways, "--json").stdout)
    assert [one["pipeline"] for one in document["runs"]] == ["none", "tiny"]
    assert document["settings"]["pipelines"]["tiny"]["sha256"] == sha256(bundled / "sr" / "tiny.onnx")


def test_the_list_states_the_task(bundled: Path) -> None:
    infos = json.loads(run("models", "--json").stdout)["models"]
    assert [(one["name"], one["task"], one["precision"]) for one in infos] == [
        ("default", "ocr", "fp32"),
        ("tiny", "sr", "int8"),
        ("tiny", "sr", "fp32"),
    ]
    assert (infos[1]["scale"], infos[1]["channels"]) == (2, 1)
    assert "1 x H x W, enlarged 2 times" in run("models").stdout
    (bundled / "sr" / "odd.onnx").write_bytes(model_bytes())
    result = run("models")
    assert (result.exit_code, result.stderr.startswith("failed: odd (odd.onnx): ")) == (1, True)
    assert "this is a reader" in result.stderr


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
