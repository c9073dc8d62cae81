"""Calibration: its figures against cases by hand and a slow oracle, the reader's arithmetic, the fit."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from click.testing import CliRunner
from PIL import Image
from toy_model import CHARSET, LEVEL, contract, crop_of, crop_of_text, metadata_with, model_bytes

from lprfast import ModelError, PlateReader, _core, vote
from lprfast._ort_library import ort_library_path
from lprfast.cli import main
from lprfast.evaluation import Sample, Settings, calibration, make_report
from lprfast.evaluation.diagram import DiagramError, check_diagram
from lprfast.evaluation.reliability import wilson_interval
from lprfast.model import CALIBRATION_FEATURES
from training import calibrate
from training.ocr.confidence import Examples
from training.ocr.logistic import fit_logistic, held_out_losses, sigmoid

# Figures


def test_figures_by_hand() -> None:
    found = calibration([0.2, 0.4, 0.6, 0.8], [False, True, True, True], bins=2)
    assert [(one.n, one.confidence, one.accuracy) for one in found.bins] == [
        (2, pytest.approx(0.3), 0.5),
        (2, pytest.approx(0.7), 1.0),
    ]
    assert found.ece == pytest.approx(0.5 * 0.2 + 0.5 * 0.3)
    assert found.brier == pytest.approx((0.04 + 0.36 + 0.16 + 0.04) / 4)
    assert found.nll == pytest.approx(-(math.log(0.8) + math.log(0.4) + math.log(0.6) + math.log(0.8)) / 4)
    assert (found.mean_confidence, found.accuracy) == (pytest.approx(0.5), 0.75)


def test_equal_confidences_stay_together() -> None:
    found = calibration([0.5] * 30, [True] * 15 + [False] * 15)
    assert [one.n for one in found.bins] == [30]
    assert found.ece == 0.0


def test_certain_and_wrong_costs_a_finite_loss() -> None:
    found = calibration([1.0, 0.0], [False, True])
    assert found.nll == pytest.approx(-math.log(1e-6))
    assert found.ece == 1.0


def slow_ece(confidences: list[float], right: list[bool], bins: int) -> float:
    """Bin by bin from the definition, with each crop's rank counted anew."""
    n = len(confidences)
    total = 0.0
    for b in range(bins):
        inside = [i for i in range(n) if sum(c < confidences[i] for c in confidences) * bins // n == b]
        if inside:
            accuracy = sum(right[i] for i in inside) / len(inside)
            confidence = sum(confidences[i] for i in inside) / len(inside)
            total += len(inside) / n * abs(accuracy - confidence)
    return total


@pytest.mark.parametrize("n", [1, 7, 15, 16, 100])
def test_ece_equals_its_definition_in_any_order(n: int) -> None:
    draw = random.Random(n)
    confidences = [round(draw.random(), 1 if n == 100 else 3) for _ in range(n)]
    right = [draw.random() < c for c in confidences]
    found = calibration(confidences, right)
    assert found.ece == pytest.approx(slow_ece(confidences, right, 15))
    assert sum(one.n for one in found.bins) == n
    order = draw.sample(range(n), n)
    again = calibration([confidences[i] for i in order], [right[i] for i in order])
    assert again.ece == pytest.approx(found.ece, abs=1e-12)


def test_wilson_interval_by_hand() -> None:
    # z = 1.96, 8 of 10: (0.8 + z^2/20 -+ z sqrt(0.016 + z^2/400)) / (1 + z^2/10)
    assert wilson_interval(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson_interval(0, 5)[0] == 0.0
    assert wilson_interval(5, 5)[1] == 1.0


@pytest.mark.parametrize(
    ("confidences", "right", "bins", "message"),
    [
        ([], [], 15, "one each per crop"),
        ([0.5], [True, False], 15, "got 1 and 2"),
        ([1.5], [True], 15, "from 0 to 1"),
        ([math.nan], [True], 15, "from 0 to 1"),
        ([0.5], [True], 0, "bins"),
    ],
)
def test_figures_of_bad_input(confidences: list[float], right: list[bool], bins: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        calibration(confidences, right, bins=bins)


def test_a_report_states_raw_confidences_where_they_differ() -> None:
    def samples(raw: float | None) -> list[Sample]:
        return [
            Sample("AB", "AB", "AB", "ok", 1, 0.8, raw),
            # A crop without a text: confidence 0, and wrong since there is a plate.
            Sample("", "AB", "", "no_plate", 2, 0.0, raw and 0.0),
        ]

    report = make_report("x", samples(0.6), [], Settings({}, resamples=10))
    assert report.confidence is not None
    assert report.raw_confidence is not None
    assert report.confidence.ece == pytest.approx(0.1)
    assert report.raw_confidence.ece == pytest.approx(0.2)
    # Over the one text that was answered, which is right.
    assert report.answered_confidence is not None
    assert (report.answered_confidence.n, report.answered_confidence.ece) == (1, pytest.approx(0.2))
    unread = make_report("x", samples(0.6)[1:], [], Settings({}, resamples=10))
    assert unread.answered_confidence is None
    assert make_report("x", samples(0.8), [], Settings({}, resamples=10)).raw_confidence is None
    assert make_report("x", samples(None), [], Settings({}, resamples=10)).raw_confidence is None
    assert make_report("x", [], [], Settings({})).confidence is None


# The reader


def parameters(**changes: Any) -> dict[str, Any]:
    values = {"method": "logistic", "features": ["logit_confidence"], "weights": [1.0], "bias": 0.0}
    return {**values, **changes}


def calibrated_reader(**changes: Any) -> PlateReader:
    stored = metadata_with(calibration=json.dumps(parameters(**changes)))
    return PlateReader(model_bytes(stored), threads=1, min_confidence=0.0)


@pytest.fixture(scope="module")
def plain() -> PlateReader:
    return PlateReader(model_bytes(), threads=1, min_confidence=0.0)


def unsure_crop() -> Any:
    """One step between '0' and '1', nearer to '0'."""
    crop = crop_of([0, 1])
    crop[:, 4:8] = LEVEL + LEVEL // 2 + 2
    crop[:, 7] += 3  # the mean is 2.75 above class 1's centre and 3.25 below class 2's
    return crop


def logit(p: float) -> float:
    p = min(max(p, 1e-6), 1 - 1e-6)
    return math.log(p / (1 - p))


def test_without_calibration_confidence_is_raw(plain: PlateReader) -> None:
    read = plain.read(unsure_crop())
    assert not plain.calibrated
    assert 0.7 < read.confidence < 0.9
    assert read.raw_confidence == read.confidence
    assert read.to_dict()["raw_confidence"] == read.confidence


def expected_feature(name: str, read: Any) -> float:
    return {
        "logit_confidence": logit(read.confidence),
        "logit_min_character": logit(min(read.char_confidences)),
        "log_width": math.log(min(max(read.width, 16), 400)),
        "log_sharpness": math.log(read.quality.sharpness + 10),
        "log_contrast": math.log(read.quality.contrast + 5),
        "length": float(len(read.text)),
    }[name]


@pytest.mark.parametrize("feature", CALIBRATION_FEATURES)
@pytest.mark.parametrize("scale", [1, 4])
def test_each_feature_counts_as_defined(plain: PlateReader, feature: str, scale: int) -> None:
    crop = np.repeat(np.repeat(unsure_crop(), scale, axis=0), scale, axis=1)
    raw = plain.read(crop)
    value = expected_feature(feature, raw)
    read = calibrated_reader(features=[feature], weights=[0.5], bias=-1.0).read(crop)
    assert read.raw_confidence == raw.confidence
    assert read.confidence == pytest.approx(1 / (1 + math.exp(1.0 - 0.5 * value)), abs=1e-6)
    assert read.char_confidences == raw.char_confidences


def test_features_add_up(plain: PlateReader) -> None:
    raw = plain.read(unsure_crop())
    features = ["length", "logit_confidence", "log_width"]
    read = calibrated_reader(features=features, weights=[-0.3, 0.8, 0.1], bias=0.2).read(unsure_crop())
    total = 0.2 - 0.3 + 0.8 * logit(raw.confidence) + 0.1 * math.log(128)
    assert read.confidence == pytest.approx(1 / (1 + math.exp(-total)), abs=1e-6)


@pytest.mark.parametrize("bias", [-3.0, -1.0, 1.0, 3.0])
def test_alternatives_follow_the_confidence(plain: PlateReader, bias: float) -> None:
    raw = plain.read(unsure_crop(), nbest=5)
    read = calibrated_reader(bias=bias).read(unsure_crop(), nbest=5)
    before = {other.text: other.probability for other in raw.alternatives}
    after = {other.text: other.probability for other in read.alternatives}
    up = (1 - read.confidence) / (1 - raw.confidence)
    factor = min(read.confidence / raw.confidence, up)
    assert after[read.text] == pytest.approx(read.confidence)
    for text in before.keys() - {read.text}:
        assert after[text] == pytest.approx(before[text] * factor, rel=1e-6)
    assert sum(after.values()) <= 1 + 1e-6  # float32 posteriors sum to 1 no better
    probabilities = [other.probability for other in read.alternatives]
    assert probabilities == sorted(probabilities, reverse=True)


def test_min_confidence_is_compared_with_the_calibrated_one(plain: PlateReader) -> None:
    raw = plain.read(unsure_crop())
    stored = model_bytes(metadata_with(calibration=json.dumps(parameters(bias=-4.0))))
    read = PlateReader(stored, min_confidence=raw.confidence / 2).read(unsure_crop())
    assert (read.status, read.text, read.confidence, read.raw_confidence) == ("unreadable", "", 0.0, 0.0)
    assert read.log_posteriors is not None


def test_the_vote_sees_the_same_evidence(plain: PlateReader) -> None:
    crops = [unsure_crop(), crop_of_text("1"), crop_of_text("01")]
    reader = calibrated_reader(bias=-2.0)
    raw, read = plain.read_many(crops), reader.read_many(crops)
    assert vote(read).text == vote(raw).text
    assert vote(read).probability == vote(raw).probability
    # A read without company keeps its own figure.
    assert vote([read[0]]).probability == pytest.approx(read[0].confidence)


def test_a_lone_read_that_calibration_makes_unreadable_stays_so(plain: PlateReader) -> None:
    stored = model_bytes(metadata_with(calibration=json.dumps(parameters(bias=-2.0))))
    read = PlateReader(stored, threads=1, min_confidence=0.5).read(unsure_crop())
    assert read.status == "unreadable"
    assert plain.read(unsure_crop()).confidence > 0.5
    answer = vote([read])
    assert (answer.status, answer.text, answer.probability) == ("unreadable", "", 0.0)
    assert answer.alternatives[0].probability > 0.5


def test_crops_without_a_text_stay_as_they_are() -> None:
    read = calibrated_reader(bias=3.0).read(crop_of([]))
    assert (read.status, read.confidence, read.raw_confidence) == ("no_plate", 0.0, 0.0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"method": "spline"}, "method: 'logistic', got 'spline'"),
        ({"features": ["hue"]}, "features: names out of"),
        ({"features": [], "weights": []}, "features: names out of"),
        ({"features": [["length"]]}, "features: names out of"),
        ({"features": ["length", "length"], "weights": [1, 1]}, "features: no name twice"),
        ({"weights": [1.0, 2.0]}, "weights: 1 finite numbers"),
        ({"weights": ["1"]}, "weights: 1 finite numbers"),
        ({"weights": [math.nan]}, "weights: 1 finite numbers"),
        ({"weights": [True]}, "weights: 1 finite numbers"),
        ({"weights": None}, "expected the lists"),
        ({"weights": [-0.1]}, "0 or more for logit_confidence"),
        ({"bias": math.inf}, "bias: a finite number"),
        ({"bias": None}, "bias: a finite number"),
        ({"bias": 10**400}, "bias: a finite number"),
    ],
)
def test_parameters_that_cannot_be_used(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match="metadata key 'calibration'.*" + message):
        contract(calibration=parameters(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"calibration_weights": [1e7]},
        {"calibration_weights": [math.nan]},
        {"calibration_bias": -1e7},
        {"calibration_bias": math.inf},
    ],
)
def test_the_core_refuses_numbers_from_which_no_probability_comes(changes: dict[str, Any]) -> None:
    values = {"calibration_features": ["length"], "calibration_weights": [1e6], "calibration_bias": -1e6}
    session = _core.Session(model_bytes(), ort_library_path(), "cpu", 1)

    def reader(**given: Any) -> Any:
        return _core.Reader(
            session, symbols=("", *CHARSET), blank=0, height=32, width=128, fit="stretch", kernel="bilinear",
            mean=0.0, scale=1.0, color="bgr", logits=True, temperature=1.0, min_confidence=0.0, threads=1,
            batch=1, two_line=False, **given,
        )  # fmt: skip

    reader(**values)
    with pytest.raises(ValueError, match="calibration: expected weights and a bias from -1e6 to 1e6"):
        reader(**{**values, **changes})


