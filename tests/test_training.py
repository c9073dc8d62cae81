"""Training of the reader: shapes, schedules, data streams, resume, and what the exported file holds."""

from __future__ import annotations

import csv
import itertools
import math
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
from lprfast.prepare import prepare
from training import export, train_ocr
from training.ocr import data as data_module
from training.ocr import run as run_module
from training.ocr import world as world_module
from training.ocr.checkpoint import load_checkpoint, save_checkpoint
from training.ocr.config import Config
from training.ocr.data import BatchKey, BatchMaker, ValidationSet, batches, synthetic_validation
from training.ocr.ema import Ema
from training.ocr.evaluate import evaluate
from training.ocr.initial import Initial, load_weights
from training.ocr.labels import augment, load_gray, parse_spec, read_label_file
from training.ocr.loss import batch_loss
from training.ocr.model import build_model, parameter_count
from training.ocr.schedule import Clock, hard_share, learning_rate
from training.ocr.text import Codec, required_steps
from training.ocr.train import extended_charset
from training.ocr.widths import read_widths
from training.onnx_file import ParityError
from training.synth import CHARSET

SMALL = ["--batch", "8", "--val-size", "4", "--workers", "0", "--threads", "1", "--precision", "fp32"]
LONE = world_module.World(0, 1, torch.device("cpu"))


