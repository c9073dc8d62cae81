"""PlateReader on a toy model whose answers can be worked out by hand, and on bad input."""

from __future__ import annotations

import math
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from toy_model import (
    CHARSET,
    LEVEL,
    SHARPNESS,
    STEPS,
    charset_json,
    crop_of,
    crop_of_text,
    metadata_with,
    metadata_without,
    model_bytes,
)

import lprfast
from lprfast import ModelError, PlateRead, PlateReader

TEXTS = ["AB12", "ZZ99", "0O0O", "A", "11111", "7XK42QM"]


@pytest.fixture(scope="module")
def reader() -> PlateReader:
    return PlateReader(model_bytes(), threads=2)


@pytest.mark.parametrize("text", TEXTS)
def test_reads_what_the_crop_spells(reader: PlateReader, text: str) -> None:
    read = reader.read(crop_of_text(text))
    assert (read.text, read.status, read.error) == (text, "ok", None)
    assert len(read.char_confidences) == len(read.runners_up) == len(read.time_steps) == len(text)
    assert all(confidence > 0.999 for confidence in read.char_confidences)
    assert read.confidence > 0.999
    assert (read.width, read.height) == (128, 32)


@pytest.mark.parametrize("symbol", CHARSET)
def test_every_symbol_comes_back_single_and_doubled(reader: PlateReader, symbol: str) -> None:
    assert reader.read(crop_of_text(symbol)).text == symbol
    assert reader.read(crop_of_text(symbol + symbol)).text == symbol + symbol


def test_confidence_is_the_probability_of_the_text(reader: PlateReader) -> None:
    # One step between class 1 ('0') and class 2 ('1'), nearer to class 1; every other step is blank.
    crop = crop_of([0, 1])
    crop[:, 4:8] = LEVEL + LEVEL // 2 + 2  # 2 levels above class 1's centre, 4 below class 2's
    odds = math.exp(-SHARPNESS * (4**2 - 2**2))
    blank_odds = math.exp(-SHARPNESS * (8**2 - 2**2))
    expected = 1 / (1 + odds + blank_odds + math.exp(-SHARPNESS * (10**2 - 2**2)))
    read = reader.read(crop, nbest=3)
    assert read.text == "0"
    assert read.char_confidences == pytest.approx([expected], abs=1e-5)
    assert read.runners_up == ("1",)
    assert read.runner_up_confidences == pytest.approx([expected * odds], rel=1e-4)
    assert read.time_steps == (1,)
    assert read.confidence == pytest.approx(expected, abs=1e-4)
    assert [other.text for other in read.alternatives[:2]] == ["0", "1"]
    assert read.alternatives[0].probability == pytest.approx(read.confidence, abs=1e-6)


def test_a_blank_crop_is_no_plate(reader: PlateReader) -> None:
    read = reader.read(crop_of([]))
    assert (read.text, read.status, read.confidence, read.char_confidences) == ("", "no_plate", 0.0, ())
    assert read.log_posteriors is not None


def test_an_unlikely_text_is_unreadable() -> None:
    crop = crop_of([0, 1])
    crop[:, 4:8] = LEVEL + LEVEL // 2 + 2
    read = PlateReader(model_bytes(), min_confidence=1.0).read(crop)
    assert (read.text, read.status, read.confidence, read.char_confidences) == ("", "unreadable", 0.0, ())
    assert read.log_posteriors is not None


def test_posteriors_are_what_the_model_says(reader: PlateReader) -> None:
    read = reader.read(crop_of_text("A1"))
    assert read.charset is not None
    assert read.charset == ("", *CHARSET)
    posteriors = read.log_posteriors
    assert posteriors is not None
    assert (posteriors.dtype, posteriors.shape) == (np.float16, (STEPS, 37))
    assert posteriors[0].argmax() == CHARSET.index("A") + 1
    np.testing.assert_allclose(np.exp(posteriors.astype(np.float64)).sum(axis=1), 1, atol=2e-3)


def test_nbest_is_off_by_default(reader: PlateReader) -> None:
    assert reader.read(crop_of_text("AB")).alternatives == ()
    assert len(reader.read(crop_of_text("AB"), nbest=4).alternatives) == 4


