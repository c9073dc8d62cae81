"""Training of the reader: shapes, schedules, data streams, resume, and what the exported file holds."""

from __future__ import annotations

import csv
import itertools
import math
import signal
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from PIL import Image
from torch import nn

from lprfast import _core
from lprfast._ort_library import ort_library_path
from lprfast.model import ModelContract
from training import export, train_ocr
from training.ocr import world as world_module
from training.ocr.checkpoint import load_checkpoint, save_checkpoint
from training.ocr.config import Config
from training.ocr.data import BatchKey, BatchMaker, batches
from training.ocr.ema import Ema
from training.ocr.evaluate import score
from training.ocr.labels import augment, parse_spec, read_label_file
from training.ocr.model import build_model, parameter_count
from training.ocr.schedule import Clock, hard_share, learning_rate
from training.ocr.text import Codec, edit_distance, normalise, required_steps
from training.ocr.train import batch_loss, extended_charset, load_weights
from training.ocr.widths import read_widths
from training.synth import CHARSET

SMALL = ["--batch", "8", "--val-size", "4", "--workers", "0", "--threads", "1", "--precision", "fp32"]


@pytest.fixture(autouse=True)
def _leave_the_process_as_it_was() -> Any:
    threads = torch.get_num_threads()
    handlers = [(number, signal.getsignal(number)) for number in (signal.SIGINT, signal.SIGTERM)]
    yield
    torch.set_num_threads(threads)
    for number, handler in handlers:
        signal.signal(number, handler)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of three steps, exported."""
    out = tmp_path_factory.mktemp("run") / "three"
    assert train_ocr.main(["--steps", "3", "--name", "three-steps", "--out", str(out), *SMALL]) == 0
    return out


def write_labels(folder: Path, rows: list[tuple[str, str, str]]) -> Path:
    """A label file with one 60x20 image for each (name, text, split)."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "labels.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "text", "width", "height", "region", "track", "split"])
        for name, text, split in rows:
            Image.fromarray(np.full((20, 60), 90, np.uint8)).save(folder / name)
            writer.writerow([name, text, 60, 20, "", "", split])
    return folder / "labels.csv"


# Models


@pytest.mark.parametrize(("arch", "parameters"), [("crnn", 1_092_677), ("slim", 717_141), ("conv", 935_461)])
def test_model_has_the_stated_size_and_answers_probabilities(arch: str, parameters: int) -> None:
    model = build_model(arch, 37).eval()
    assert parameter_count(model) == parameters
    answers = model(torch.zeros(3, 1, 32, 128))
    assert answers.shape == (3, 32, 37)
    torch.testing.assert_close(answers.exp().sum(-1), torch.ones(3, 32))


def test_model_refuses_unknown_names_and_empty_charsets() -> None:
    with pytest.raises(ValueError, match="arch: expected one of crnn, slim, conv, got 'vgg'"):
        build_model("vgg", 37)
    with pytest.raises(ValueError, match="classes: expected the blank and at least one symbol, got 1"):
        build_model("slim", 1)


def test_ema_averages_weights_and_statistics_and_copies_counts() -> None:
    model = nn.BatchNorm1d(1)
    ema = Ema(model, decay=0.9)
    with torch.no_grad():
        model.weight.fill_(3.0)
        model.running_mean.fill_(10.0)  # type: ignore[operator, union-attr]
        model.num_batches_tracked.fill_(7)  # type: ignore[operator, union-attr]
    ema.update(model, step=0)  # decay (1 + 0) / (10 + 0) = 0.1
    assert ema.model.weight.item() == pytest.approx(0.1 * 1 + 0.9 * 3)  # type: ignore[operator, union-attr]
    assert ema.model.running_mean.item() == pytest.approx(9.0)  # type: ignore[operator, union-attr]
    assert ema.model.num_batches_tracked.item() == 7  # type: ignore[operator, union-attr]
    ema.update(model, step=1000)  # decay 0.9
    assert ema.model.weight.item() == pytest.approx(0.9 * 2.8 + 0.1 * 3)  # type: ignore[operator, union-attr]


# Texts


def test_charset_goes_to_classes_and_back() -> None:
    codec = Codec(CHARSET)
    for text in ("".join(CHARSET), CHARSET[0], ""):
        assert codec.decode(codec.encode(text)) == text
    assert codec.encode(CHARSET[0] + CHARSET[-1]) == [1, len(CHARSET)]
    with pytest.raises(ValueError, match=r"text 'A\?': the symbol '\?' is not in the charset"):
        codec.encode("A?")


