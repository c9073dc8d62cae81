"""Plates of two lines, on a toy model that answers nothing to a crop whose two halves differ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from toy_model import CHARSET, LEVEL, SHARPNESS, STEPS, contract, crop_of, crop_of_text

import lprfast
from lprfast import PlateReader

Crop = npt.NDArray[np.uint8]
CLASSES = len(CHARSET) + 1


def model_bytes(**changes: object) -> bytes:
    """As in ``toy_model``, but a step is blank where rows 8-11 and 20-23 are 3 gray levels apart.

    The level of a step is the mean of rows 8-23, which show one line only in either half of a crop.
    """
    centres = (np.arange(CLASSES, dtype=np.float32) * LEVEL + LEVEL / 2).reshape(1, 1, CLASSES)
    constants: dict[str, Any] = {
        "centres": centres,
        "sharpness": np.float32([-SHARPNESS]),
        "shape": np.int64([-1, STEPS, 4]),
        "rows": np.int64([2]),
        **{f"row{y}": np.int64([y]) for y in (8, 12, 20, 24)},
        "three": np.float32(3),
        "zero": np.float32(0),
        "one": np.float32(1),
    }
    nodes = []
    for name, first, last in (("levels", 8, 24), ("above", 8, 12), ("below", 20, 24)):
        nodes += [
            helper.make_node("Slice", ["images", f"row{first}", f"row{last}", "rows"], [f"{name}_cut"]),
            helper.make_node("ReduceMean", [f"{name}_cut"], [f"{name}_mean"], axes=[1, 2], keepdims=0),
            helper.make_node("Reshape", [f"{name}_mean", "shape"], [f"{name}_steps"]),
            helper.make_node("ReduceMean", [f"{name}_steps"], [name], axes=[2], keepdims=1),
        ]
    nodes += [
        helper.make_node("Sub", ["above", "below"], ["apart"]),
        helper.make_node("Abs", ["apart"], ["size"]),
        helper.make_node("Sub", ["three", "size"], ["near"]),
        helper.make_node("Clip", ["near", "zero", "one"], ["alike"]),
        helper.make_node("Mul", ["levels", "alike"], ["shown"]),
        helper.make_node("Sub", ["shown", "centres"], ["distance"]),
        helper.make_node("Mul", ["distance", "distance"], ["squared"]),
        helper.make_node("Mul", ["squared", "sharpness"], ["scores"]),
    ]
    graph = helper.make_graph(
        nodes,
        "toy_two_line",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["N", 1, 32, 4 * STEPS])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", STEPS, CLASSES])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    helper.set_model_props(model, contract(**{"two_line": "halves", **changes}).to_metadata())
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def stack(top: Crop, bottom: Crop, rows: int = 32) -> Crop:
    """Both as the halves of one crop, ``rows`` each."""
    return np.concatenate([np.repeat(half[:1], rows, axis=0) for half in (top, bottom)])


def two_lines(top: str, bottom: str, rows: int = 32) -> Crop:
    return stack(crop_of_text(top), crop_of_text(bottom), rows)


@pytest.fixture(scope="module")
def reader() -> PlateReader:
    return PlateReader(model_bytes(), threads=2)


@pytest.fixture(scope="module")
def one_line_reader() -> PlateReader:
    return PlateReader(model_bytes(two_line="none"), threads=1)


@pytest.mark.parametrize(("top", "bottom"), [("AB12", "XY9"), ("A", "7XK42QM"), ("1111", "2222")])
@pytest.mark.parametrize("rows", [25, 32, 77])
def test_both_lines_are_read_in_order(reader: PlateReader, top: str, bottom: str, rows: int) -> None:
    read = reader.read(two_lines(top, bottom, rows))
    assert (read.text, read.status, read.lines, read.error) == (top + bottom, "ok", 2, None)
    assert read.confidence > 0.999
    assert (read.width, read.height) == (128, 2 * rows)
    assert len(read.char_confidences) == len(read.runners_up) == len(read.time_steps) == len(read.text)
    assert list(read.time_steps) == sorted(read.time_steps)
    assert [step > STEPS for step in read.time_steps] == [False] * len(top) + [True] * len(bottom)
    assert read.to_dict()["lines"] == 2


def test_a_symbol_that_ends_one_line_and_begins_the_other_is_read_twice(reader: PlateReader) -> None:
    label = CHARSET.index("K") + 1
    top, bottom = crop_of([0] * (STEPS - 1) + [label]), crop_of([label])
    assert reader.read(stack(top, bottom)).text == "KK"


@pytest.mark.parametrize("temperature", [0.5, 1.0, 80.0])
def test_the_lines_are_joined_by_a_step_that_is_blank_for_sure(temperature: float) -> None:
    reader = PlateReader(model_bytes(temperature=temperature), threads=1, min_confidence=0)
    crop = two_lines("AB12", "XY9")
    joined = reader.read(crop).log_posteriors
    assert joined is not None
    assert joined.shape == (2 * STEPS + 1, CLASSES)
    np.testing.assert_array_equal(joined[STEPS], [0.0] + [-30.0] * (CLASSES - 1))
    # Each line is what its part says by itself: 58 % of the height.
    for half, rows in ((crop[:37], slice(0, STEPS)), (crop[-37:], slice(STEPS + 1, None))):
        np.testing.assert_array_equal(joined[rows], reader.read(half).log_posteriors)


def test_confidence_and_alternatives_are_those_of_the_joined_lines(reader: PlateReader) -> None:
    crop = two_lines("AB12", "XY9")
    crop[:32, :8] += 2  # A is a third of the way to B, over its two steps
    top, bottom = reader.read(crop[:32]), reader.read(crop[32:])
    read = reader.read(crop, nbest=3)
    assert 0.9 < read.confidence < 0.9999
    assert read.confidence == pytest.approx(top.confidence * bottom.confidence, rel=1e-4)
    assert read.log_posteriors is not None
    rounded = read.log_posteriors.astype(np.float32)
    (log_probability,) = lprfast.ctc_score(rounded, ["AB12XY9"], CHARSET, logits=True)
    assert math.exp(log_probability) == pytest.approx(read.confidence, rel=2e-3)
    assert read.alternatives[0].text == "AB12XY9"
    assert read.alternatives[0].probability == pytest.approx(read.confidence, rel=1e-6)
    assert all(other.text[-3:] == "XY9" for other in read.alternatives)
    assert reader.read(crop).alternatives == ()


def test_quality_and_signature_are_those_of_the_whole_crop(
    reader: PlateReader, one_line_reader: PlateReader
) -> None:
    crop = two_lines("AB12", "XY9")
    read, whole = reader.read(crop), one_line_reader.read(crop)
    assert (whole.status, whole.lines) == ("no_plate", 0)
    assert read.quality == whole.quality
    np.testing.assert_array_equal(read.signature, whole.signature)


def test_what_reads_at_once_is_left_alone(reader: PlateReader, one_line_reader: PlateReader) -> None:
    for crop in (crop_of_text("AB12"), np.repeat(crop_of_text("AB12"), 3, axis=0)):
        read = reader.read(crop)
        assert (read.text, read.lines) == ("AB12", 1)
        assert read.to_dict(evidence=True) == one_line_reader.read(crop).to_dict(evidence=True)


@pytest.mark.parametrize(("rows", "lines"), [(24, 0), (25, 2)])
def test_only_crops_less_than_2_6_times_as_wide_as_high(reader: PlateReader, rows: int, lines: int) -> None:
    read = reader.read(two_lines("AB12", "XY9", rows))
    assert read.lines == lines
    assert read.status == ("ok" if lines else "no_plate")


@pytest.mark.parametrize("empty", [0, 1])
def test_one_line_of_two_is_no_plate(reader: PlateReader, empty: int) -> None:
    texts = ["AB12", "AB12"]
    texts[empty] = ""
    read = reader.read(two_lines(*texts))
    assert (read.text, read.status, read.lines, read.confidence) == ("", "no_plate", 0, 0.0)
    assert read.log_posteriors is not None
    assert read.log_posteriors.shape == (STEPS, CLASSES)


def test_an_unlikely_text_is_unreadable() -> None:
    reader = PlateReader(model_bytes(temperature=50.0), threads=1, min_confidence=0.9)
    read = reader.read(two_lines("AB12", "XY9"))
    assert (read.text, read.status, read.lines, read.confidence) == ("", "unreadable", 0, 0.0)


def layouts_of(crop: Crop) -> list[npt.NDArray[np.uint8]]:
    color = np.repeat(crop[..., None], 3, axis=2)
    wide = np.zeros((crop.shape[0], 3 * crop.shape[1]), np.uint8)
    wide[:, ::3] = crop
    return [
        color,
        color[..., ::-1],
        np.concatenate([color, color[..., :1]], axis=2),
        np.ascontiguousarray(crop[::-1])[::-1],
        np.asfortranarray(crop),
        wide[:, ::3],
    ]


def test_layout_in_memory_changes_nothing(reader: PlateReader) -> None:
    crop = two_lines("AB12CD34EF", "XY98WV76UT", 42)
    expected = reader.read(crop).to_dict(evidence=True)
    assert expected["lines"] == 2
    for view in layouts_of(crop):
        assert reader.read(view).to_dict(evidence=True) == expected


@pytest.mark.parametrize(("threads", "batch"), [(1, 1), (1, 16), (3, 1), (3, 2), (4, 5)])
def test_threads_and_batches_change_nothing(threads: int, batch: int) -> None:
    texts = [("AB12", "XY9"), ("A", "B"), ("77", "KKKK"), ("QWE", "1")]
    crops: list[Any] = []
    for i in range(13):
        crops += [two_lines(*texts[i % 4], rows=28 + i), crop_of_text("AB12"), np.zeros((40, 60), np.uint8)]
    crops += ["no crop", two_lines("AB12", "")]
    expected = [PlateReader(model_bytes(), threads=1).read(crop).to_dict(evidence=True) for crop in crops]
    reads = PlateReader(model_bytes(), threads=threads, batch=batch).read_many(crops)
    assert [read.to_dict(evidence=True) for read in reads] == expected
    assert [read.lines for read in reads] == [2, 1, 0] * 13 + [0, 0]
    assert [read.text for read in reads[:12:3]] == [top + bottom for top, bottom in texts]


def test_tiny_and_odd_crops_are_answered(reader: PlateReader) -> None:
    random = np.random.default_rng(5)
    sizes: Sequence[tuple[int, int]] = [(h, w) for h in range(1, 24, 3) for w in (1, 7, 8, 9, 20, 33)]
    crops = [random.integers(0, 7, size).astype(np.uint8) for size in (*sizes, (300, 8), (900, 700))]
    for read in reader.read_many(crops, nbest=2):
        assert read.status in ("ok", "no_plate", "unreadable")
        assert (read.lines > 0) == (read.status == "ok") == bool(read.text)


def test_reads_of_one_and_of_two_lines_vote_together(reader: PlateReader) -> None:
    random = np.random.default_rng(3)
    crops = []
    for rows, top in ((30, "AB12"), (33, "AB12"), (36, "AB72")):
        noise = random.integers(0, 2, (2 * rows, 128)).astype(np.uint8)
        crops.append(two_lines(top, "XY9", rows) + noise)
    crops.append(crop_of_text("AB12XY9"))
    reads = reader.read_many(crops)
    assert [read.lines for read in reads] == [2, 2, 2, 1]
    vote = lprfast.vote(reads)
    assert (vote.text, vote.status) == ("AB12XY9", "ok")
    assert [contribution.used for contribution in vote.contributions] == [True] * 4
    assert [contribution.agrees for contribution in vote.contributions] == [True, True, False, True]
    alone = lprfast.vote(reads[:1])
    assert (alone.text, alone.status) == ("AB12XY9", "ok")
    assert vote.contributions[3].log_likelihood == pytest.approx(0, abs=1e-2)