# The fit


def drawn(n: int, seed: int) -> tuple[Any, Any]:
    draw = np.random.default_rng(seed)
    values = np.column_stack([draw.normal(1, 2, n), draw.normal(4, 0.5, n)])
    right = draw.random(n) < sigmoid(values @ [0.7, 1.2] - 5.0)
    return values, right.astype(np.float64)


def test_the_fit_finds_what_drew_the_data() -> None:
    fit = fit_logistic(*drawn(20_000, 1), ("logit_confidence", "log_width"))
    assert fit.weights == pytest.approx((0.7, 1.2), abs=0.12)
    assert fit.bias == pytest.approx(-5.0, abs=0.5)


def test_the_fit_is_the_minimum_of_its_loss() -> None:
    values, right = drawn(300, 2)
    fit = fit_logistic(values, right, ("logit_confidence", "log_width"), ridge=3.0)

    def loss(weights: Any, bias: float) -> float:
        p = sigmoid(values @ weights + bias)
        standard = np.asarray(weights) * values.std(axis=0)
        data = -np.sum(right * np.log(p) + (1 - right) * np.log(1 - p))
        theta = bias + values.mean(axis=0) @ weights
        return float(data + 1.5 * np.sum(standard**2) + 0.5e-3 * theta**2)

    best = loss(fit.weights, fit.bias)
    for step in ((1e-2, 0, 0), (-1e-2, 0, 0), (0, 1e-2, 0), (0, -1e-2, 0), (0, 0, 1e-2), (0, 0, -1e-2)):
        assert loss(np.add(fit.weights, step[:2]), fit.bias + step[2]) > best


