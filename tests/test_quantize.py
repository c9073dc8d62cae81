"""int8: what is quantised, that no processor saturates, what is refused, which precision is opened."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import pytest
import torch
from click.testing import CliRunner
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from torch import nn
from toy_model import CHARSET, charset_json, crop_of_text, metadata_with, model_bytes

import lprfast
from lprfast.cli import main as lprfast_main
from lprfast.evaluation import Sample, Settings
from lprfast.model import ModelContract
from lprfast.models import model_names, model_path
from training import calibrate, compare_models, false_reads, quantize
from training.export import to_onnx
from training.ocr.model import LstmHead, build_model, conv_bn, residual
from training.qdq import QuantizeError, check_pairs, worst_pairs
from training.synth import PlateGenerator
from training.synth import Sample as SyntheticSample

CONTRACT = ModelContract(name="small", charset=CHARSET, training={"parameters": 7}, two_line="halves")
FEW = ["--crops", "4", "--compared", "8"]


@pytest.fixture(scope="module")
def fp32(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A very small CRNN of random weights, the head's large so that crops are answered differently."""
    torch.manual_seed(3)
    body = [conv_bn(1, 8, 3, 2), conv_bn(8, 16, 3, 2), residual(16), conv_bn(16, 16, (8, 1), 1, 0)]
    head = LstmHead(16, 8, len(CHARSET) + 1)
    with torch.no_grad():
        for weights in (head.lstm.weight_ih_l0, head.lstm.weight_ih_l0_reverse, head.classify.weight):
            weights *= 8
    model = nn.Sequential(*body, head).eval()
    path = tmp_path_factory.mktemp("small") / "small.onnx"
    onnx.save(to_onnx(model, CONTRACT), path)
    return path


@pytest.fixture(scope="module")
def int8(fp32: Path) -> Path:
    out = fp32.with_name("small-int8.onnx")
    assert quantize.main([str(fp32), "--out", str(out), "--seed", "5", *FEW]) == 0
    return out


def contract_of(path: Path) -> ModelContract:
    return ModelContract.from_metadata({entry.key: entry.value for entry in onnx.load(path).metadata_props})


def test_the_contract_is_carried_over_and_says_what_was_done(int8: Path) -> None:
    contract = contract_of(int8)
    record = contract.training["quantization"]
    assert replace(contract, precision="fp32", training=CONTRACT.training) == CONTRACT
    assert contract.precision == "int8"
    assert contract.training["parameters"] == 7
    assert record["calibration_crops"] == {"synthetic": 4, "labelled": 0}
    assert (record["seed"], record["lstm"], record["compared"]["n"]) == (5, "fp32", 8)
    assert record["compared"]["exact_fp32"] == record["compared"]["exact_int8"] == 0


def test_all_between_the_stem_and_the_last_convolution_is_int8(int8: Path) -> None:
    layers = worst_pairs(onnx.load(int8))
    assert len(layers) == 3, layers  # of five convolutions; the LSTM and the last layer stay as they are
    assert not any("classify" in name for name in layers)
    graph = onnx.load(int8).graph
    assert [node.op_type for node in graph.node].count("Conv") == 5
    convolutions = [node.input[1] for node in graph.node if node.op_type == "Conv"]
    weights = [tensor for tensor in graph.initializer if tensor.name in convolutions]
    assert {tensor.name for tensor in weights} == {convolutions[0], convolutions[-1]}
    assert {tensor.data_type for tensor in weights} == {TensorProto.FLOAT}


def test_the_answers_are_nearly_those_of_fp32(fp32: Path, int8: Path) -> None:
    generator = PlateGenerator(11)
    crops = [generator.sample().crop for _ in range(8)]
    first, second = (
        np.exp([read.log_posteriors for read in lprfast.PlateReader(path, threads=1).read_many(crops)])
        for path in (fp32, int8)
    )
    spread = np.ptp(first, axis=0).max()
    assert spread > 0.1
    assert 0 < np.abs(first - second).max() < 0.1 * spread


