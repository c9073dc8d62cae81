"""The fit of the vote's settings, and how alike the crops of a vehicle are."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from test_vote import clear_read

import lprfast
from lprfast.evaluation.vote_rules import Track
from lprfast.vote_settings import VOTE_FEATURES, VoteSettings
from training import calibrate_vote, compare_votes, duplicates, second_plates, track_likeness
from training.ocr import vote_fit
from training.ocr.logistic import fit_logistic, sigmoid, smallest_that_helps
from training.ocr.vote_fit import VoteExamples
from training.synth import MIXES


def track(right: int, wrong: int = 0, sure: float = 0.8) -> Track:
    reads = [clear_read("AB12CD" if n < right else "AB12CX", n, sure) for n in range(right + wrong)]
    return Track("AB12CD", tuple(reads))


# --- the fit ---


def test_some_reads_are_all_or_two_and_more_of_a_track() -> None:
    found = vote_fit.some_reads([track(8)] * 60, seed=3)
    counts = [len(one.reads) for one in found]
    assert counts[::2] == [8] * 30
    assert set(counts[1::2]) == set(range(2, 9))
    assert found == [] or found[0].label == "AB12CD"
    assert [r.signature is not None for r in found[1].reads] == [True] * counts[1]
    assert [len(one.reads) for one in vote_fit.some_reads([track(1)] * 2, seed=3)] == [1, 1]


def examples(seed: int, weight: float, bias: float, n: int = 3000) -> VoteExamples:
    draw = np.random.default_rng(seed)
    values = np.column_stack([draw.normal(1, 2, n), draw.random(n), draw.random(n) * 14])
    right = (draw.random(n) < sigmoid(weight * values[:, 0] + bias)).astype(np.float64)
    return VoteExamples(values, sigmoid(values[:, 0]), right)


def test_a_probability_that_is_right_stays() -> None:
    fit, losses = vote_fit.choose_calibration(examples(1, 1.0, 0.0), seed=0)
    assert fit.features == ()
    assert list(losses)[:2] == ["none", "logit_probability"]


def test_a_probability_that_is_too_sure_is_calibrated_by_what_helps() -> None:
    fit, _ = vote_fit.choose_calibration(examples(2, 0.5, -0.7), seed=0)
    assert fit.features == ("logit_probability",)
    assert fit.weights[0] == pytest.approx(0.5, abs=0.07)
    assert fit.bias == pytest.approx(-0.7, abs=0.15)


def test_no_weight_of_a_vote_is_negative() -> None:
    data = examples(3, 0.8, 0.0)
    values = data.columns(VOTE_FEATURES) * [1, 1, -1]
    right = (
        np.random.default_rng(4).random(3000) < sigmoid(-0.3 * values[:, 1] - 0.2 * values[:, 2] - 1)
    ) * 1.0
    fit = fit_logistic(-values, right, VOTE_FEATURES, never_negative=VOTE_FEATURES)
    assert min(fit.weights) >= 0
    free = fit_logistic(-values, right, VOTE_FEATURES, never_negative=())
    assert fit_logistic(values, right, VOTE_FEATURES, never_negative=VOTE_FEATURES).weights[2] == 0.0
    assert free.weights[2] > 0.1


def test_the_smallest_choice_that_helps() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 400)
    losses = {"a": np.full(400, 0.5), "b": 0.499 + noise, "c": 0.4 + noise, "d": 0.399 + noise[::-1]}
    assert smallest_that_helps(losses) == "c"


def test_the_floor_stays_unless_another_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    best = {-12.0: 0.30, -10.0: 0.30, -8.0: 0.40, -6.0: 0.45}

    def losses(_: Any, settings: VoteSettings) -> Any:
        return np.full(50, best[settings.floor] + abs(settings.correlation - 0.6))

    monkeypatch.setattr(vote_fit, "track_losses", losses)
    chosen, means = vote_fit.choose_evidence([])
    assert (chosen.correlation, chosen.floor) == (0.6, -10.0)
    assert means["0.7, -8"] == pytest.approx(0.5)
    best[-10.0] = best[-12.0] = 0.41
    assert vote_fit.choose_evidence([])[0].floor == -8.0


def test_losses_of_tracks_by_hand() -> None:
    tracks = [track(3), track(0, 3), Track("AB12CD", (lprfast.PlateRead(status="no_plate"),))]
    settings = VoteSettings()
    sure = lprfast.vote(tracks[0].reads).probability
    wrong = lprfast.vote(tracks[1].reads).probability
    found = vote_fit.track_losses(tracks, settings)
    assert found == pytest.approx([-math.log(sure), -math.log(1 - wrong), 0.0], abs=1e-5)


def test_where_to_stop_by_hand() -> None:
    # The sharp crops of the first come first and are wrong; in the others nothing is lost by stopping.
    first = Track("AB12CD", (*track(0, 2, 0.99).reads, *track(6, 0, 0.99).reads[2:]))
    easy = track(6, 0, 0.99)
    settings = VoteSettings()
    stop, rows = vote_fit.choose_stop([easy] * 20, settings)
    assert stop == 0.8
    assert rows[0] == {"stop_at": None, "right": 1.0, "answered_at_1_percent": 1.0, "reads_saved": 0.0}
    assert rows[1]["reads_saved"] == pytest.approx(4 / 6)
    stop, rows = vote_fit.choose_stop([first, *[easy] * 20], settings)
    assert rows[1]["right"] == pytest.approx(20 / 21)
    (chosen,) = [row for row in rows if row["stop_at"] == stop]
    assert (chosen["right"], chosen["answered_at_1_percent"]) == (1.0, 1.0)
    assert vote_fit.read_best_first(easy, settings, 0.9)[1] == 2
    assert vote_fit.read_best_first(easy, settings, 1.0)[1] == 6


def test_a_stop_that_passes_by_chance_is_not_taken() -> None:
    def chosen(*answered: float, right: float = 0.95) -> float | None:
        stops = (None, 0.8, 0.9, 0.95, 0.99)
        return vote_fit.lowest_stop(
            [
                {"stop_at": stop, "right": right if stop == 0.9 else 0.95, "answered_at_1_percent": share}
                for stop, share in zip(stops, (0.85, *answered), strict=True)
            ]
        )

    assert chosen(0.85, 0.85, 0.85, 0.85) == 0.8
    assert chosen(0.84, 0.84, 0.84, 0.84) == 0.8  # one point less is allowed
    assert chosen(0.88, 0.83, 0.87, 0.85) == 0.95  # the first of them by chance
    assert chosen(0.83, 0.85, 0.83, 0.86) == 0.99
    assert chosen(0.88, 0.88, 0.88, 0.83) is None
    assert chosen(0.85, 0.85, 0.85, 0.85, right=0.947) == 0.8
    assert chosen(0.85, 0.85, 0.85, 0.85, right=0.946) == 0.95


# --- the command ---


def test_the_command_writes_what_the_reader_votes_by(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vote_fit, "CORRELATIONS", (0.5, 0.6))
    monkeypatch.setattr(vote_fit, "FLOORS", (-8.0, -10.0))
    monkeypatch.setattr(vote_fit, "STOPS", (0.9, 0.95))
    out = tmp_path / "out.onnx"
    assert calibrate_vote.main(["default", "--out", str(out), "--tracks", "24", "--threads", "1"]) == 0
    reader = lprfast.PlateReader(out, threads=1)
    stored = reader.contract.vote
    assert reader.contract.vote_settings == VoteSettings.from_dict(stored)
    assert stored["correlation"] in vote_fit.CORRELATIONS
    assert stored["floor"] in vote_fit.FLOORS
    fitted = stored["fitted_on"]
    assert 100 <= fitted["n"] <= 24 * 5
    assert fitted["seeds"]["wide"] == 9_100_000
    assert set(fitted["tracks"].values()) == {24}
    for name in ("built_in", "raw", "fitted"):
        assert 0 < fitted[f"{name}_nll"] < 1
        assert 0 < fitted[f"{name}_ece"] < 0.5
    before = onnx.load(lprfast.PlateReader("default").model)
    assert before.graph.SerializeToString() == onnx.load(out).graph.SerializeToString()
    assert not list(tmp_path.glob("*.partial"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--tracks", "0"], "--tracks 0: expected 1 to 100000"),
        (["--seed", "7000000"], "the tracks of these judge"),
        (["--seed", "6600000"], "the tracks of these judge"),
        (["--seed", "8000000"], "the tracks of these judge"),
        (["--seed", "8999999"], "the tracks of these judge"),
        (["--seed", "-1"], "--seed -1: expected 0 or more"),
        (["--out", "no/such/out.onnx"], "no such folder"),
    ],
)
def test_bad_arguments_are_named_before_the_work(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(calibrate_vote, "drawn_tracks", lambda *_: pytest.fail("worked"))
    assert calibrate_vote.main(["default", "--out", "out.onnx", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_too_few_votes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="9 votes gave a text, 100 are needed"):
        calibrate_vote.fit_vote({"wide": [track(3)] * 9}, seed=0)


def test_a_calibration_that_the_reader_does_not_compute_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    stored = VoteSettings(0.5, -8.0, ("margin",), (0.5,), 0.1).to_dict()
    source = Path(lprfast.PlateReader("default").model)
    crops = [[frame.sample.crop for frame in calibrate_vote.draw_track(1, MIXES["similar"])]]

    def prove(bias: float) -> Any:
        fit = calibrate_vote.Fit(("margin",), (0.5,), bias)
        return lambda written: calibrate_vote.check_written(written, fit, crops)

    with pytest.raises(ValueError, match="differs from the fit's"):
        calibrate_vote.write_contract(source, path, {"vote": stored}, prove(0.3))
    assert not list(tmp_path.iterdir())
    calibrate_vote.write_contract(source, path, {"vote": stored}, prove(0.1))
    assert lprfast.PlateReader(path).contract.vote == json.loads(json.dumps(stored))


def test_no_tracks_judge_that_are_fitted_on() -> None:
    fitted = calibrate_vote.seeds_of(calibrate_vote.DEFAULT_SEED).values()
    seeds = (compare_votes.TEST_SEED, track_likeness.DEFAULT_SEED, second_plates.SEED, duplicates.SEED)
    for seed in seeds:
        assert all(abs(seed - first) >= calibrate_vote.MIX_SEEDS for first in fitted)
        assert seed in calibrate_vote.TEST_SEEDS


# --- how alike crops are ---


def test_intraclass_correlation_by_hand() -> None:
    # Means 1 and 5, grand 3: MSB = (2*4 + 2*4) / 1 = 16; MSW = 4 * 0.25 / 2 = 0.5; n0 = 2.
    groups = [np.array([0.5, 1.5]), np.array([4.5, 5.5])]
    assert track_likeness.intraclass_correlation(groups) == pytest.approx((16 - 0.5) / (16 + 0.5))
    assert track_likeness.intraclass_correlation([np.array([0.0, 1.0])] * 3) == pytest.approx(-1.0)
    assert math.isnan(track_likeness.intraclass_correlation([np.ones(3)] * 2))
    assert math.isnan(track_likeness.intraclass_correlation([np.ones(3)]))


def test_intraclass_correlation_finds_what_drew_the_data(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(1)
    sizes = draw.integers(2, 12, 400)
    groups = [draw.normal() * math.sqrt(0.3) + draw.normal(size=n) * math.sqrt(0.7) for n in sizes]
    assert track_likeness.intraclass_correlation(groups) == pytest.approx(0.3, abs=0.05)
    monkeypatch.setattr(track_likeness, "RESAMPLES", 200)
    low, high = track_likeness.interval(groups[:100])
    assert low < 0.3 < high
    assert high - low < 0.3


def test_likeness_by_hand() -> None:
    found = track_likeness.likeness([track(2, 1), track(3), Track("X", track(1).reads)])
    assert (found["tracks"], found["crops"], found["right"]) == (2, 6, pytest.approx(5 / 6))
    first = clear_read("AB12CD", 1)
    assert first.signature is not None
    moved = np.clip(first.signature.astype(int) + np.where(first.signature < 128, 2, -2), 0, 255)
    pair = (first, lprfast.PlateRead(signature=moved.astype(np.uint8)))
    assert track_likeness.consecutive_distances(Track("", pair)) == [2.0]


def test_log_likelihood_of_the_label_is_held_to_the_floor() -> None:
    read = clear_read("AB12CD", 1, 0.9)
    right = track_likeness.log_likelihood(read, "AB12CD")
    assert right == pytest.approx(6 * math.log(0.9), abs=0.25)
    assert track_likeness.log_likelihood(read, "ZZZZZZ") == -8.0
    assert track_likeness.log_likelihood(read, "AB12C~") == -8.0
    assert track_likeness.log_likelihood(lprfast.PlateRead(), "AB") == -8.0


def test_the_likeness_command_prints_a_row(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert track_likeness.main(["default", "--mix", "similar", "--tracks", "4"]) == 0
    assert "| similar | 4 / 20 |" in capsys.readouterr().out
    assert track_likeness.main(["default", "--tracks", "1"]) == 2
    assert track_likeness.main(["--reads", str(tmp_path / "none.npz")]) == 2
