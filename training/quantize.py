"""Makes the int8 twin of an exported reader: ``python training/quantize.py --help``."""

from __future__ import annotations

import argparse
import dataclasses
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

# Runs from a clone without an installation, as a script and as a module.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import onnx

import lprfast
from lprfast import _core
from lprfast._ort_library import ort_library_path
from lprfast.data.images import load_image
from lprfast.model import ModelContract
from lprfast.prepare import prepare
from training.ocr.labels import Crop, read_train_rows
from training.onnx_file import check_new, replace_metadata, written_whole
from training.qdq import METHODS, Images, QuantizeError, check_pairs, quantize
from training.synth import PlateGenerator

CALIBRATION_CROPS = 400
STEM = 1
COMPARED_CROPS = 1000
COMPARED_SEED = 1_000_003
MAX_DROP = 0.003  # of exact match, as the shipping rule has it


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How a model is quantised.

    Attributes:
        data: label files whose rows of split ``train`` calibrate beside synthetic plates.
        crops: synthetic plates to calibrate with, and labelled crops at most; at least 1.
        seed: of both.
        method: how activation ranges follow from the crops: ``minmax`` or ``percentile`` (99.999).
        lstm: ``fp32``, or ``dynamic``: int8 with ranges taken from each batch as it comes, so that a crop's
            answer depends slightly on what else is in its batch.
        stem: how many of the first convolutions stay fp32; at least 1.
        compared: held-out synthetic plates to compare the two models on; at least 1.
    """

    data: tuple[str, ...] = ()
    crops: int = CALIBRATION_CROPS
    seed: int = 0
    method: str = "minmax"
    lstm: str = "fp32"
    stem: int = STEM
    compared: int = COMPARED_CROPS


def quantize_file(source: Path, out: Path, recipe: Recipe) -> dict[str, Any]:
    """Writes the int8 twin of ``source`` to ``out``; returns what its training record says of it.

    Raises:
        ValueError: a file or a value cannot be used.
        QuantizeError: products could saturate, or exact match drops by more than 0.3 points; no file is left.
    """
    _check_arguments(source, out, recipe)
    contract = _contract(source)
    if contract.precision != "fp32":
        raise ValueError(
            f"{source}: expected fp32 weights, got {contract.precision}: it is quantised already"
        )
    crops, labelled = calibration_crops(recipe)
    proto = quantize(onnx.load(source), _prepared(crops, contract), recipe.method, recipe.lstm, recipe.stem)
    check_pairs(proto)
    with written_whole(out) as partial:
        _write(proto, contract, {}, partial)
        record = {
            "method": f"static QDQ, {recipe.method}",
            "fp32_convolutions": recipe.stem,
            "lstm": recipe.lstm,
            "calibration_crops": {"synthetic": recipe.crops, "labelled": labelled},
            "seed": recipe.seed,
            "compared": compare(source, partial, recipe.compared),
        }
        _write(proto, contract, record, partial)
    return record


def _check_arguments(source: Path, out: Path, recipe: Recipe) -> None:
    check_new(source, out, "training/export.py")
    for name, value in (("crops", recipe.crops), ("stem", recipe.stem), ("compared", recipe.compared)):
        if value < 1:
            raise ValueError(f"--{name}: expected at least 1, got {value}")
    if recipe.seed < 0:
        raise ValueError(f"--seed: expected 0 or more, got {recipe.seed}")


def _contract(path: Path) -> ModelContract:
    return ModelContract.from_metadata(_core.Session(str(path), ort_library_path()).metadata, path.name)


def _write(proto: onnx.ModelProto, contract: ModelContract, record: dict[str, Any], path: Path) -> None:
    training = {**contract.training, "quantization": record}
    int8 = dataclasses.replace(contract, precision="int8", training=training)
    replace_metadata(proto, int8.to_metadata())
    path.write_bytes(proto.SerializeToString())


def calibration_crops(recipe: Recipe) -> tuple[list[Crop], int]:
    """Synthetic plates of the training side, then labelled train rows; and how many are labelled."""
    paths = [row.path for spec in recipe.data for row in read_train_rows(spec).rows]
    generator = PlateGenerator(recipe.seed)
    crops = [generator.sample().crop for _ in range(recipe.crops)]
    order = np.random.default_rng(recipe.seed).permutation(len(paths))[: recipe.crops]
    return crops + [load_image(paths[number]) for number in order], len(order)


def _prepared(crops: Sequence[Crop], contract: ModelContract) -> Images:
    return prepare(
        crops,
        height=contract.input_height,
        width=contract.input_width,
        fit=contract.resize_fit,
        kernel=contract.resize_kernel,
        mean=contract.mean,
        scale=contract.scale,
    )


def compare(fp32: Path, int8: Path, count: int) -> dict[str, Any]:
    """Reads ``count`` held-out synthetic plates with both files, by lprfast itself.

    Returns:
        ``n``, ``same_text`` (share of crops that both read alike), ``exact_fp32`` and ``exact_int8`` (0-1).

    Raises:
        QuantizeError: the exact match of ``int8`` is lower by more than 0.3 points.
    """
    generator = PlateGenerator(COMPARED_SEED, held_out=True)
    samples = [generator.sample() for _ in range(count)]
    crops = [sample.crop for sample in samples]
    first, second = (lprfast.PlateReader(path, min_confidence=0.0).read_many(crops) for path in (fp32, int8))
    exact = [
        sum(read.text == sample.target(read.lines) for read, sample in zip(reads, samples, strict=True))
        for reads in (first, second)
    ]
    if exact[0] - exact[1] > MAX_DROP * count:
        raise QuantizeError(
            f"of {count} held-out synthetic plates fp32 reads {exact[0]} and int8 {exact[1]}: "
            f"a drop of more than {MAX_DROP:.1%}; try other calibration crops or --method"
        )
    same = sum(a.text == b.text for a, b in zip(first, second, strict=True))
    return {
        "n": count,
        "same_text": round(same / count, 4),
        "exact_fp32": round(exact[0] / count, 4),
        "exact_int8": round(exact[1] / count, 4),
    }


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; 0: the file stands, 1: it was refused, 2: an argument cannot be used."""
    parser = argparse.ArgumentParser(description="Makes the int8 twin of a reader written by export.py.")
    parser.add_argument("model", type=Path, help="fp32 ONNX file")
    parser.add_argument("--out", type=Path, required=True, help="int8 ONNX file to write")
    parser.add_argument(
        "--data",
        action="append",
        default=[],
        metavar="LABELS",
        help="label file whose train rows calibrate too; repeatable",
    )
    parser.add_argument(
        "--crops", type=int, default=CALIBRATION_CROPS, help="synthetic plates that calibrate (%(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the calibration crops (default %(default)s)")
    parser.add_argument("--method", choices=METHODS, default="minmax", help="activation ranges (%(default)s)")
    parser.add_argument(
        "--lstm", choices=("fp32", "dynamic"), default="fp32", help="precision of the LSTM (%(default)s)"
    )
    parser.add_argument(
        "--stem", type=int, default=STEM, help="first convolutions left in fp32 (%(default)s)"
    )
    parser.add_argument("--compared", type=int, default=COMPARED_CROPS, help="held-out plates (%(default)s)")
    given = parser.parse_args(arguments)
    logging.getLogger().setLevel(logging.ERROR)  # the library advises what is done already
    options = {key: value for key, value in vars(given).items() if key not in ("model", "out", "data")}
    recipe = Recipe(tuple(given.data), **options)
    try:
        record = quantize_file(given.model, given.out, recipe)
    except (ValueError, OSError, lprfast.OrtError) as error:
        print(f"quantize: {error}", file=sys.stderr)
        return 2
    except QuantizeError as error:
        print(f"quantize: {error}; nothing was written", file=sys.stderr)
        return 1
    compared = record["compared"]
    print(
        f"{given.out}: {given.out.stat().st_size / 1e6:.2f} MB; {compared['n']} held-out synthetic plates: "
        f"{compared['same_text']:.1%} read alike, exact match fp32 {compared['exact_fp32']:.1%}, "
        f"int8 {compared['exact_int8']:.1%}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
