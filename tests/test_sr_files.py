"""Files of SR networks: export, and the int8 twin."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
import torch
from torch import nn

from lprfast import _core
from lprfast._ort_library import ort_library_path
from lprfast.onnx_file.check import check_model
from lprfast.onnx_file.edge_operators import INT8_OPERATORS
from lprfast.sr_contract import SrContract
from training import quantize_sr
from training.onnx_file import ParityError
from training.qdq import QUANTISED, worst_pairs
from training.sr import export
from training.sr.evaluate import enlarge, psnr
from training.sr.models import build_model, lpsr, swinir, tbsrn


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ESPCN, x4, untrained."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("sr") / "model.onnx"
    metadata = SrContract("espcn", 4, training={}).to_metadata()
    onnx.save(export.to_onnx(build_model("espcn", 4, 1), 1, metadata), path)
    return path


@pytest.mark.parametrize("arch", ["bicubic", "compact_42k", "srcnn", "lpsr", "tbsrn", "swinir"])
def test_networks_run_in_any_size(arch: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    monkeypatch.setattr(swinir, "GROUPS", 1)  # all of its kinds of layers, in seconds
    monkeypatch.setattr(swinir, "LAYERS", 2)
    monkeypatch.setattr(tbsrn, "BLOCKS", 1)
    monkeypatch.setattr(lpsr, "BLOCKS", 1)
    model = build_model(arch, 2, 3).eval()
    proto = export.to_onnx(model, 3, SrContract("x", 2, 3, training={}).to_metadata())
    export.write_checked(proto, model, 3, tmp_path / "x.onnx")
    assert (tmp_path / "x.onnx").is_file()


def test_a_file_that_answers_otherwise_is_not_kept(tmp_path: Path) -> None:
    model = build_model("espcn", 2, 1).eval()
    proto = export.to_onnx(model, 1, SrContract("x", 2, 1, training={}).to_metadata())
    nn.init.constant_(model.conv3.bias, 0.5)  # type: ignore[union-attr,arg-type]
    with pytest.raises(ParityError, match="differ from torch's"):
        export.write_checked(proto, model, 1, tmp_path / "x.onnx")
    assert list(tmp_path.iterdir()) == []


def test_int8_twin(model_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "int8.onnx"
    arguments = [str(model_file), "--out", str(out), "--crops", "4", "--compared", "4"]
    assert quantize_sr.main([*arguments, "--max-drop", "3"]) == 0
    session = _core.Session(str(out), ort_library_path())
    assert session.metadata["precision"] == "int8"
    record = json.loads(session.metadata["training"])["quantization"]
    assert record["compared"]["n"] == 4
    assert (record["fp32_convolutions"], record["refused"]) == ("none", {})
    assert len(worst_pairs(onnx.load(out))) == 3  # all of ESPCN's
    assert session.run(np.zeros((1, 1, 7, 9), np.float32)).shape == (1, 1, 28, 36)
    assert quantize_sr.main([str(out), "--out", str(tmp_path / "twice.onnx")]) == 2
    assert "quantised already" in capsys.readouterr().err
    assert (
        quantize_sr.main([*arguments[:2], str(tmp_path / "no.onnx"), *arguments[3:], "--max-drop", "-9"]) == 1
    )
    assert not (tmp_path / "no.onnx").exists()


def test_the_psnr_of_a_twin_is_of_the_plates_without_their_padding(tmp_path: Path) -> None:
    """Against ``training.sr.evaluate`` on the pictures themselves; padding is easy, and would lift it."""
    path = tmp_path / "bicubic.onnx"
    assert export.main(["--arch", "bicubic", "--scale", "4", "--out", str(path)]) == 0
    pairs = quantize_sr._pairs(quantize_sr.read_contract(path), 12, 5, True)
    assert len({high.shape for _, high in pairs}) > 3
    expected = []
    for low, high in pairs:
        small = low[0, :, : high.shape[1] // 4, : high.shape[2] // 4]
        picture = np.rint(small[0] * 255).astype(np.uint8)
        # Edges repeat beyond the picture in both.
        expected.append(psnr(enlarge(build_model("bicubic", 4, 1), picture), high[0]))
    found = quantize_sr.compare(path, path, pairs)
    assert found["psnr_fp32"] == pytest.approx(np.mean(expected), abs=0.01)


def test_the_ends_stay_in_fp32_where_all_of_int8_loses_too_much(
    model_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "int8.onnx"
    drops = iter([0.3, 0.1])
    monkeypatch.setattr(
        quantize_sr, "compare", lambda *_: {"n": 2, "psnr_fp32": 20.0, "psnr_int8": 20.0 - next(drops)}
    )
    arguments = [str(model_file), "--out", str(out), "--crops", "2", "--compared", "2"]
    assert quantize_sr.main(arguments) == 0
    said = capsys.readouterr().out
    assert "not with none in fp32: 19.7 dB" in said
    assert "left in fp32: the first 1 and the last" in said
    record = json.loads(_core.Session(str(out), ort_library_path()).metadata["training"])["quantization"]
    assert record["fp32_convolutions"] == "the first 1 and the last"
    assert record["refused"] == {"none": 19.7}
    assert len(worst_pairs(onnx.load(out))) == 1  # of ESPCN's three


def test_an_int8_lpsr_keeps_its_answers_and_the_check_says_what_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Transposed convolutions become int8 by output channel; attention's product and shares do not."""
    torch.manual_seed(0)
    for name, value in (("FEATURES", 8), ("BLOCKS", 1), ("REDUCTION", 2)):
        monkeypatch.setattr(lpsr, name, value)
    metadata = SrContract("tiny", 4, training={}).to_metadata()
    proto = export.to_onnx(build_model("lpsr", 4, 1).eval(), 1, metadata)
    images = np.random.default_rng(0).random((20, 1, 8, 16), np.float32)
    for name, model in (("fp32", proto), ("int8", quantize_sr.int8_twin(proto, images, 0))):
        (tmp_path / f"{name}.onnx").write_bytes(model.SerializeToString())
    fp32, int8 = (
        _core.Session(str(tmp_path / f"{name}.onnx"), ort_library_path()).run(images[:4])
        for name in ("fp32", "int8")
    )
    assert np.abs(fp32 - int8).max() < 0.3 * fp32.std()
    uses = {use.name: use for use in check_model(tmp_path / "int8.onnx", (8, 16)).operators}
    assert {name: uses[name].quantised for name in ("Conv", "ConvTranspose", "Concat")} == {
        "Conv": 7, "ConvTranspose": 2, "Concat": 3,
    }  # fmt: skip
    assert {name for name, use in uses.items() if not use.quantises} == {"Mul", "Sigmoid", "ReduceMean"}
    assert set(QUANTISED) <= INT8_OPERATORS
    weights = {tensor.name: tensor for tensor in onnx.load(tmp_path / "int8.onnx").graph.initializer}
    assert list(weights["enlarge.0.weight_scale"].dims) == [8]  # one of each output