def comparable(read: PlateRead) -> tuple[Any, ...]:
    return (read.text, read.status, read.confidence, read.char_confidences, read.time_steps, read.quality)


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("batch", [1, 3, 16])
def test_batch_and_threads_change_nothing(reader: PlateReader, threads: int, batch: int) -> None:
    crops = [crop_of_text(TEXTS[i % len(TEXTS)])[:, : 100 + i % 29] for i in range(61)]
    expected = [comparable(reader.read(crop)) for crop in crops]
    other = PlateReader(model_bytes(), threads=threads, batch=batch)
    assert [comparable(read) for read in other.read_many(crops)] == expected


def demo_crops() -> list[Any]:
    folder = Path(lprfast.__file__).parent / "demo_tracks"
    return [lprfast.load_image(path) for path in sorted(folder.glob("*/*.png"))]


@pytest.mark.parametrize(("threads", "batch"), [(1, 1), (1, 5), (2, 16), (3, 4)])
def test_batch_and_threads_change_no_text_of_the_bundled_model(threads: int, batch: int) -> None:
    crops = demo_crops()
    one = PlateReader(threads=1, batch=1)
    expected = [one.read(crop) for crop in crops]
    reads = PlateReader(threads=threads, batch=batch).read_many(crops)
    assert len(crops) >= 20
    assert [read.text for read in reads] == [read.text for read in expected]
    # The model's arithmetic may differ in the last bits from one batch size to another.
    confidences = [read.confidence for read in expected]
    assert [read.confidence for read in reads] == pytest.approx(confidences, abs=1e-3)


def test_a_stack_of_crops_is_read_as_its_crops(reader: PlateReader) -> None:
    stack = np.stack([crop_of_text("AB12"), crop_of_text("XY")])[..., None]
    assert [read.text for read in reader.read_many(stack)] == ["AB12", "XY"]
    assert reader.read_many([]) == []
    assert reader.read_many(crop_of_text("AB12") for _ in range(2))[1].text == "AB12"  # type: ignore[arg-type]


def test_layouts_and_colours_read_alike() -> None:
    gray = crop_of_text("AB12")
    bgr = np.repeat(gray[..., None], 3, axis=2)
    bgra = np.dstack([bgr, np.zeros_like(gray)])
    wide = np.zeros((64, 256), np.uint8)
    wide[::2, ::2] = gray
    readonly = gray.copy()
    readonly.setflags(write=False)
    layouts = [
        gray,
        bgr,
        bgra,
        gray[..., None],
        wide[::2, ::2],
        np.asfortranarray(gray),
        gray[::-1],
        readonly,
    ]
    for color in ("bgr", "rgb"):
        reads = PlateReader(model_bytes(), color=color).read_many(layouts)  # type: ignore[arg-type]
        assert [read.text for read in reads] == ["AB12"] * len(layouts)


