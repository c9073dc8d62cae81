"""The commands around super-resolution, on models that can be worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sr_models import nearest, sr_model
from test_cli import label_file, run
from toy_model import crop_of_text, model_bytes

from lprfast import load_image
from lprfast.cli.upscale import target_paths


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


@pytest.mark.parametrize("command", ["upscale"])
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