def test_a_number_of_convolutions_can_stay_in_fp32(model_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "int8.onnx"
    arguments = [str(model_file), "--out", str(out), "--crops", "2", "--compared", "2"]
    assert quantize_sr.main([*arguments, "--stem", "2", "--max-drop", "99"]) == 0
    (name,) = worst_pairs(onnx.load(out))
    assert "conv3" in name


def test_bicubic_is_exported_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "bicubic.onnx"
    assert export.main(["--arch", "bicubic", "--scale", "2", "--channels", "3", "--out", str(out)]) == 0
    assert f"{out}: bicubic, x2, 3 channels" in capsys.readouterr().out
    session = _core.Session(str(out), ort_library_path())
    training = json.loads(session.metadata["training"])
    assert (training["arch"], training["parameters"]) == ("bicubic", 0)
    image = np.random.default_rng(0).random((5, 7), np.float32)
    expected = cv2.resize(image, (14, 10), interpolation=cv2.INTER_CUBIC)
    got = session.run(np.broadcast_to(image, (1, 3, 5, 7)).copy())
    np.testing.assert_allclose(got[0], np.broadcast_to(expected, (3, 10, 14)), atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "expected a checkpoint or --arch bicubic"),
        (["last.pt", "--arch", "bicubic"], "give one of them"),
        (["last.pt", "--scale", "2"], "--scale, --channels: a checkpoint has its own"),
        (["absent.pt"], "absent.pt: no such checkpoint"),
    ],
)
def test_what_cannot_be_exported(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export.main([*arguments, "--out", str(tmp_path / "x.onnx")]) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
