"""The commands around super-resolution, on models that can be worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sr_models import nearest, sr_model
from test_cli import label_file, run, save_crop
from toy_model import CHARSET, charset_json, crop_of_text, metadata_with, model_bytes

from lprfast import PlateReader, load_image
from lprfast.cli.upscale import target_paths
from lprfast.evaluation.sr_pipelines import BUCKETS, PipelineReader, bucket, open_pipeline


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


def test_compare_sr_shrinks_first_and_takes_several_readers(tmp_path: Path, models: Path) -> None:
    labelled(tmp_path)
    (tmp_path / "other.onnx").write_bytes(model_bytes(metadata_with(name="other")))
    document = compare(tmp_path, models, "--width", "50", "--model", tmp_path / "other.onnx")
    assert [(one["reader"], one["pipeline"]) for one in document["runs"]] == [
        (reader, pipeline) for reader in ("toy", "other") for pipeline in ("none", "twice.onnx", "black.onnx")
    ]
    assert all([cell["width"] for cell in one["widths"]] == ["40-60", "all"] for one in document["runs"])
    assert document["runs"][0]["widths"][1]["crops"] == document["runs"][3]["widths"][1]["crops"]


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
    tested = {(test["reader"], test["first"], test["second"]) for test in document["tests"]}
    assert len(tested) == 2


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


def test_a_crop_that_sr_fails_on_counts_as_wrong(tmp_path: Path, models: Path) -> None:
    weights = np.full((4, 1, 1, 1), np.inf, np.float32)
    (tmp_path / "inf.onnx").write_bytes(sr_model(2, weights=weights))
    reader = PipelineReader(open_pipeline(str(tmp_path / "inf.onnx")), PlateReader(model_bytes()))
    read, *_ = reader.read_many([small("AB12")])
    assert (read.status, read.text, read.width) == ("error", "", 64)
    assert reader.spent["60-80"].crops == 1
    assert reader.spent["100+"].ms(0) is None


def test_buckets() -> None:
    widths = [1, 39, 40, 59, 60, 79, 80, 99, 100, 5000]
    names = [bucket(width) for width in widths]
    assert names == [name for name in BUCKETS for _ in range(2)]