def test_colour_order_is_what_was_stated() -> None:
    # Pure blue is dark (0.114), pure red lighter (0.299): the same array reads differently by its order.
    crop = np.zeros((32, 128, 3), np.uint8)
    crop[:, :8, 0] = 255
    first = PlateReader(model_bytes(), color="bgr").read(crop)
    second = PlateReader(model_bytes(), color="rgb").read(crop)
    assert first.text == CHARSET[round(0.114 * 255) // LEVEL - 1]
    assert second.text == CHARSET[round(0.299 * 255) // LEVEL - 1]


BAD_CROPS = {
    "none": (None, "NoneType"),
    "list": ([[1, 2]], "list"),
    "float": (np.zeros((32, 128), np.float32), "float32"),
    "signed": (np.zeros((32, 128), np.int8), "int8"),
    "one axis": (np.zeros(5, np.uint8), r"\(5,\)"),
    "four axes": (np.zeros((2, 32, 128, 1), np.uint8), r"\(2, 32, 128, 1\)"),
    "two channels": (np.zeros((32, 128, 2), np.uint8), r"\(32, 128, 2\)"),
    "no rows": (np.zeros((0, 128), np.uint8), "empty"),
    "no columns": (np.zeros((32, 0, 3), np.uint8), "empty"),
}


@pytest.mark.parametrize("kind", sorted(BAD_CROPS))
def test_a_bad_crop_costs_only_itself(reader: PlateReader, kind: str) -> None:
    bad, reason = BAD_CROPS[kind]
    good = crop_of_text("AB12")
    reads = reader.read_many([good, bad, good])  # type: ignore[list-item]
    assert [read.text for read in reads] == ["AB12", "", "AB12"]
    assert reads[1].status == "error"
    assert reads[1].error is not None
    assert re.search(reason, reads[1].error)
    assert (reads[1].confidence, reads[1].char_confidences, reads[1].log_posteriors) == (0.0, (), None)


@pytest.mark.parametrize("shape", [(1, 1), (1, 200), (200, 1), (4, 7), (3, 8)])
def test_tiny_crops_are_unreadable_without_a_run(reader: PlateReader, shape: tuple[int, int]) -> None:
    read = reader.read(np.zeros(shape, np.uint8))
    assert (read.status, read.text, read.confidence, read.log_posteriors) == ("unreadable", "", 0.0, None)


@pytest.mark.parametrize("shape", [(4, 8), (10_000, 8), (8, 10_000), (3000, 10_000, 3)])
def test_extreme_sizes_are_read(reader: PlateReader, shape: tuple[int, ...]) -> None:
    assert reader.read(np.zeros(shape, np.uint8)).status == "no_plate"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda r: r.read_many(np.zeros((32, 128), np.uint8)), "use read"),
        (lambda r: r.read_many("crop.png"), "sequence of uint8 arrays, got str"),
        (lambda r: r.read_many(5), "got int"),
    ],
)
def test_what_is_no_sequence_of_crops_is_refused(reader: PlateReader, call: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        call(reader)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"threads": 0}, "threads: expected 1 to 1024, got 0"),
        ({"batch": 0}, "batch: expected 1 to 1024, got 0"),
        ({"color": "hsv"}, "color: expected 'bgr' or 'rgb', got 'hsv'"),
        ({"min_confidence": 1.5}, "min_confidence: expected 0 to 1"),
        ({"min_confidence": math.nan}, "min_confidence: expected 0 to 1"),
        ({"device": "tpu"}, "tpu"),
        ({"threads": 2**40}, "threads: expected a number of 32 bits"),
    ],
)
def test_arguments_out_of_range_are_named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PlateReader(model_bytes(), **arguments)


@pytest.mark.parametrize("nbest", [-1, 101])
def test_nbest_out_of_range_is_named(reader: PlateReader, nbest: int) -> None:
    with pytest.raises(ValueError, match=f"nbest: expected 0 to 100, got {nbest}"):
        reader.read(crop_of([]), nbest=nbest)


@pytest.mark.parametrize("arguments", [{"threads": "4"}, {"threads": 1.5}, {"batch": None}])
def test_arguments_of_another_type_are_named(arguments: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=f"{next(iter(arguments))}: expected a whole number"):
        PlateReader(model_bytes(), **arguments)


def test_an_unknown_model_name_lists_those_there_are() -> None:
    with pytest.raises(ValueError, match="no bundled model is called 'defautl'"):
        PlateReader("defautl")


BAD_METADATA = {
    "no metadata": ({}, "'contract_version' is missing"),
    "no charset": (metadata_without("charset"), "'charset' is missing"),
    "no mean": (metadata_without("mean"), "'mean' is missing"),
    "other version": (metadata_with(contract_version="1"), "contract_version is 1"),
    "other task": (metadata_with(task="sr"), "'task': expected 'ocr', got 'sr'"),
    "charset too short": (metadata_with(charset=charset_json(CHARSET[:-1])), "36 classes"),
    "charset too long": (metadata_with(charset=charset_json((*CHARSET, "!"))), "38 classes"),
    "symbol twice": (metadata_with(charset=charset_json((*CHARSET[:-1], "0"))), "no symbol twice"),
    "charset no list": (metadata_with(charset='"ABC"'), "JSON list"),
    "charset no JSON": (metadata_with(charset="ABC"), "'charset' cannot be read"),
    "blank out of range": (metadata_with(blank="37"), "'blank': expected 0 to 36, got 37"),
    "blank negative": (metadata_with(blank="-1"), "'blank'"),
    "width of another model": (metadata_with(input_width="96"), "the model takes"),
    "scale zero": (metadata_with(scale="0"), "'scale': expected a number from 1e-06"),
    "scale nan": (metadata_with(scale="nan"), "'scale'"),
    "mean too large": (metadata_with(mean="1e30"), "'mean': expected a number from -10000"),
    "charset nested": (metadata_with(charset="[" * 100_000), "'charset' cannot be read"),
    "output is logits": (metadata_with(output="log_posteriors"), "'output': the model's answer"),
    "kernel unknown": (metadata_with(resize_kernel="lanczos"), "'resize_kernel'"),
    "temperature": (metadata_with(temperature="-1"), "'temperature'"),
}


