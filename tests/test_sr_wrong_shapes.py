"""Super-resolution models that declare free axes and answer other shapes than their metadata say."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from PIL import Image
from sr_models import nearest, sr_model
from test_cli import label_file, run
from toy_model import crop_of_text, model_bytes

from lprfast import ModelError, PlateReader, SuperResolver

LARGEST_WIDTH = 96  # of the crops that the capped model enlarges as its metadata say


def twice(*, ending: str) -> bytes:
    """Nearest upsampling by 2, its answer put into one shape (``fixed``) or cut in width (``capped``)."""
    operator, *arguments = {
        "fixed": ("Reshape", [-1, 1, 16, 64]),
        "capped": ("Slice", [0], [2 * LARGEST_WIDTH], [3]),  # from, to, axis
    }[ending]
    model = onnx.load_from_string(sr_model(2))
    graph = model.graph
    graph.node[-1].output[0] = "large"
    names = [f"argument {number}" for number in range(len(arguments))]
    for name, values in zip(names, arguments, strict=True):
        graph.initializer.append(numpy_helper.from_array(np.array(values, np.int64), name))
    graph.node.append(helper.make_node(operator, ["large", *names], ["upscaled"]))
    return bytes(model.SerializeToString())


def test_a_size_that_is_baked_in_is_found_at_the_opening(tmp_path: Path) -> None:
    # [1, 1, 8, 32], enlarged, is just that shape: one size proves nothing.
    file = tmp_path / "fixed.onnx"
    file.write_bytes(twice(ending="fixed"))
    with pytest.raises(ModelError, match=r"fixed\.onnx: the metadata says scale 2, so \[2, 1, 16, 48\] sho"):
        SuperResolver(file)


def test_a_wrong_shape_costs_only_its_crops() -> None:
    narrow, wide = (np.arange(20 * width, dtype=np.uint8).reshape(20, width) for width in (90, 100))
    good, bad = SuperResolver(twice(ending="capped")).upscale_many([narrow, wide])
    assert good.image is not None
    np.testing.assert_array_equal(good.image, nearest(narrow, 2))
    assert bad.image is None
    assert bad.error == (
        "super-resolution: the metadata says scale 2, so [1, 1, 24, 112] should give [1, 1, 48, 224]; the "
        "model answers [1, 1, 48, 192]"
    )
    reader = PlateReader(model_bytes(), sr=twice(ending="capped"), sr_below=200)
    reads = reader.read_many([wide, crop_of_text("A")[:, :90]])
    assert [(read.status, read.upscaled) for read in reads] == [("error", 0), ("ok", 2)]


def test_of_a_large_crop_too() -> None:
    large = np.zeros((300, 200), np.uint8)
    answer = SuperResolver(twice(ending="capped")).upscale_many([large])[0]
    assert answer.image is None
    assert "should give [1, 1, 256, 256]; the model answers [1, 1, 256, 192]" in str(answer.error)


def test_the_commands_say_so(tmp_path: Path) -> None:
    (tmp_path / "toy.onnx").write_bytes(model_bytes())
    (tmp_path / "fixed.onnx").write_bytes(twice(ending="fixed"))
    (tmp_path / "capped.onnx").write_bytes(twice(ending="capped"))
    crop = crop_of_text("AB12")
    assert crop.shape[1] > LARGEST_WIDTH
    (tmp_path / "crops").mkdir()
    Image.fromarray(crop).save(tmp_path / "crops" / "wide.png")
    Image.fromarray(crop[::2, ::2]).save(tmp_path / "crops" / "narrow.png")
    labels = label_file(tmp_path, [("crops/wide.png", "AB12"), ("crops/narrow.png", "AB12")])

    upscale = ("upscale", tmp_path / "crops", "--out", tmp_path / "out", "--model")
    refused = run(*upscale, tmp_path / "fixed.onnx")
    assert refused.exit_code == 2
    assert "fixed.onnx: the metadata says scale 2" in refused.stderr
    partly = run(*upscale, tmp_path / "capped.onnx")
    assert partly.exit_code == 1
    assert "wide.png: super-resolution: the metadata says scale 2" in partly.stderr
    assert "1 crop written" in partly.stderr

    document = json.loads(
        run("compare-sr", labels, "--pipeline", "none", "--pipeline", tmp_path / "capped.onnx", "--model",
            tmp_path / "toy.onnx", "--json").stdout
    )  # fmt: skip
    assert [one["widths"][-1]["failed"] for one in document["runs"]] == [0, 1]
