"""Fits how reads of a model vote: ``python training/calibrate_vote.py MODEL.onnx --out MODEL.onnx``.

docs/voting.md explains what is fitted. Run it after ``training/calibrate.py``: which texts a reader answers
depends on the calibration of its reads.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

# Runs from a clone without an installation, as a script and as a module.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from lprfast import ModelError, OrtError, PlateReader, vote
from lprfast.evaluation import Calibration, calibration
from lprfast.evaluation.vote_rules import Track
from lprfast.vote_settings import VoteSettings
from training.compare_votes import TEST_SEED, drawn_tracks
from training.ocr.logistic import Array, Fit
from training.ocr.model_file import check_out, write_contract
from training.ocr.vote_fit import (
    choose_calibration,
    choose_evidence,
    choose_stop,
    examples_of,
    features_of,
    is_calibrated,
    some_reads,
    with_settings,
)
from training.synth import FIT_MIXES, draw_track

TRACKS = 2000  # of each mix
DEFAULT_SEED = 9_000_000
MIX_SEEDS = 100_000  # from one mix to the next: no two draw the same plates
# What judges: compare_votes.py from TEST_SEED up; track_likeness.py and second_plates.py in the next million.
TEST_SEEDS = range(TEST_SEED, TEST_SEED + 2_000_000)
STOP_MIX = "wide"  # fifteen frames: where reading less saves most
LEAST_VOTES = 100
PROOFS = 8  # tracks
PARITY = 1e-6


def seeds_of(seed: int) -> dict[str, int]:
    """The seed of the first track of each mix."""
    return {mix: seed + MIX_SEEDS * number for number, mix in enumerate(FIT_MIXES)}


def fit_vote(tracks: dict[str, list[Track]], seed: int) -> tuple[dict[str, Any], Fit]:
    """The JSON object that goes into the model file, and the calibration in it.

    Args:
        tracks: of each mix, read.
        seed: of the reads that are left out, and of the folds.

    Raises:
        ValueError: too few votes give a text.
    """
    voted = some_reads([track for mix in tracks.values() for track in mix], seed)
    before = examples_of(voted, VoteSettings())
    if len(before.right) < LEAST_VOTES:
        raise ValueError(f"--tracks: {len(before.right)} votes gave a text, {LEAST_VOTES} are needed")
    evidence, losses = choose_evidence(voted)
    examples = examples_of(voted, evidence)
    fit, calibration_losses = choose_calibration(examples, seed)
    after = fit.predict(examples.columns(fit.features)) if fit.features else examples.probability
    settings = VoteSettings(evidence.correlation, evidence.floor, fit.features, fit.weights, fit.bias)
    stop_at, stops = choose_stop(tracks[STOP_MIX], settings)
    fitted_on = {
        "n": len(examples.right),
        "tracks": {mix: len(those) for mix, those in tracks.items()},
        "seeds": seeds_of(seed),
        "accuracy": float(examples.right.mean()),
        **figures("built_in", before.probability, before.right),
        **figures("raw", examples.probability, examples.right),
        **figures("fitted", after, examples.right),
        "nll_of_correlation_and_floor": losses,
        "cross_validated_nll": calibration_losses,
        "best_first": stops,
    }
    return settings.to_dict() | {"stop_at": stop_at, "fitted_on": fitted_on}, fit


def figures(name: str, probability: Array, right: Array) -> dict[str, float]:
    """Calibration figures of these votes."""
    found: Calibration = calibration(probability.tolist(), (right > 0.5).tolist())
    return {f"{name}_ece": found.ece, f"{name}_nll": found.nll}


def check_written(path: Path, fit: Fit, proofs: Sequence[list[Any]]) -> None:
    """Compares the votes of the written model with the formula on these tracks of crops.

    Raises:
        ValueError: they differ by more than 1e-6.
    """
    reader = PlateReader(path)
    settings = reader.contract.vote_settings or VoteSettings()
    plain = VoteSettings(settings.correlation, settings.floor)
    for crops in proofs:
        reads = reader.read_many(crops)
        found, raw = vote(reads), vote(with_settings(reads, plain))
        expected = raw.probability
        if is_calibrated(raw) and fit.features:
            values = dict(zip(("logit_probability", "agreement", "margin"), features_of(raw), strict=True))
            expected = float(fit.predict(np.array([[values[name] for name in fit.features]]))[0])
        difference = max(abs(found.probability - expected), abs(found.raw_probability - raw.probability))
        if found.text and not difference <= PARITY:
            raise ValueError(f"{path.name}: a vote's probability differs from the fit's by {difference:.2g}")


def calibrate_vote(
    model: str | Path, out: Path, tracks: int = TRACKS, seed: int = DEFAULT_SEED, threads: int | None = None
) -> dict[str, Any]:
    """Fits on held-out synthetic tracks, writes ``out`` and returns the key ``vote`` in it.

    Raises:
        ValueError: too few votes give a text, or ``out`` cannot be written.
        ModelError, OrtError: the model cannot be run.
    """
    check_out(out)
    reader = PlateReader(model, threads=threads)
    drawn = {mix: drawn_tracks(reader, mix, tracks, first) for mix, first in seeds_of(seed).items()}
    parameters, fit = fit_vote(drawn, seed)
    first = seeds_of(seed)[STOP_MIX]
    proofs = [
        [frame.sample.crop for frame in draw_track(first + number, FIT_MIXES[STOP_MIX])]
        for number in range(min(PROOFS, tracks))
    ]
    try:
        write_contract(
            Path(reader.model), out, {"vote": parameters}, lambda path: check_written(path, fit, proofs)
        )
    except OSError as error:
        raise ValueError(f"--out {out}: cannot be written: {error.strerror or error}") from None
    return parameters


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; 0: the file stands, 2: an argument cannot be used."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="bundled model, or ONNX file written by training/export.py")
    parser.add_argument("--out", type=Path, required=True, help="ONNX file to write; may be the same")
    parser.add_argument("--tracks", type=int, default=TRACKS, help="of each mix (default %(default)s)")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help="of these (default %(default)s)")
    parser.add_argument("--threads", type=int, help="of the reader")
    given = parser.parse_args(arguments)
    try:
        check_numbers(given.tracks, given.seed)
        parameters = calibrate_vote(given.model, given.out, given.tracks, given.seed, given.threads)
    except (ValueError, ModelError, OrtError) as error:
        print(f"calibrate_vote: {error}", file=sys.stderr)
        return 2
    print_summary(given.out, parameters)
    return 0


def check_numbers(tracks: int, seed: int) -> None:
    """Raises ValueError where tracks that judge would be fitted on."""
    if not 1 <= tracks <= MIX_SEEDS:
        raise ValueError(f"--tracks {tracks}: expected 1 to {MIX_SEEDS}")
    last = max(seeds_of(seed).values()) + tracks - 1
    if seed < 0 or not (last < TEST_SEEDS.start or seed >= TEST_SEEDS.stop):
        raise ValueError(
            f"--seed {seed}: expected 0 or more, and no seed from {seed} to {last} in {TEST_SEEDS.start} to "
            f"{TEST_SEEDS.stop - 1}: the tracks of these judge"
        )


def print_summary(out: Path, parameters: dict[str, Any]) -> None:
    """What was fitted, for people."""
    fitted = parameters["fitted_on"]
    print(f"{out}: fitted on {fitted['n']} votes, {fitted['accuracy']:.1%} of them right")
    print(f"  correlation {parameters['correlation']:g}, floor {parameters['floor']:g}")
    print("  mean loss of correlation, floor:")
    for pair, loss in fitted["nll_of_correlation_and_floor"].items():
        print(f"    {pair:10} {loss:.4f}")
    calibrated = parameters["calibration"]
    for name, weight in zip(calibrated.get("features", ()), calibrated.get("weights", ()), strict=True):
        print(f"  {name:20} {weight:+.3f}")
    print(f"  {'bias':20} {calibrated.get('bias', 0):+.3f}")
    for names, loss in fitted["cross_validated_nll"].items():
        print(f"  cross-validated loss {loss:.4f}  {names}")
    for name in ("built_in", "raw", "fitted"):
        print(f"  {name:8} ECE {fitted[f'{name}_ece']:.4f}  NLL {fitted[f'{name}_nll']:.4f}")
    print(f"  stop_at {parameters['stop_at']}, of {STOP_MIX}:")
    for row in fitted["best_first"]:
        print(
            f"    {row['stop_at']!s:6} right {row['right']:.4f}  "
            f"answered at 1 % error {row['answered_at_1_percent']:.3f}  reads saved {row['reads_saved']:.3f}"
        )


if __name__ == "__main__":
    sys.exit(main())