pytestmark = pytest.mark.usefixtures("process_as_it_was")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of three steps, exported."""
    out = tmp_path_factory.mktemp("run") / "three"
    assert (
        train_ocr.main(["--arch", "slim", "--steps", "3", "--name", "three-steps", "--out", str(out), *SMALL])
        == 0
    )
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
    with pytest.raises(ValueError, match=r"arch: expected one of crnn, .*conv, got 'vgg'"):
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


def test_validation_by_hand() -> None:
    class AlwaysAb(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.answer = nn.Parameter(torch.eye(4)[[1, 0, 2]])

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return self.answer.expand(len(images), 3, 4)

    plates = ValidationSet("three", torch.zeros(3, 1, 32, 128), ["AB", "ABC", "B"])
    result = evaluate(AlwaysAb().eval(), Codec("ABC"), plates)
    assert (result.n, result.exact, result.distance, result.characters) == (3, 1, 2, 6)


def test_equal_neighbours_need_a_step_between_them() -> None:
    assert required_steps("AABBC") == 7


def test_every_run_is_judged_on_the_same_synthetic_plates() -> None:
    sets = [
        run_module._validation_sets(Config(arch="slim", steps=1, val_size=5, multi_scale=scale), LONE, [])[0]
        for scale in ((0.4, 1.0), (1.0, 1.0))
    ]
    assert torch.equal(sets[0].images, sets[1].images)
    assert torch.equal(sets[0].images, synthetic_validation(5).images)


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
    config = Config(arch="slim", steps=100, batch=6, **settings)
    files = [read_label_file(spec, "train") for spec in config.data]
    return BatchMaker(config, Codec(extended_charset(files)), files, rank=0, processes=1)


def test_a_batch_depends_on_its_number_alone() -> None:
    maker = maker_of()
    first, other, again = (maker[BatchKey(number, 0.5)] for number in (3, 4, 3))
    fresh = maker_of()[BatchKey(3, 0.5)]
    for same in (again, fresh):
        assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(first, same, strict=True))
    assert not np.array_equal(first[0], other[0])
    images, targets, lengths, *_ = first
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
    images, targets, lengths, *_ = maker_of(repeat=3)[BatchKey(0, 0.0)]
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


@pytest.mark.parametrize(("scale", "narrowest"), [((1.0, 1.0), 100), ((0.4, 0.5), 40)])
def test_multi_scale_sets_the_sizes_of_a_batch(
    scale: tuple[float, float], narrowest: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = write_labels(tmp_path, [("a.png", "A", "")])
    widths: list[int] = []

    def measured(crops: list[Any], **size: int) -> Any:
        widths.extend(crop.shape[1] for crop in crops)
        return prepare(crops, **size)

    monkeypatch.setattr(data_module, "prepare", measured)
    maker = maker_of(multi_scale=scale, data=(str(labels),), data_share=0.5)
    for number in range(4):
        maker[BatchKey(number, 1.0)]
    low, high = scale
    labelled = [width for width in widths if 60 * low <= width <= 60 * high and width < narrowest]
    drawn = [width for width in widths if narrowest <= width <= 200 * high]
    assert len(labelled) + len(drawn) == len(widths) == 24
    assert labelled
    assert drawn


def test_multi_scale_changes_no_draw_but_the_sizes() -> None:
    crop = np.random.default_rng(1).integers(0, 255, (20, 60), np.uint8)
    after = []
    for size, scale in (((20, 60), (1.0, 1.0)), ((20, 60), (0.4, 0.9)), ((9, 31), (1.0, 1.0))):
        rng = np.random.default_rng(3)
        augment(crop[: size[0], : size[1]], rng, scale)
        after.append(rng.random())
    assert after[0] == after[1] == after[2]


def test_labelled_crops_enter_once_the_easy_stage_is_over(tmp_path: Path) -> None:
    labels = write_labels(tmp_path / "mine", [("a.png", "ab-1", "train"), ("b.png", "XX", "dev")])
    maker = maker_of(data=(f"{labels}:2",), data_share=1.0)
    _, targets, lengths, *_ = maker[BatchKey(0, 1.0)]
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
    (tmp_path / "a.csv").touch()
    with pytest.raises(ValueError, match="expected a positive weight after the colon, got 'twice'"):
        parse_spec(f"{tmp_path / 'a.csv'}:twice")
    (tmp_path / "a.csv:twice").touch()
    assert parse_spec(f"{tmp_path / 'a.csv'}:twice") == (tmp_path / "a.csv:twice", 1.0)
    with pytest.raises(ValueError, match=r"none\.csv: cannot be opened"):
        read_label_file(str(tmp_path / "none.csv"), "train")
    (tmp_path / "bad.csv").write_text("path,plate\na.png,A\n", encoding="utf-8")
    with pytest.raises(ValueError, match="expected one column 'text', got 'path,plate'"):
        read_label_file(str(tmp_path / "bad.csv"), "train")
    (tmp_path / "gone.csv").write_text("path,text\nz.png,A\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"no row can be used; line 2: z\.png: no such file"):
        read_label_file(str(tmp_path / "gone.csv"), "train")
    long = write_labels(tmp_path / "long", [("a.png", "1" * 17, "")])
    with pytest.raises(ValueError, match="too long for 32 time steps"):
        read_label_file(str(long), "train")


def test_label_files_are_read_as_lprfast_reads_them(tmp_path: Path) -> None:
    write_labels(tmp_path, [(name, "", "") for name in ("a.png", "b.png", "c.png", "d.png", "e.png")])
    (tmp_path / "broken.png").write_bytes((tmp_path / "a.png").read_bytes()[:40])
    lines = [
        "image_path,plate_text",
        "a.png,ab-1·ä",
        "b.png,",
        "c.png",
        "d.png,???",
        "broken.png,A",
        "no.png,A",
    ]
    (tmp_path / "x.csv").write_text("\n".join(lines), encoding="utf-8-sig")
    file = read_label_file(str(tmp_path / "x.csv"), "train")
    assert [(row.path.name, row.text) for row in file.rows] == [("a.png", "AB1Ä"), ("b.png", "")]
    assert [bad.line for bad in file.bad_rows] == [4, 5, 6, 7]
    assert "expected 2 columns, got 1" in file.bad_rows[0].reason
    assert "or an empty cell, got '???'" in file.bad_rows[1].reason
    assert "broken.png: " in file.bad_rows[2].reason
    assert file.bad_rows[3].reason == "no.png: no such file"
    (tmp_path / "latin.csv").write_bytes("path,text\na.png,Ä\n".encode("latin-1"))
    with pytest.raises(ValueError, match="expected UTF-8, line 2"):
        read_label_file(str(tmp_path / "latin.csv"), "train")


def test_bad_rows_are_listed_and_left_out_and_a_bad_file_ends_the_program(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = write_labels(tmp_path / "mine", [("a.png", "A", "train"), ("b.png", "B", "train")])
    (tmp_path / "mine" / "b.png").write_bytes(b"not an image")
    flags = ["--steps", "1", "--no-export", *SMALL]
    out = tmp_path / "run"
    judge = write_labels(tmp_path / "judge", [("a.png", "C", "")])
    assert train_ocr.main([*flags, "--data", str(labels), "--val", str(judge), "--out", str(out)]) == 0
    printed = capsys.readouterr()
    assert f"{labels}: line 3 is left out: b.png: not an image" in printed.err
    assert "mine/labels.csv 1" in printed.out
    (tmp_path / "mine" / "a.png").unlink()
    assert train_ocr.main([*flags, "--data", str(labels), "--out", str(tmp_path / "other")]) == 2
    assert "no row can be used; line 2: a.png: no such file" in capsys.readouterr().err
    assert not (tmp_path / "other").exists()


def test_training_sees_images_as_the_reader_does(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    color = rng.integers(0, 256, (256, 384, 3), np.uint8)
    Image.fromarray(color).save(tmp_path / "c.png")
    exact = prepare([color], height=256, width=384, mean=0.0, scale=1.0, color="rgb")[0, 0]
    assert np.abs(load_gray(tmp_path / "c.png") - exact).max() <= 1

    turned = Image.Exif()
    turned[0x0112] = 6  # shown turned by a quarter
    Image.fromarray(color).save(tmp_path / "t.png", exif=turned)
    assert load_gray(tmp_path / "t.png").shape == (384, 256)
    deep = np.array([[0, 257, 65535]], np.uint16)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    assert load_gray(tmp_path / "deep.png").tolist() == [[0, 1, 255]]
    Image.fromarray(np.zeros((2, 3, 4), np.uint8)).save(tmp_path / "clear.png")
    assert load_gray(tmp_path / "clear.png").min() == 255


def test_widths_by_hand_and_from_labels(tmp_path: Path) -> None:
    assert read_widths("40-80, 80-160:2.5") == [(40, 80, 1.0), (80, 160, 2.5)]
    labels = write_labels(tmp_path, [("a.png", "A", ""), ("b.png", "B", "")])
    assert read_widths(str(labels)) == [(60, 69, 2.0)]
    (tmp_path / "some.csv").write_text("path,text,width\na.png,A,60\nb.png,B,\n", encoding="utf-8")
    with pytest.raises(ValueError, match="expected a 'width' in pixels in every row; line 3 has none"):
        read_widths(str(tmp_path / "some.csv"))
    for spec in (
        "wide",
        "80-40",
        "0-10",
        "40-80:.",
        "40-80:1.2.3",
        "1-1025",
        "40-80:" + "9" * 400,
        "w" * 300,
    ):
        with pytest.raises(ValueError, match="--widths"):
            read_widths(spec)
    fine = ",".join(f"{low}-{low + 1}:.5" for low in range(40, 140))
    assert len(fine) > 255
    assert read_widths(fine)[::99] == [(40, 41, 0.5), (139, 140, 0.5)]
    (tmp_path / "wide.csv").write_text("path,text,width\na.png,A,5\nb.png,B,4000\n", encoding="utf-8")
    assert read_widths(str(tmp_path / "wide.csv")) == [(1, 9, 1.0), (1020, 1024, 1.0)]


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
    assert train_ocr.main(["--arch", "slim", "--steps", "3", "--out", str(out), *SMALL]) == 0
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
    initial = Initial("old", "slim", (32, 128), ("A", "B"), old.state_dict(), (), folded=False)
    load_weights(new, Config(arch="slim"), Codec("BCA"), initial)
    before, after = old.state_dict(), new.state_dict()
    assert torch.equal(after["0.0.weight"], before["0.0.weight"])
    for into, from_ in ((0, 0), (1, 2), (3, 1)):
        assert torch.equal(after["8.classify.weight"][into], before["8.classify.weight"][from_])
    with pytest.raises(ValueError, match="--init: the model is of the architecture 'slim'"):
        load_weights(build_model("conv", 4), Config(arch="conv"), Codec("BCA"), initial)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ({"charset": None}, "'charset': expected list, got NoneType"),
        ({"charset": ["A"]}, "'model' does not hold the weights of slim with 1 symbols"),
        ({"ema": {}}, "'ema' does not hold the weights of slim"),
        ({"config": {}}, "expected the name of the architecture as 'arch'"),
        ({"config": {"arch": "tall"}}, "arch: expected one of"),
    ],
)
def test_a_damaged_checkpoint_is_one_line_wherever_it_is_given(
    damage: dict[str, Any], message: str, finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = tmp_path / "c.pt", tmp_path / "out"
    save_checkpoint(path, {**load_checkpoint(finished / "last.pt"), **damage})
    assert export.main([str(path), "--out", str(out / "m.onnx")]) == 2
    exported = capsys.readouterr().err
    assert train_ocr.main(["--steps", "1", "--init", str(path), "--out", str(out), *SMALL]) == 2
    started = capsys.readouterr().err
    for printed in (exported, started):
        assert message in printed
        assert len(printed.splitlines()) == 1
    assert not out.exists()


def test_init_and_out_that_cannot_be_used_are_refused_before_anything_is_written(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    run = ["--steps", "1", *SMALL]
    assert train_ocr.main([*run, "--init", str(finished / "log.jsonl"), "--out", str(out)]) == 2
    assert "log.jsonl: expected a checkpoint of training/train_ocr.py (last.pt)" in capsys.readouterr().err
    checkpoint = str(finished / "last.pt")
    assert train_ocr.main([*run, "--arch", "conv", "--init", checkpoint, "--out", str(out)]) == 2
    assert "--init: the model is of the architecture 'slim'" in capsys.readouterr().err
    assert not out.exists()
    assert train_ocr.main(["--resume", "--init", checkpoint, "--out", str(finished)]) == 2
    assert "give one of them" in capsys.readouterr().err
    out.write_text("a file", encoding="utf-8")
    assert train_ocr.main([*run, "--out", str(out)]) == 2
    assert "expected a folder, got a file" in capsys.readouterr().err
    assert train_ocr.main([*run, "--out", str(out / "below")]) == 2
    assert "below: cannot be written to" in capsys.readouterr().err
    assert export.main([checkpoint, "--out", str(tmp_path)]) == 2
    assert "expected the path of an ONNX file to write, got a folder" in capsys.readouterr().err


def test_checkpoints_are_whole_or_refused(tmp_path: Path, finished: Path) -> None:
    path = tmp_path / "c.pt"
    save_checkpoint(path, {**load_checkpoint(finished / "last.pt"), "step": 5})
    assert load_checkpoint(path)["step"] == 5
    assert list(tmp_path.iterdir()) == [path]
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ValueError, match=r"expected a checkpoint of training/train_ocr\.py"):
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
    with pytest.raises(ParityError, match="probabilities differ from torch's"):
        export.write_checked(proto, model, codec, out)
    assert list(tmp_path.iterdir()) == []

    other = Codec(CHARSET[::-1])
    with pytest.raises(ParityError, match="the charset in the file is not the checkpoint's"):
        export.write_checked(proto, model, other, out)


def test_export_refuses_a_reader_that_sees_text_where_torch_sees_none(tmp_path: Path) -> None:
    codec = Codec("AB")
    model = build_model("conv", codec.classes).eval()
    with torch.no_grad():
        model[-1].classify.bias[1] += 50  # type: ignore[index, union-attr, operator]
    path = tmp_path / "a.onnx"
    onnx.save(export.to_onnx(model, ModelContract("m", codec.charset)), path)
    blanks = np.log(np.array([0.98, 0.01, 0.01], np.float32))
    crop = np.random.default_rng(0).integers(0, 255, (20, 60), np.uint8)
    with pytest.raises(ParityError, match=r"crop 0 is read 'A', by torch ''"):
        export._compare_texts(path, [crop], np.broadcast_to(blanks, (1, 32, 3)), codec)


def test_export_says_which_checkpoint_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.pt").write_bytes(b"no checkpoint")
    assert export.main([str(tmp_path / "x.pt"), "--out", str(tmp_path / "m.onnx")]) == 2
    assert "x.pt: expected a checkpoint of training/train_ocr.py" in capsys.readouterr().err
    assert not (tmp_path / "m.onnx").exists()


def test_the_exported_graph_is_valid(finished: Path) -> None:
    onnx.checker.check_model(onnx.load(finished / "model.onnx"), full_check=True)