def test_greedy_merges_repeats_but_not_across_a_blank() -> None:
    codec = Codec("AB")
    path = [1, 1, 0, 1, 2, 2, 0, 0]
    answers = np.log(np.eye(3, dtype=np.float32)[path] * 0.8 + 0.1)
    assert codec.greedy(answers[None]) == ["AAB"]


def test_score_by_hand() -> None:
    assert edit_distance("KITTEN", "SITTING") == 3
    assert edit_distance("", "AB") == 2
    result = score(["AB", "AC", ""], ["AB", "ABC", "X"])
    assert (result.count, result.exact, result.cer) == (3, 1 / 3, 2 / 6)


def test_texts_are_normalised_and_counted_with_their_blanks() -> None:
    assert normalise("ab-12·c d.") == "AB12CD"
    assert required_steps("AABBC") == 7


# Schedules


def test_learning_rate_warms_up_and_falls() -> None:
    assert learning_rate(0.0, 1.0) == pytest.approx(0.02)
    assert learning_rate(0.06, 1.0) == pytest.approx(1.0)
    assert learning_rate(0.53, 1.0) == pytest.approx(0.505)
    assert learning_rate(1.0, 1.0) == pytest.approx(0.01)
    assert learning_rate(1.3, 1.0) == pytest.approx(0.01)


def test_hard_plates_wait_for_progress_and_for_steps() -> None:
    assert hard_share(0.08, 10_000) == 0
    assert hard_share(0.165, 10_000) == pytest.approx(0.5)
    assert hard_share(0.25, 10_000) == 1
    assert hard_share(1.0, 400) == 0
    assert hard_share(1.0, 800) == pytest.approx(0.5)


def test_clock_takes_the_nearer_end_and_goes_on_after_a_resume() -> None:
    assert Clock(None, 8).progress(2) == 0.25
    resumed = Clock(10, 100, used_minutes=5)
    assert 0.5 <= resumed.progress(2) < 0.51
    assert resumed.progress(90) == 0.9
    with pytest.raises(ValueError, match="give --minutes or --steps"):
        Clock(None, None)


# Data


def maker_of(**settings: Any) -> BatchMaker:
    config = Config(steps=100, batch=6, **settings)
    files = [read_label_file(spec, "train") for spec in config.data]
    return BatchMaker(config, Codec(extended_charset(files)), files, rank=0, processes=1)


def test_a_batch_depends_on_its_number_alone() -> None:
    maker = maker_of()
    first, other, again = (maker[BatchKey(number, 0.5)] for number in (3, 4, 3))
    fresh = maker_of()[BatchKey(3, 0.5)]
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert all(np.array_equal(a, b) for a, b in zip(first, fresh, strict=True))
    assert not np.array_equal(first[0], other[0])
    images, targets, lengths = first
    assert images.shape == (6, 1, 32, 128)
    assert lengths.sum() == len(targets)
    assert targets.min() >= 1
    assert targets.max() <= len(CHARSET)


def test_processes_draw_different_plates() -> None:
    config = Config(steps=1, batch=4)
    one, two = (BatchMaker(config, Codec(CHARSET), [], rank, 2)[BatchKey(0, 0.0)] for rank in (0, 1))
    assert one[0].shape[0] == 2
    assert not np.array_equal(one[0], two[0])


def test_repeat_uses_a_plate_in_several_views() -> None:
    images, targets, lengths = maker_of(repeat=3)[BatchKey(0, 0.0)]
    assert lengths[0] == lengths[1] == lengths[2]
    assert not np.array_equal(images[0], images[1])
    assert np.array_equal(targets[: lengths[0]], targets[lengths[0] : 2 * lengths[0]])


def test_multi_scale_one_shrinks_nothing() -> None:
    crop = np.full((20, 60), 120, np.uint8)
    rng = np.random.default_rng(0)
    assert augment(crop, rng, (1.0, 1.0)).shape == (20, 60)
    widths = {augment(crop, rng, (0.4, 0.9)).shape[1] for _ in range(20)}
    assert min(widths) >= 24
    assert max(widths) <= 54
    images, _, _ = maker_of(multi_scale=(1.0, 1.0))[BatchKey(0, 1.0)]
    assert np.isfinite(images).all()


def test_labelled_crops_enter_once_the_easy_stage_is_over(tmp_path: Path) -> None:
    labels = write_labels(tmp_path / "mine", [("a.png", "ab-1", "train"), ("b.png", "XX", "dev")])
    maker = maker_of(data=(f"{labels}:2",), data_share=1.0)
    _, targets, lengths = maker[BatchKey(0, 1.0)]
    assert lengths.tolist() == [3] * 6
    assert targets[:3].tolist() == Codec(CHARSET).encode("AB1")
    assert not np.array_equal(maker[BatchKey(0, 0.0)][2], lengths)