@pytest.mark.parametrize("case", sorted(BAD_METADATA))
def test_wrong_metadata_are_a_model_error_that_names_the_key(case: str, tmp_path: Path) -> None:
    metadata, message = BAD_METADATA[case]
    path = tmp_path / "model.onnx"
    path.write_bytes(model_bytes(metadata))
    with pytest.raises(ModelError, match=message) as caught:
        PlateReader(path)
    assert str(path) in str(caught.value)


def test_truncated_and_missing_model_files_are_model_errors(tmp_path: Path) -> None:
    whole = model_bytes()
    for size in (0, 1, 100, len(whole) // 2, len(whole) - 1):
        path = tmp_path / f"cut{size}.onnx"
        path.write_bytes(whole[:size])
        with pytest.raises(ModelError, match=path.name):
            PlateReader(path)
    with pytest.raises(ModelError, match=r"missing\.onnx"):
        PlateReader(tmp_path / "missing.onnx")
    with pytest.raises(ModelError):
        PlateReader(tmp_path)


def test_many_python_threads_get_the_serial_answers(reader: PlateReader) -> None:
    crops = [crop_of_text(text) for text in TEXTS]
    expected = [comparable(read) for read in reader.read_many(crops)]
    wrong: list[Any] = []

    def work(offset: int) -> None:
        for i in range(60):
            k = (i + offset) % len(crops)
            if comparable(reader.read(crops[k])) != expected[k]:
                wrong.append(k)
            if [comparable(read) for read in reader.read_many(crops)] != expected:
                wrong.append("many")

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_reads_with_a_pool_of_its_own() -> None:
    reader = PlateReader(model_bytes(), threads=3)
    crops = [crop_of_text(text) for text in TEXTS * 8]
    expected = [read.text for read in reader.read_many(crops)]  # the parent's pool is up
    child = os.fork()
    if child == 0:
        signal.alarm(60)  # a hang ends as a failure, not as a test run that never ends
        try:
            same = [read.text for read in reader.read_many(crops)] == expected
            os._exit(0 if same else 1)
        except BaseException:
            os._exit(2)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert [read.text for read in reader.read_many(crops)] == expected


DAEMONS = """
import threading, time
import numpy as np
import lprfast

reader = lprfast.PlateReader(threads=2)
crops = [np.full((24, 96), 90, np.uint8)] * 32

def work():
    while True:
        reader.read_many(crops)

for _ in range(3):
    threading.Thread(target=work, daemon=True).start()
time.sleep(0.2)
"""


def test_daemon_threads_in_a_read_do_not_abort_the_exit() -> None:
    result = subprocess.run(
        [sys.executable, "-c", DAEMONS], capture_output=True, text=True, timeout=120, check=False
    )
    assert "terminate called" not in result.stderr
    assert result.returncode == 0


def test_to_dict_is_plain_and_carries_evidence_only_when_asked(reader: PlateReader) -> None:
    import json

    read = reader.read(crop_of_text("AB12"), nbest=2)
    short = read.to_dict()
    assert json.loads(json.dumps(short)) == short
    assert (short["schema_version"], short["text"], short["status"]) == (1, "AB12", "ok")
    assert "log_posteriors" not in short
    full = read.to_dict(evidence=True)
    assert np.shape(full["log_posteriors"]) == (STEPS, 37)
    assert len(full["signature"]) == 64
    with pytest.raises(AttributeError):
        read.text = "B"  # type: ignore[misc]


def test_read_track_votes(reader: PlateReader) -> None:
    crops = [crop_of_text(text) for text in ("AB12", "AB12", "AB17", "AB12")]
    vote = reader.read_track(crops)
    assert (vote.text, vote.status) == ("AB12", "ok")
    assert vote.to_dict() == lprfast.vote(reader.read_many(crops)).to_dict()