def test_corners_and_the_cutting_out_stay_fp32(tmp_path: Path) -> None:
    torch.manual_seed(4)
    contract = ModelContract(name="small", charset=CHARSET)  # 32 x 128: half of what the network is made for
    source, out = tmp_path / "aligned.onnx", tmp_path / "int8.onnx"
    onnx.save(to_onnx(build_model("aligned_slim", len(CHARSET) + 1, 32).eval(), contract), source)
    assert quantize.main([str(source), "--out", str(out), *FEW]) == 0
    graph = onnx.load(out).graph
    makers = {name: node for node in graph.node for name in node.output}
    gathers = [node for node in graph.node if node.op_type == "GatherElements"]
    assert len(gathers) == 4
    # From the gathered pixels' places back to the image ...
    wanted, kinds = [name for node in gathers for name in node.input[1:]], {}
    while wanted:
        node = makers.get(wanted.pop())
        if node is not None and node.output[0] not in kinds:
            kinds[node.output[0]] = node.op_type
            wanted.extend(node.input)
    found = list(kinds.values())
    assert found.count("Conv") == 4  # all of the locator
    assert found.count("Gemm") + found.count("MatMul") == 4  # its two layers, and the points on either axis
    assert not [kind for kind in found if "Quantize" in kind or "Integer" in kind]
    # ... and forward to the reader's first convolution nothing is rounded.
    reader = next(node for node in graph.node if node.op_type == "Conv" and "/read" in node.name)
    assert makers[reader.input[0]].op_type == "Reshape"
    int8 = list(worst_pairs(onnx.load(out)))
    assert len(int8) >= 4  # the reader's are
    assert not [name for name in int8 if "/locate" in name]


# Saturation