def test_the_weight_of_the_confidence_is_never_negative() -> None:
    values, right = drawn(500, 3)
    values[:, 0] *= -1
    fit = fit_logistic(values, right, ("logit_confidence", "log_width"))
    alone = fit_logistic(values[:, 1:], right, ("log_width",))
    assert fit.weights == (0.0, alone.weights[0])
    assert fit.bias == alone.bias


def test_a_fit_where_all_are_right_is_finite() -> None:
    values, _ = drawn(50, 4)
    fit = fit_logistic(values, np.ones(50), ("logit_confidence", "log_width"))
    assert np.isfinite([*fit.weights, fit.bias]).all()
    assert (fit.predict(values) > 0.9).all()


def test_a_feature_of_noise_does_not_lower_the_held_out_loss() -> None:
    values, right = drawn(2000, 5)
    noise = np.random.default_rng(6).normal(size=(2000, 1))
    both = held_out_losses(values, right, ("logit_confidence", "log_width"), seed=0).mean()
    fewer = held_out_losses(values[:, :1], right, ("logit_confidence",), seed=0).mean()
    names = ("logit_confidence", "log_width", "length")
    more = held_out_losses(np.hstack([values, noise]), right, names, seed=0).mean()
    assert both < fewer - 1e-3
    assert more > both - 5e-4


