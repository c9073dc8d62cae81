"""Fits what a confidence means: ``python training/calibrate.py MODEL.onnx --out MODEL.onnx``.

docs/calibration.md explains the model and why it has the features that it has.
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
from numpy.typing import NDArray

from lprfast import ModelError, OrtError, PlateReader
from lprfast.data.images import load_image
from lprfast.data.reading import read_files
from lprfast.evaluation import Calibration, calibration, trained_on
from training.ocr.confidence import Examples, read_features
from training.ocr.labels import label_file_name, parse_spec, read_train_rows
from training.ocr.logistic import Array, Fit, fit_logistic, held_out_losses, smallest_that_helps
from training.ocr.model_file import check_out, write_contract
from training.ocr.widths import read_widths
from training.synth import PlateGenerator

# From the least to the most; a later one is taken where it lowers the cross-validated loss beyond chance.
FEATURE_SETS: tuple[tuple[str, ...], ...] = (
    ("logit_confidence",),
    ("logit_confidence", "logit_min_character"),
    ("logit_confidence", "log_width", "log_sharpness"),
    ("logit_confidence", "log_width", "log_sharpness", "length"),
    ("logit_confidence", "log_width", "log_sharpness", "log_contrast", "length"),
    ("logit_confidence", "logit_min_character", "log_width", "log_sharpness", "log_contrast", "length"),
)
CHUNK = 256
LEAST_CROPS = 200
DEFAULT_SEED = 20_260  # no other tool draws from it
PARITY = 1e-6

Crop = NDArray[np.uint8]


def measure(predicted: Array, right: Array) -> Calibration:
    """Calibration figures of probabilities ``[N]``."""
    return calibration(predicted.tolist(), (right > 0.5).tolist())


def choose(examples: Examples, seed: int) -> tuple[Fit, dict[str, float]]:
    """The smallest of ``FEATURE_SETS`` that helps, fitted on all examples, and the loss of each set."""
    right = examples.targets()
    losses = {names: held_out_losses(examples.values(names), right, names, seed) for names in FEATURE_SETS}
    best = smallest_that_helps(losses)
    fit = fit_logistic(examples.values(best), right, best)
    return fit, {"+".join(names): float(loss.mean()) for names, loss in losses.items()}


def add_synthetic(
    examples: Examples,
    reader: PlateReader,
    crops: int,
    seed: int,
    widths: Sequence[tuple[int, int, float]] | None,
    held_out_share: float,
) -> None:
    """Fresh synthetic plates; ``held_out_share`` of them in fonts and layouts that training never draws."""
    held_out = round(crops * held_out_share)
    for side, count in ((False, crops - held_out), (True, held_out)):
        generator = PlateGenerator(seed, held_out=side, widths=widths)
        for first in range(0, count, CHUNK):
            samples = [generator.sample() for _ in range(min(CHUNK, count - first))]
            reads = reader.read_many([sample.crop for sample in samples])
            for sample, read in zip(samples, reads, strict=True):
                if examples.add(read, sample.target(read.lines)):
                    examples.proofs.append(sample.crop)


def add_labelled(examples: Examples, reader: PlateReader, labels: str) -> None:
    """The rows of split ``train`` of a label file; rows that cannot be used are told on stderr.

    A row with an empty text is a negative: it takes part where something was read, and that is wrong.

    Raises:
        ValueError: the file cannot be used, or has no such row: what judges is not fitted on.
    """
    file = read_train_rows(labels)
    for bad in file.bad_rows:
        print(f"calibrate: {file.path}, line {bad.line}: {bad.reason}; left out", file=sys.stderr)
    files = read_files(reader, (row.path for row in file.rows))
    negatives = 0
    for row, found in zip(file.rows, files, strict=True):
        negatives += row.text == "" and found.read.status == "ok"
        if examples.add(found.read, row.text):
            examples.proofs.append(load_image(row.path))
    if negatives:
        print(
            f"calibrate: {file.path}: {negatives} rows with an empty text were read as a plate; these reads "
            "count as wrong",
            file=sys.stderr,
        )


def record(fit: Fit, examples: Examples, losses: dict[str, float], **facts: Any) -> dict[str, Any]:
    """The JSON object that goes into the model file."""
    right = examples.targets()
    raw = measure(np.array(examples.raw), right)
    after = measure(fit.predict(examples.values(fit.features)), right)
    return {
        "method": "logistic",
        "features": list(fit.features),
        "weights": list(fit.weights),
        "bias": fit.bias,
        "fitted_on": {
            "n": len(examples),
            **facts,
            "accuracy": raw.accuracy,
            "raw_ece": raw.ece,
            "ece": after.ece,
            "raw_nll": raw.nll,
            "nll": after.nll,
            "cross_validated_nll": losses,
        },
    }


def write_model(
    source: Path,
    out: Path,
    parameters: dict[str, Any],
    proofs: Sequence[Crop],
    layouts: tuple[str, ...] | None = None,
) -> None:
    """Writes ``source`` with these parameters to ``out``, which appears once the reader has proved them.

    Raises:
        ValueError: the reader does not take the file, or computes other features than the fit did.
    """
    changes: dict[str, Any] = {"calibration": parameters}
    if layouts is not None:
        changes["layouts"] = layouts
    write_contract(source, out, changes, lambda path: check_written(path, parameters, proofs))


def check_written(path: Path, parameters: dict[str, Any], proofs: Sequence[Crop]) -> None:
    """Compares the reader's confidences with the formula on crops that gave a text, at least one.

    Raises:
        ValueError: they differ by more than 1e-6, or no crop gives a text.
    """
    reads = PlateReader(path, min_confidence=0.0).read_many(proofs)
    reads = [read for read in reads if read.status == "ok"]
    if not reads:
        raise ValueError(f"{path.name}: none of the {len(proofs)} crops that it was to be proved on is read")
    fit = Fit(tuple(parameters["features"]), tuple(parameters["weights"]), parameters["bias"])
    expected = fit.predict(np.array([read_features(read, fit.features) for read in reads], np.float64))
    difference = float(np.abs(expected - np.array([read.confidence for read in reads])).max())
    if not difference <= PARITY:
        raise ValueError(f"{path.name}: the reader's confidence differs from the fit's by {difference:.2g}")


def calibrate(
    model: str | Path,
    out: Path,
    data: Sequence[str] = (),
    crops: int = 6000,
    seed: int = DEFAULT_SEED,
    widths: Sequence[tuple[int, int, float]] | None = None,
    held_out_share: float = 0.0,
    layouts: tuple[str, ...] | None = None,
) -> dict[str, Any]:
    """Fits on fresh synthetic plates and on ``data``, writes ``out`` and returns the parameters.

    ``layouts`` take the place of those that the model expects, in the fit and in the file; None leaves them.

    Raises:
        ValueError: too few crops give a text, a label file cannot be used, or ``out`` cannot be written.
        ModelError, OrtError: the model cannot be run.
    """
    check_out(out)
    reader = PlateReader(model, min_confidence=0.0, layouts="model" if layouts is None else layouts or None)
    warn_of_training_rows(reader, data)
    examples = Examples()
    add_synthetic(examples, reader, crops, seed, widths, held_out_share)
    for labels in data:
        add_labelled(examples, reader, labels)
    if len(examples) < LEAST_CROPS:
        raise ValueError(f"--crops {crops}: {len(examples)} crops gave a text, {LEAST_CROPS} are needed")
    fit, losses = choose(examples, seed)
    facts = {
        "sources": ["synthetic", *map(label_file_name, data)],
        "seed": seed,
        "crops": crops,
        "held_out_share": held_out_share,
        "widths": [list(w) for w in widths or ()],
    }
    parameters = record(fit, examples, losses, **facts)
    try:
        write_model(Path(reader.model), out, parameters, examples.proofs, layouts)
    except OSError as error:
        raise ValueError(f"--out {out}: cannot be written: {error.strerror or error}") from None
    return parameters


def warn_of_training_rows(reader: PlateReader, data: Sequence[str]) -> None:
    """Rows that the model learned are read better than any crop to come: they teach too much confidence."""
    known = reader.contract.training.get("data")
    entries = [name for name in known if isinstance(name, str)] if isinstance(known, list) else []
    for labels in data:
        if trained_on(parse_spec(labels)[0], entries):
            print(
                f"calibrate: warning: --data {labels}: the model was trained on this file; its rows are read "
                "better than others and make the calibration too confident",
                file=sys.stderr,
            )


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; 0: the file stands, 2: an argument cannot be used."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="bundled model, or ONNX file written by training/export.py")
    parser.add_argument("--out", type=Path, required=True, help="ONNX file to write; may be the same")
    parser.add_argument(
        "--data",
        action="append",
        default=[],
        metavar="LABELS.csv",
        help="also fit on its rows of split train; a read of one with an empty text is wrong",
    )
    parser.add_argument("--crops", type=int, default=6000, help="synthetic plates (default %(default)s)")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help="of these (default %(default)s)")
    parser.add_argument(
        "--widths", help="widths of these: LOW-HIGH[:WEIGHT],... or a label file (default: as in training)"
    )
    parser.add_argument(
        "--held-out-share",
        type=float,
        default=0.0,
        help="of these, in fonts and layouts that training never draws, 0-1 (default %(default)s)",
    )
    parser.add_argument(
        "--layouts",
        metavar="NAME[,..]|none",
        help="plates that reads expect, stored in the file (docs/layouts.md; default: as the model has it)",
    )
    given = parser.parse_args(arguments)
    try:
        if not 0 < given.crops <= 1_000_000:
            raise ValueError(f"--crops {given.crops}: expected 1 to 1000000")
        if given.seed < 0:
            raise ValueError(f"--seed: expected 0 or more, got {given.seed}")
        share = given.held_out_share
        if not 0 <= share <= 1:
            raise ValueError(f"--held-out-share {share}: expected 0 to 1")
        widths = read_widths(given.widths) if given.widths else None
        parameters = calibrate(
            given.model, given.out, given.data, given.crops, given.seed, widths, share,
            None if given.layouts is None else _names(given.layouts),
        )  # fmt: skip
    except (ValueError, ModelError, OrtError) as error:
        print(f"calibrate: {error}", file=sys.stderr)
        return 2
    print_summary(given.out, parameters)
    return 0


def _names(layouts: str) -> tuple[str, ...]:
    return () if layouts == "none" else tuple(name.strip() for name in layouts.split(",") if name.strip())


def print_summary(out: Path, parameters: dict[str, Any]) -> None:
    """What was fitted, for people."""
    fitted = parameters["fitted_on"]
    print(f"{out}: fitted on {fitted['n']} reads, {fitted['accuracy']:.1%} of them right")
    for name, weight in zip(parameters["features"], parameters["weights"], strict=True):
        print(f"  {name:20} {weight:+.3f}")
    print(f"  {'bias':20} {parameters['bias']:+.3f}")
    for names, loss in fitted["cross_validated_nll"].items():
        print(f"  cross-validated loss {loss:.4f}  {names}")
    print(f"  on what was fitted: ECE {fitted['raw_ece']:.3f} raw, {fitted['ece']:.3f} calibrated")


if __name__ == "__main__":
    sys.exit(main())