def multiply_add(values: npt.NDArray[Any], weights: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """``vpmaddubsw``: uint8 times int8, neighbours added with saturation to int16."""
    products = values.astype(np.int64) * weights
    return np.clip(products[..., ::2] + products[..., 1::2], -(2**15), 2**15 - 1)


def quantised_weights(path: Path) -> Iterator[npt.NDArray[np.int64]]:
    """The int8 weights of each convolution, ``[outputs, inputs]``."""
    for tensor in onnx.load(path).graph.initializer:
        if tensor.data_type == TensorProto.INT8 and len(tensor.dims) == 4:
            yield numpy_helper.to_array(tensor).astype(np.int64).reshape(tensor.dims[0], -1)


def test_no_pair_of_products_saturates_without_vnni(int8: Path) -> None:
    layers = list(quantised_weights(int8))
    assert len(layers) == 3
    for weights in layers:
        # Sorted, the largest of either sign are neighbours: the worst that any layout can do.
        for row in (np.sort(weights, axis=1), np.sort(weights, axis=1)[:, ::-1]):
            even = row[:, : row.shape[1] // 2 * 2]
            full = np.full(even.shape, 255)
            exact = (full * even).reshape(len(even), -1, 2).sum(axis=2)
            np.testing.assert_array_equal(multiply_add(full, even), exact)


def test_weights_of_eight_bits_saturate_and_are_refused() -> None:
    assert multiply_add(np.array([255, 255]), np.array([64, 64])).tolist() == [32640]
    assert multiply_add(np.array([255, 255]), np.array([127, 127])).tolist() == [2**15 - 1]
    check_pairs(matrix_model([[64, 1], [-64, 127]]))
    with pytest.raises(QuantizeError, match=r"product, input 1: .* add up to 129, expected at most 128"):
        check_pairs(matrix_model([[64, 1], [-65, 0]]))
    with pytest.raises(QuantizeError, match="no convolution or matrix product"):
        check_pairs(onnx.ModelProto())


def matrix_model(weights: list[list[int]]) -> onnx.ModelProto:
    """``x @ weights`` with int8 weights [inputs, outputs]."""
    nodes = [
        helper.make_node("DequantizeLinear", ["weights", "scale"], ["floats"]),
        helper.make_node("MatMul", ["x", "floats"], ["y"], name="product"),
    ]
    constants = {"weights": np.array(weights, np.int8), "scale": np.float32(1)}
    tensors = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    return helper.make_model(helper.make_graph(nodes, "matrix", [], [], tensors))


def test_worst_pairs_are_those_of_one_output() -> None:
    assert worst_pairs(matrix_model([[3, 50], [-4, 60], [1, 0]])) == {"product, input 1": 110}
    assert worst_pairs(matrix_model([[-7, 2]])) == {"product, input 1": 7}
    model = matrix_model([[1, 2], [3, 4]])
    model.graph.node[1].op_type = "Conv"
    assert worst_pairs(model) == {"product, input 1": 7}  # [outputs, inputs]
    model.graph.node[1].op_type = "ConvTranspose"
    assert worst_pairs(model) == {"product, input 1": 6}  # [inputs, outputs]
    model.graph.node[1].op_type = "Gemm"
    model.graph.node[1].attribute.append(helper.make_attribute("transB", 1))
    assert worst_pairs(model) == {"product, input 1": 7}
    model.graph.node[1].attribute[0].i = 0
    assert worst_pairs(model) == {"product, input 1": 6}


def test_a_dynamic_lstm_is_int8_and_safe_too(fp32: Path, tmp_path: Path) -> None:
    out = tmp_path / "dynamic.onnx"
    assert quantize.main([str(fp32), "--out", str(out), "--lstm", "dynamic", *FEW]) == 0
    layers = worst_pairs(onnx.load(out))
    assert len([name for name in layers if "lstm" in name]) == 2
    assert max(layers.values()) <= 128
    assert contract_of(out).training["quantization"]["lstm"] == "dynamic"


# What is refused


class Plates:
    """In the place of the generator: crops that the toy model reads."""

    def __init__(self, *_: object, **__: object) -> None:
        self.number = 0

    def sample(self) -> Any:
        self.number += 1
        text = f"AB{self.number:03d}"
        return SyntheticSample(crop_of_text(text), text, "toy", whole=text)


def test_a_drop_of_more_than_three_in_a_thousand_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quantize, "PlateGenerator", Plates)
    good, bad = tmp_path / "good.onnx", tmp_path / "bad.onnx"
    good.write_bytes(model_bytes())
    swapped = charset_json(["9", *CHARSET[1:9], "0", *CHARSET[10:]])  # 0 and 9 change places
    bad.write_bytes(model_bytes(metadata_with(charset=swapped)))
    assert quantize.compare(good, good, 20)["exact_int8"] == 1.0
    with pytest.raises(
        QuantizeError, match="of 20 held-out synthetic plates fp32 reads 20 and int8 0: a drop"
    ):
        quantize.compare(good, bad, 20)


def test_a_plate_read_in_two_lines_is_right_with_the_text_of_both(monkeypatch: pytest.MonkeyPatch) -> None:
    crop = crop_of_text("AB")
    drawn = [
        SyntheticSample(crop, "", "two", whole="ABC1"),  # the whole plate, read in both lines
        SyntheticSample(crop, "", "two", whole="ABC1"),  # and read wrongly
        SyntheticSample(crop, "ABC", "two"),  # its upper half, read as two lines
    ]
    texts = {"fp32": ["ABC1", "ABC1", "ABC"], "int8": ["ABC1", "ABC2", ""]}
    generator = SimpleNamespace(sample=iter(drawn * 2).__next__)
    monkeypatch.setattr(quantize, "PlateGenerator", lambda *_, **__: generator)
    monkeypatch.setattr(quantize, "MAX_DROP", 1.0)
    monkeypatch.setattr(
        "lprfast.PlateReader",
        lambda path, **_: SimpleNamespace(
            read_many=lambda _: [
                lprfast.PlateRead(text=text, lines=2 * bool(text)) for text in texts[path.name]
            ]
        ),
    )
    found = quantize.compare(Path("fp32"), Path("int8"), 3)
    assert found == {"n": 3, "same_text": 0.3333, "exact_fp32": 0.6667, "exact_int8": 0.3333}


def test_what_is_refused_leaves_no_file(
    fp32: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        raise QuantizeError("too bad")

    monkeypatch.setattr(quantize, "compare", refuse)
    assert quantize.main([str(fp32), "--out", str(tmp_path / "x.onnx"), *FEW]) == 1
    assert "too bad; nothing was written" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_bad_arguments(fp32: Path, int8: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "x.onnx")
    for arguments, message in (
        ([str(tmp_path / "none.onnx"), "--out", out], "none.onnx: no such file; expected an ONNX model"),
        ([str(fp32), "--out", str(fp32)], "expected the path of a new ONNX file"),
        ([str(fp32), "--out", out, "--crops", "0"], "--crops: expected at least 1, got 0"),
        ([str(fp32), "--out", out, "--seed", "-1"], "--seed: expected 0 or more, got -1"),
        ([str(fp32), "--out", out, "--stem", "0"], "--stem: expected at least 1, got 0"),
        ([str(int8), "--out", out], "expected fp32 weights, got int8: it is quantised already"),
        ([str(fp32), "--out", out, "--data", str(tmp_path / "no.csv")], "no.csv"),
    ):
        assert quantize.main([*arguments]) == 2
        assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_library_that_is_not_there_ends_with_a_message(
    fp32: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "labels.csv").write_text("path,text\na.png,A\n", encoding="utf-8")
    model, labels, out = str(fp32), str(tmp_path / "labels.csv"), str(tmp_path / "x.onnx")
    monkeypatch.setenv("LPRFAST_ORT_LIBRARY", "/nope.so")
    for command, arguments in (
        (quantize.main, [model, "--out", out, *FEW]),
        (compare_models.main, [model, model, labels]),
        (calibrate.main, [model, "--out", out]),
        (false_reads.main, [model, "--count", "1"]),
    ):
        assert command(arguments) == 2
        assert "LPRFAST_ORT_LIBRARY is '/nope.so', which is not a file" in capsys.readouterr().err


# Comparing two models


def samples(right: int, wrong: int) -> list[Sample]:
    texts = ["A1"] * right + ["B2"] * wrong
    return [Sample(text, "A1", text, "ok", ("text", number)) for number, text in enumerate(texts)]


def test_the_shipping_rule() -> None:
    def objections(*folders: tuple[list[Sample], list[Sample]]) -> list[str]:
        named = [(f"f{number}", *folder) for number, folder in enumerate(folders)]
        return compare_models.compare_samples(named, Settings({}, resamples=10)).objections

    assert objections((samples(1000, 0), samples(998, 2))) == []
    assert objections((samples(1000, 0), samples(997, 3))) == ["f0 loses 3 crops, more than 2"]
    assert objections((samples(500, 0), samples(498, 2))) == ["pooled it loses 0.40 points, more than 0.3"]
    assert objections((samples(600, 0), samples(598, 2)), (samples(100, 3), samples(103, 0))) == []
    assert len(objections((samples(90, 0), samples(80, 10)))) == 2


def test_gained_and_lost_are_counted_by_crop() -> None:
    a = samples(3, 1)
    b = [replace(a[0], text="C3"), *a[1:3], replace(a[3], text="A1")]
    found = compare_models.compare_samples([("f", a, b)], Settings({}))
    row = found.pooled
    assert (row.n, row.exact_a, row.exact_b, row.gained, row.lost, row.points) == (4, 3, 3, 1, 1, 0.0)
    assert found.interval is not None
    assert found.interval.low < 0 < found.interval.high
    with pytest.raises(ValueError, match="the same labelled crops"):
        compare_models.compare_samples([], Settings({}))


def test_comparing_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = tmp_path / "a.onnx", tmp_path / "b.onnx"
    a.write_bytes(model_bytes())
    b.write_bytes(model_bytes(metadata_with(charset=charset_json(["O", *CHARSET[1:24], "0", *CHARSET[25:]]))))
    for folder, texts in {"cars": ["AB10", "CD22"], "vans": ["EF33"]}.items():
        (tmp_path / folder).mkdir()
        for text in texts:
            Image.fromarray(crop_of_text(text)).save(tmp_path / folder / f"{text}.png")
        lines = ["path,text", *(f"{text}.png,{text}" for text in texts)]
        (tmp_path / folder / "labels.csv").write_text("\n".join(lines), encoding="utf-8")
    assert compare_models.main([str(a), str(b), str(tmp_path), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert [
        (row["name"], row["n"], row["exact_a"], row["exact_b"], row["lost"]) for row in found["folders"]
    ] == [
        ("cars", 2, 2, 1, 1),
        ("vans", 1, 1, 1, 0),
    ]
    assert found["pooled"]["points"] == pytest.approx(-100 / 3)
    assert not found["ship"]
    assert compare_models.main([str(a), str(b), str(tmp_path), "--fold", "O0"]) == 0
    printed = capsys.readouterr().out
    assert "| pooled | 3 | 1.0000 | 1.0000 | 0 | 0 | +0.00 |" in printed
    assert printed.endswith("verdict: B may take A's place\n")
    assert compare_models.main([str(a), str(b), str(tmp_path / "none")]) == 2
    assert "none: no such file or folder" in capsys.readouterr().err


# Which precision is opened


@pytest.fixture
def bundled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of models: default in int8 with its fp32 twin, plain in fp32 alone."""
    for name, precision in (("default", "int8"), ("default-fp32", "fp32"), ("plain", "fp32")):
        (tmp_path / f"{name}.onnx").write_bytes(model_bytes(metadata_with(name=name, precision=precision)))
    monkeypatch.setattr("lprfast.models._FOLDER", tmp_path)
    return tmp_path


def test_twins_are_no_models_of_their_own(bundled: Path) -> None:
    assert model_names() == ["default", "plain"]
    assert model_path("default") == model_path("default", "int8") == bundled / "default.onnx"
    assert model_path("default", "fp32") == bundled / "default-fp32.onnx"
    assert model_path("plain", "fp32") == bundled / "plain.onnx"
    with pytest.raises(ValueError, match=r"called 'default-fp32' \(there are: default, plain\)"):
        model_path("default-fp32")
    (bundled / "lone-fp32.onnx").write_bytes(b"")
    assert model_names() == ["default", "lone-fp32", "plain"]


@pytest.mark.parametrize(
    ("model", "precision", "opened"),
    [
        ("default", None, "default"),
        ("default", "int8", "default"),
        ("default", "fp32", "default-fp32"),
        ("plain", None, "plain"),
        ("plain", "fp32", "plain"),
    ],
)
def test_the_reader_opens_the_precision_asked_for(
    bundled: Path, model: str, precision: Any, opened: str
) -> None:
    assert lprfast.PlateReader(model, threads=1, precision=precision).contract.name == opened


def test_a_precision_that_cannot_be_had_is_an_error(bundled: Path) -> None:
    with pytest.raises(
        ValueError, match=r"precision: int8 was asked for, but .*plain\.onnx holds fp32 weights"
    ):
        lprfast.PlateReader("plain", precision="int8")
    with pytest.raises(
        ValueError, match=r"precision: fp32 was asked for, but .*default\.onnx holds int8 weights"
    ):
        lprfast.PlateReader(bundled / "default.onnx", precision="fp32")
    with pytest.raises(ValueError, match="precision: int8 was asked for, but <bytes> holds fp32 weights"):
        lprfast.PlateReader(model_bytes(), precision="int8")
    with pytest.raises(ValueError, match="precision: expected 'fp32', 'int8' or None, got 'fp16'"):
        lprfast.PlateReader(precision="fp16")  # type: ignore[arg-type]


def test_the_command_line_chooses_and_shows_precisions(bundled: Path, tmp_path: Path) -> None:
    run = CliRunner().invoke
    Image.fromarray(crop_of_text("AB12")).save(tmp_path / "car.png")
    result = run(lprfast_main, ["read", str(tmp_path / "car.png"), "--model", "plain", "--precision", "int8"])
    assert result.exit_code == 2
    assert "holds fp32 weights" in result.stderr
    (tmp_path / "labels.csv").write_text("path,text\ncar.png,AB12\n", encoding="utf-8")
    result = run(lprfast_main, ["eval", str(tmp_path / "labels.csv"), "--precision", "fp32", "--json"])
    assert json.loads(result.stdout)["settings"]["model"] == "default-fp32"
    infos = json.loads(run(lprfast_main, ["models", "--json"]).stdout)["models"]
    assert [(info["name"], info["precision"]) for info in infos] == [
        ("default", "int8"),
        ("default", "fp32"),
        ("plain", "fp32"),
    ]
    lines = run(lprfast_main, ["models"]).stdout.splitlines()
    assert lines[1].split()[:2] == ["default", "int8"]
    assert sum(line.startswith("default: trained on") for line in lines) == 1
