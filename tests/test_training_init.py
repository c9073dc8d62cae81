"""Starting from trained weights: exported files give back their network, and training goes on smoothly."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import onnx
import pytest
import torch
from torch import nn

from lprfast.model import ModelContract
from training import export, train_ocr
from training.ocr import initial as initial_module
from training.ocr import train as train_module
from training.ocr.align import answers_of
from training.ocr.checkpoint import load_checkpoint
from training.ocr.config import Config
from training.ocr.evaluate import log_posteriors
from training.ocr.from_onnx import network_from_onnx
from training.ocr.initial import calibrate, load_weights, read_initial
from training.ocr.model import (
    ARCHITECTURES,
    build_model,
    default_input,
    has_locator,
    parameter_count,
    time_steps,
)
from training.ocr.text import Codec
from training.synth import CHARSET

SYMBOLS = tuple("ABCDEFGHIJ0")


@pytest.fixture(autouse=True)
def _one_thread(process_as_it_was: None) -> None:
    torch.set_num_threads(1)


def trained_model(arch: str, height: int | None = None) -> nn.Module:
    """Random weights with batch-norm statistics as training leaves them: none is 0 or 1."""
    torch.manual_seed(3)
    model = build_model(arch, len(SYMBOLS) + 1, height).eval()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None
            assert module.running_var is not None
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.5, 0.5)
            nn.init.uniform_(module.running_mean, -0.3, 0.3)
            nn.init.uniform_(module.running_var, 0.05, 2.0)
    return model


def exported(model: nn.Module, path: Path, charset: tuple[str, ...] = SYMBOLS, **contract: Any) -> Path:
    settings = {"training": {"arch": "slim", "data": ["synthetic", "cars/labels.csv"]}, **contract}
    onnx.save(export.to_onnx(model, ModelContract("small", charset, **settings)), path)
    return path


@pytest.mark.parametrize("arch", sorted(ARCHITECTURES))
def test_every_architecture_comes_back_from_its_file(arch: str, tmp_path: Path) -> None:
    model = trained_model(arch)
    height, width = default_input(arch)
    about = {"training": {"arch": arch}, "input_height": height, "input_width": width}
    path = exported(model, tmp_path / "a.onnx", **about)
    rebuilt, contract = network_from_onnx(path)
    images = torch.randn(4, 1, height, width)
    expected = log_posteriors(model, images)
    torch.testing.assert_close(log_posteriors(rebuilt, images), expected, atol=1e-5, rtol=0)
    assert parameter_count(rebuilt) == parameter_count(model)

    calibrate(rebuilt, [images])
    torch.testing.assert_close(log_posteriors(rebuilt, images), expected, atol=1e-4, rtol=0)
    again, _ = network_from_onnx(exported(rebuilt.eval(), tmp_path / "b.onnx", **about))
    torch.testing.assert_close(log_posteriors(again, images), expected, atol=1e-4, rtol=0)
    assert contract.charset == SYMBOLS


def test_training_goes_on_where_the_file_stood(tmp_path: Path) -> None:
    model, _ = network_from_onnx(exported(trained_model("slim"), tmp_path / "a.onnx"))
    images = torch.randn(64, 1, 32, 128)
    expected = log_posteriors(model, images)

    def shift_in_training() -> float:
        with torch.no_grad():
            return float((model.train()(images) - expected).abs().max())

    state = {key: value.clone() for key, value in model.state_dict().items()}
    uncalibrated = shift_in_training()
    model.load_state_dict(state)
    calibrate(model, images.split(16))
    assert uncalibrated > 0.3
    assert shift_in_training() < 1e-4


@pytest.mark.parametrize(
    ("contract", "message"),
    [
        ({"precision": "int8"}, "expected fp32 weights, got int8"),
        ({"mean": 0.0}, "mean is 0.0, training knows only 127.5"),
        ({"training": {"arch": "vgg"}}, "the network cannot be rebuilt: arch: expected one of"),
        ({"training": {"arch": "crnn"}}, r"0\.0\.weight: expected the shape \[32, 1, 3, 3\]"),
        ({"training": {"arch": "conv"}}, "the network cannot be rebuilt: "),
    ],
)
def test_files_that_cannot_be_trained_further(contract: dict[str, Any], message: str, tmp_path: Path) -> None:
    path = exported(trained_model("slim"), tmp_path / "a.onnx", **contract)
    with pytest.raises(ValueError, match=message):
        read_initial(str(path))


def test_names_that_are_no_model(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"--init nothing: expected a checkpoint or an ONNX file.*default"):
        read_initial("nothing")
    with pytest.raises(ValueError, match=r"none\.onnx: cannot be opened"):
        read_initial(str(tmp_path / "none.onnx"))
    (tmp_path / "x.onnx").write_bytes(b"no model")
    with pytest.raises(ValueError, match=r"x\.onnx: "):
        read_initial(str(tmp_path / "x.onnx"))


def test_a_bundled_name_takes_the_fp32_twin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = exported(trained_model("slim"), tmp_path / "fast.onnx", precision="int8")
    monkeypatch.setattr(initial_module, "model_path", lambda name: tmp_path / f"{name}.onnx")
    with pytest.raises(ValueError, match=r"fast\.onnx: expected fp32 weights, got int8"):
        read_initial("fast")
    exported(trained_model("slim"), tmp_path / "fast-fp32.onnx")
    initial = read_initial("fast")
    assert (initial.arch, initial.input, initial.folded) == ("slim", (32, 128), True)
    assert initial.data == ("cars/labels.csv",)
    shutil.copy(tmp_path / "fast-fp32.onnx", path)
    assert read_initial("fast").charset == SYMBOLS


def test_weights_move_between_widths_but_not_between_heights(tmp_path: Path) -> None:
    initial = read_initial(str(exported(trained_model("slim"), tmp_path / "a.onnx")))
    codec = Codec(SYMBOLS)
    wide = build_model("slim", codec.classes)
    load_weights(wide, Config(arch="slim", input=(32, 160)), codec, initial)
    assert torch.equal(wide.state_dict()["0.0.weight"], initial.weights["0.0.weight"])
    tall = Config(arch="slim", input=(64, 128))
    with pytest.raises(ValueError, match=r"7\.0\.weight are for inputs of 32x128 and do not fit --input 64x"):
        load_weights(build_model("slim", codec.classes, 64), tall, codec, initial)


@pytest.mark.parametrize("arch", sorted(ARCHITECTURES))
def test_taller_and_wider_inputs(arch: str) -> None:
    height = 3 * default_input(arch)[0] // 2
    model = build_model(arch, 5, height).eval()
    widths = (4 * height,) if has_locator(arch) else (160, 128)
    for count, width in enumerate(widths, 1):
        answers, _ = answers_of(model(torch.zeros(count, 1, height, width)))
        assert answers.shape == (count, time_steps(arch, (height, width)), 5)


def test_a_tall_run_starts_from_a_file_and_says_what_it_learnt_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train_module, "CALIBRATION_IMAGES", 8)
    letters = (*SYMBOLS[:-1], "Δ")  # one that neither synthetic plates nor this run's labels have
    start = exported(trained_model("conv", 48), tmp_path / "tall.onnx", letters, input_height=48,
                     training={"arch": "conv", "data": ["synthetic", "cars/labels.csv"]})  # fmt: skip
    flags = ["--steps", "1", "--batch", "4", "--val-size", "2", "--workers", "0", "--threads", "1"]
    out = tmp_path / "run"
    assert train_ocr.main([*flags, "--lr", "1e-9", "--init", str(start), "--out", str(out)]) == 0
    config = Config.from_dict(load_checkpoint(out / "last.pt")["config"])
    assert (config.arch, config.input, config.curriculum, config.init) == ("conv", (48, 128), False, "small")
    again, contract = network_from_onnx(out / "model.onnx")
    assert (contract.input_height, contract.input_width) == (48, 128)
    assert contract.training["data"] == ["synthetic", "cars/labels.csv"]
    assert contract.training["init"] == "small"
    assert contract.charset == (*CHARSET, "Δ")
    before, after = network_from_onnx(start)[0].state_dict(), again.state_dict()
    head = next(name for name in after if ".classify." in name and name.endswith("weight"))
    torch.testing.assert_close(after[head][-1], before[head][-1], atol=1e-5, rtol=0)


def test_inputs_that_no_network_takes(capsys: pytest.CaptureFixture[str]) -> None:
    assert train_ocr.main(["--input", "40x128"]) == 2
    assert "--input: expected HxW with H a multiple of 16" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        train_ocr.main(["--input", "tall"])
    assert "expected HxW such as 32x128, got 'tall'" in capsys.readouterr().err