# The commands


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "toy.onnx"
    path.write_bytes(model_bytes())
    return path


def label_rows(folder: Path, split: str) -> Path:
    """240 crops of one character, every third of them wrongly labelled."""
    lines = ["path,text,split"]
    for index in range(240):
        symbol = "ABCDEFGH"[index % 8]
        Image.fromarray(crop_of_text(symbol)).save(folder / f"{index}.png")
        lines.append(f"{index}.png,{symbol if index % 3 else 'Z'},{split}")
    path = folder / "labels.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_calibrate_writes_a_model_that_says_what_it_was_fitted_on(toy: Path, tmp_path: Path) -> None:
    labels, out = label_rows(tmp_path, "train"), tmp_path / "out.onnx"
    assert calibrate.main([str(toy), "--out", str(out), "--data", str(labels), "--crops", "2"]) == 0
    reader = PlateReader(out)
    assert reader.calibrated
    fitted = reader.contract.calibration["fitted_on"]
    assert fitted["sources"] == ["synthetic", f"{tmp_path.name}/labels.csv"]
    assert 240 <= fitted["n"] <= 242
    read = reader.read(crop_of_text("A"))
    assert read.raw_confidence is not None
    assert read.raw_confidence > 0.99
    assert read.confidence == pytest.approx(2 / 3, abs=0.05)
    before, after = onnx.load(toy), onnx.load(out)
    assert before.graph.SerializeToString() == after.graph.SerializeToString()
    assert not list(tmp_path.glob("*.partial"))