def test_symbols_that_only_labels_have_extend_the_charset(tmp_path: Path) -> None:
    labels = write_labels(tmp_path, [("a.png", "AÖ", "")])
    assert extended_charset([read_label_file(str(labels), "train")]) == (*CHARSET, "Ö")


def test_label_files_by_split_weight_and_mistake(tmp_path: Path) -> None:
    assert parse_spec("a/labels.csv:0.5") == (Path("a/labels.csv"), 0.5)
    assert parse_spec("c:/labels.csv") == (Path("c:/labels.csv"), 1.0)
    labels = write_labels(tmp_path / "x", [("a.png", "A1", "train"), ("b.png", "B2", "dev")])
    assert [row.text for row in read_label_file(str(labels), "dev").rows] == ["B2"]
    with pytest.raises(ValueError, match="expected a positive weight"):
        parse_spec("labels.csv:-1")
    with pytest.raises(ValueError, match="no such label file"):
        read_label_file(str(tmp_path / "none.csv"), "train")
    (tmp_path / "bad.csv").write_text("path,plate\na.png,A\n", encoding="utf-8")
    with pytest.raises(ValueError, match="column 'text' is missing"):
        read_label_file(str(tmp_path / "bad.csv"), "train")
    (tmp_path / "gone.csv").write_text("path,text\nz.png,A\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"the image 'z\.png' does not exist"):
        read_label_file(str(tmp_path / "gone.csv"), "train")
    long = write_labels(tmp_path / "long", [("a.png", "1" * 17, "")])
    with pytest.raises(ValueError, match="too long for 32 time steps"):
        read_label_file(str(long), "train")


def test_widths_by_hand_and_from_labels(tmp_path: Path) -> None:
    assert read_widths("40-80, 80-160:2.5") == [(40, 80, 1.0), (80, 160, 2.5)]
    labels = write_labels(tmp_path, [("a.png", "A", ""), ("b.png", "B", "")])
    assert read_widths(str(labels)) == [(60, 69, 2.0)]
    for spec in ("wide", "80-40", "0-10"):
        with pytest.raises(ValueError, match="--widths"):
            read_widths(spec)


# The loop


def test_loss_is_zero_gradient_safe_and_matches_a_hand_count() -> None:
    class Fixed(nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return torch.full((len(images), 32, 3), 1 / 3).log()

    batch = next(batches(maker_of(repeat=1), 0, Clock(None, 100), 0, pin=False))
    batch = batch._replace(targets=torch.tensor([1] * 6), lengths=torch.ones(6, dtype=torch.int64))
    loss = batch_loss(Fixed(), batch, torch.device("cpu"), "fp32")
    # One symbol in 32 steps: it may start and end anywhere, 32 * 33 / 2 paths of probability 3 ** -32.
    assert loss.item() == pytest.approx(32 * math.log(3) - math.log(32 * 33 / 2), rel=1e-5)


def test_a_stopped_and_resumed_run_equals_an_uninterrupted_one(
    tmp_path: Path, finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    agree, calls = world_module.World.agree, itertools.count()

    def stop_at_step_two(self: world_module.World, progress: float) -> tuple[float, bool]:
        self.stop = next(calls) == 2
        return agree(self, progress)

    monkeypatch.setattr(world_module.World, "agree", stop_at_step_two)
    out = tmp_path / "cut"
    assert train_ocr.main(["--steps", "3", "--out", str(out), *SMALL]) == 0
    assert load_checkpoint(out / "last.pt")["step"] == 2
    assert not (out / "model.onnx").exists()
    monkeypatch.undo()
    assert train_ocr.main(["--resume", "--no-export", "--out", str(out)]) == 0

    whole, parts = load_checkpoint(finished / "last.pt"), load_checkpoint(out / "last.pt")
    assert parts["step"] == whole["step"] == 3
    for key in ("model", "ema"):
        assert all(torch.equal(whole[key][name], parts[key][name]) for name in whole[key])
    for number, moments in whole["optimizer"]["state"].items():
        assert all(torch.equal(value, parts["optimizer"]["state"][number][k]) for k, value in moments.items())


def test_a_run_is_not_overwritten_or_changed_by_accident(
    finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train_ocr.main(["--steps", "3", "--out", str(finished)]) == 2
    assert "holds a run already; add --resume" in capsys.readouterr().err
    assert train_ocr.main(["--resume", "--lr", "0.1", "--out", str(finished)]) == 2
    assert "--lr: the run was started with 0.003 and cannot go on with 0.1" in capsys.readouterr().err
    assert train_ocr.main(["--resume"]) == 2
    assert "--resume: also give --out" in capsys.readouterr().err
    assert train_ocr.main(["--multi-scale", "0.9", "0.5"]) == 2
    assert "--multi-scale: expected 0 < LOW <= HIGH <= 1" in capsys.readouterr().err


def test_init_moves_the_classes_of_shared_symbols() -> None:
    old, new = build_model("slim", 3), build_model("slim", 4)
    state = {"charset": ["A", "B"], "ema": old.state_dict(), "config": {"arch": "slim"}}
    load_weights(new, Codec("BCA"), state)
    before, after = old.state_dict(), new.state_dict()
    assert torch.equal(after["0.0.weight"], before["0.0.weight"])
    for into, from_ in ((0, 0), (1, 2), (3, 1)):
        assert torch.equal(after["8.classify.weight"][into], before["8.classify.weight"][from_])
    with pytest.raises(ValueError, match="--init: the checkpoint is of the architecture 'slim'"):
        load_weights(build_model("conv", 4), Codec("BCA"), state)


def test_checkpoints_are_whole_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.pt"
    save_checkpoint(path, {"step": 5})
    assert load_checkpoint(path)["step"] == 5
    assert list(tmp_path.iterdir()) == [path]
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ValueError, match="not a checkpoint that can be read"):
        load_checkpoint(path)
    with pytest.raises(ValueError, match="no such checkpoint"):
        load_checkpoint(tmp_path / "none.pt")


# Export


def test_the_file_holds_its_contract_and_answers_like_torch(finished: Path) -> None:
    session = _core.Session(str(finished / "model.onnx"), ort_library_path())
    contract = ModelContract.from_metadata(session.metadata)
    assert contract.name == "three-steps"
    assert contract.charset == CHARSET
    assert contract.training["steps"] == 3
    assert contract.training["images"] == 24
    assert contract.training["parameters"] == parameter_count(build_model("slim", len(CHARSET) + 1))
    assert session.inputs == [("images", 1, (-1, 1, 32, 128))]
    assert session.outputs == [("log_posteriors", 1, (-1, 32, len(CHARSET) + 1))]

    model = build_model("slim", len(CHARSET) + 1)
    model.load_state_dict(load_checkpoint(finished / "last.pt")["ema"])
    images = np.random.default_rng(5).normal(0, 1, (5, 1, 32, 128)).astype(np.float32)
    with torch.inference_mode():
        expected = model.eval()(torch.from_numpy(images)).numpy()
    np.testing.assert_allclose(session.run(images), expected, atol=2e-4)


@pytest.mark.parametrize("arch", ["crnn", "slim", "conv"])
def test_export_folds_batch_norms_and_keeps_one_lstm(arch: str) -> None:
    codec = Codec("AB")
    proto = export.to_onnx(build_model(arch, 3).eval(), ModelContract("m", codec.charset))
    kinds = [node.op_type for node in proto.graph.node]
    assert kinds.count("LSTM") == (0 if arch == "conv" else 1)
    assert "BatchNormalization" not in kinds
    assert "Loop" not in kinds


def test_export_refuses_a_file_that_answers_otherwise(tmp_path: Path) -> None:
    codec = Codec(CHARSET)
    torch.manual_seed(0)
    model = build_model("conv", codec.classes).eval()
    proto = export.to_onnx(model, ModelContract("m", codec.charset))
    out = tmp_path / "m.onnx"
    with torch.no_grad():
        model[-1].classify.bias[1] += 0.01  # type: ignore[index, union-attr, operator]
    with pytest.raises(export.ParityError, match="probabilities differ from torch's"):
        export.write_checked(proto, model, codec, out)
    assert list(tmp_path.iterdir()) == []

    other = Codec(CHARSET[::-1])
    with pytest.raises(export.ParityError, match="the charset in the file is not the checkpoint's"):
        export.write_checked(proto, model, other, out)


def test_export_says_which_checkpoint_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.pt").write_bytes(b"no checkpoint")
    assert export.main([str(tmp_path / "x.pt"), "--out", str(tmp_path / "m.onnx")]) == 2
    assert "x.pt: not a checkpoint that can be read" in capsys.readouterr().err
    assert not (tmp_path / "m.onnx").exists()


def test_the_exported_graph_is_valid(finished: Path) -> None:
    onnx.checker.check_model(onnx.load(finished / "model.onnx"), full_check=True)