def test_calibrate_refuses_rows_that_judge(
    toy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels, out = label_rows(tmp_path, "dev"), tmp_path / "out.onnx"
    assert calibrate.main([str(toy), "--out", str(out), "--data", str(labels), "--crops", "2"]) == 2
    assert "no row of split train" in capsys.readouterr().err
    assert calibrate.main([str(toy), "--out", str(out), "--crops", "3"]) == 2
    assert "200 are needed" in capsys.readouterr().err
    assert calibrate.main([str(tmp_path / "no.onnx"), "--out", str(out)]) == 2
    assert calibrate.main([str(toy), "--out", str(out), "--crops", "0"]) == 2
    assert calibrate.main([str(toy), "--out", str(out), "--held-out-share", "2"]) == 2
    assert not out.exists()


def test_calibrate_says_which_rows_it_leaves_out_and_counts_reads_of_negatives_as_wrong(
    toy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels, out = label_rows(tmp_path, "train"), tmp_path / "out.onnx"
    lines = labels.read_text(encoding="utf-8").splitlines()
    lines[1] = "0.png,,train"  # shows "A": a read of nothing
    lines[2] = "1.png,B,train,more"
    (tmp_path / "2.png").write_bytes(b"no image")
    Image.fromarray(crop_of([])).save(tmp_path / "blank.png")
    labels.write_text("\n".join([*lines, "blank.png,,train", ""]), encoding="utf-8")
    found = Examples()
    calibrate.add_labelled(found, PlateReader(toy, threads=1, min_confidence=0.0), str(labels))
    said = capsys.readouterr().err
    assert "line 3: expected 3 columns, got 4; left out" in said
    assert "line 4: 2.png: " in said
    assert "1 rows with an empty text were read as a plate; these reads count as wrong" in said
    assert (len(found), sum(found.right), len(found.proofs)) == (238, 158, 64)
    assert found.right[0] is False
    with pytest.raises(ValueError, match="none of the 1 crops that it was to be proved on is read"):
        calibrate.write_model(toy, out, parameters(), [crop_of([])])
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--out", "x.onnx", "--seed", "-1"], "--seed: expected 0 or more, got -1"),
        (["--out", "none/x.onnx"], "--out none/x.onnx: no such folder"),
        (["--out", "."], "--out .: expected the path of an ONNX file to write, got a folder"),
    ],
)
def test_calibrate_names_bad_arguments_before_it_works(
    arguments: list[str], message: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(calibrate, "add_synthetic", lambda *_: pytest.fail("worked"))
    assert calibrate.main(["default", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_calibrate_takes_the_name_of_a_bundled_model(
    toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lprfast.models._FOLDER", toy.parent)
    labels, out = label_rows(tmp_path, "train"), tmp_path / "out.onnx"
    assert calibrate.main(["toy", "--out", str(out), "--data", str(labels), "--crops", "1"]) == 0
    assert PlateReader(out).calibrated


def test_every_feature_is_tried_and_the_one_that_tells_is_chosen() -> None:
    assert {name for names in calibrate.FEATURE_SETS for name in names} == set(CALIBRATION_FEATURES)
    draw = np.random.default_rng(7)
    found = Examples(rows=[tuple(row) for row in draw.normal(size=(1000, len(CALIBRATION_FEATURES)))])
    weakest = found.values(["logit_min_character"])[:, 0]
    found.right = (draw.random(1000) < sigmoid(3 * weakest)).tolist()
    fit, losses = calibrate.choose(found, 0)
    assert fit.features == ("logit_confidence", "logit_min_character")
    assert fit.weights == pytest.approx((0.0, 3.0), abs=0.5)
    assert len(losses) == len(calibrate.FEATURE_SETS)


def test_eval_writes_matrix_and_diagram_and_shows_both_errors(tmp_path: Path) -> None:
    model = tmp_path / "toy.onnx"
    model.write_bytes(model_bytes(metadata_with(calibration=json.dumps(parameters(weights=[0.1], bias=0.5)))))
    labels = label_rows(tmp_path, "dev")
    matrix, diagram = tmp_path / "confusion.json", tmp_path / "reliability.png"
    command = ["eval", str(labels), "--model", str(model), "--resamples", "10"]
    extra = ["--confusion", str(matrix), "--reliability", str(diagram)]
    result = CliRunner().invoke(main, [*command, *extra])
    assert result.exit_code == 0, result.output
    assert "raw ECE  ECE of answered" in result.stdout
    assert "most confused: Z as A 10, Z as B 10" in result.stdout
    counts = json.loads(matrix.read_text(encoding="utf-8"))
    place = counts["symbols"].index
    assert counts["matrix"][place("A")][place("A")] == 20
    assert counts["matrix"][place("Z")][place("A")] == 10
    with Image.open(diagram) as image:
        assert image.size == (750, 750)
    pooled = json.loads(CliRunner().invoke(main, [*command, "--json"]).stdout)["pooled"]
    assert pooled["raw_confidence"]["ece"] == pytest.approx(1 / 3, abs=0.01)
    assert pooled["confidence"]["ece"] < 0.25
    assert pooled["confusions"][0] == {"label": "Z", "read": "A", "n": 10}


def test_eval_says_early_where_it_cannot_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = CliRunner().invoke(main, ["eval", "x", "--confusion", str(tmp_path / "no" / "c.json")])
    assert missing.exit_code == 2
    assert "no such folder" in missing.stderr
    kind = CliRunner().invoke(main, ["eval", "x", "--reliability", str(tmp_path / "r.bmp")])
    assert kind.exit_code == 2
    assert ".png" in kind.stderr
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(DiagramError, match=r"pip install 'lprfast\[report\]'"):
        check_diagram(tmp_path / "r.png")
