"""Makes the int8 twin of an exported SR network: ``python training/quantize_sr.py --help``.

The recipe is that of ``training/quantize.py``. Activations have 256 levels between layers, so an enlarged
picture loses more than a read does: the file is refused when it costs more than ``--max-drop`` dB.
"""

from __future__ import annotations

import argparse
import logging
import os
import random
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

# Runs from a clone without an installation, as a script and as a module.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import onnx
from numpy.typing import NDArray

from lprfast import OrtError, _core
from lprfast._ort_library import ort_library_path
from lprfast.sr_contract import SrContract
from training.qdq import QuantizeError, check_pairs, quantize
from training.quantize import Recipe
from training.sr.data import stacked
from training.sr.pairs import Pair, PairSource
from training.synth.generator import Library

CROPS = 200
COMPARED = 200
COMPARED_SEED = 1_000_003
WIDTH = 48  # of the small crops, in pixels
MAX_DROP = 0.2  # dB


def quantize_file(source: Path, out: Path, recipe: Recipe, max_drop: float) -> dict[str, Any]:
    """Writes the int8 twin of ``source`` to ``out``; returns what its training record says of it.

    Raises:
        ValueError: a file or a value cannot be used.
        QuantizeError: products could saturate, or the mean PSNR drops by more than ``max_drop`` dB.
    """
    if not source.is_file():
        raise ValueError(f"{source}: no such file; expected an ONNX model written by training/sr/export.py")
    if out.is_dir() or out.resolve() == source.resolve():
        raise ValueError(f"--out {out}: expected the path of a new ONNX file")
    contract = read_contract(source)
    scale, channels = contract.scale, contract.channels
    images = np.concatenate([low for low, _ in _pairs(scale, channels, recipe.crops, recipe.seed, False)])
    proto = quantize(onnx.load(source), images, recipe.method, recipe.lstm, recipe.stem)
    check_pairs(proto)
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name(out.name + ".partial")
    try:
        partial.write_bytes(proto.SerializeToString())
        compared = compare(source, partial, _pairs(scale, channels, recipe.compared, COMPARED_SEED, True))
        if compared["psnr_fp32"] - compared["psnr_int8"] > max_drop:
            raise QuantizeError(
                f"fp32 reaches {compared['psnr_fp32']} dB and int8 {compared['psnr_int8']} dB on "
                f"{recipe.compared} held-out plates: a drop of more than {max_drop:g} dB"
            )
        record = {"method": f"static QDQ, {recipe.method}", "crops": recipe.crops, "compared": compared}
        training = {**contract.training, "quantization": record}
        del proto.metadata_props[:]
        onnx.helper.set_model_props(
            proto, replace(contract, precision="int8", training=training).to_metadata()
        )
        partial.write_bytes(proto.SerializeToString())
        os.replace(partial, out)
    finally:
        partial.unlink(missing_ok=True)
    return record


def read_contract(path: Path) -> SrContract:
    """What an fp32 SR model says of itself.

    Raises:
        ValueError: the file is another model, or quantised already.
    """
    contract = SrContract.from_metadata(_core.Session(str(path), ort_library_path()).metadata, str(path))
    if contract.precision != "fp32":
        raise ValueError(f"{path}: expected fp32 weights, got {contract.precision}: quantised already")
    return contract


Values = NDArray[np.float32]


def _pairs(
    scale: int, channels: int, count: int, seed: int, held_out: bool
) -> list[tuple[Values, NDArray[np.uint8]]]:
    """Small crops ``[1, C, h, w]`` in 0-1, all of one size, and their originals."""
    library = Library(held_out, system_fonts=True)
    source = PairSource(scale, channels, "camera", library, one_line=True)
    pairs: list[Pair] = []
    for number in range(count):
        pairs += source.drawn(random.Random(seed * 1_000_003 + number), WIDTH)
    raw = stacked(pairs, scale)
    low = raw.low.astype(np.float32) / np.float32(255)
    return [(low[k : k + 1], raw.high[k : k + 1]) for k in range(count)]


def compare(fp32: Path, int8: Path, pairs: list[tuple[Values, NDArray[np.uint8]]]) -> dict[str, float]:
    """Mean PSNR in dB of both files' answers, rounded to gray levels, and ``n``."""
    values = {}
    for name, path in (("psnr_fp32", fp32), ("psnr_int8", int8)):
        session = _core.Session(str(path), ort_library_path())
        found = [_psnr(session.run(low), high) for low, high in pairs]
        values[name] = round(float(np.mean(found)), 3)
    return {"n": len(pairs), **values}


def _psnr(answer: Values, high: NDArray[np.uint8]) -> float:
    levels = np.clip(np.rint(answer * 255), 0, 255)
    return float(10 * np.log10(255**2 / max(1e-9, float(np.mean((levels - high) ** 2)))))


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; 0: the file stands, 1: it was refused, 2: an argument cannot be used."""
    parser = argparse.ArgumentParser(description="Makes the int8 twin of an SR network of train_sr.py.")
    parser.add_argument("model", type=Path, help="fp32 ONNX file")
    parser.add_argument("--out", type=Path, required=True, help="int8 ONNX file to write")
    parser.add_argument("--crops", type=int, default=CROPS, help="to calibrate with (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of these crops (default %(default)s)")
    parser.add_argument("--compared", type=int, default=COMPARED, help="held-out plates (%(default)s)")
    parser.add_argument("--max-drop", type=float, default=MAX_DROP, help="dB of PSNR (%(default)s)")
    given = parser.parse_args(arguments)
    logging.getLogger().setLevel(logging.ERROR)  # the library advises what is done already
    try:
        if min(given.crops, given.compared) < 1 or given.seed < 0:
            raise ValueError("--crops, --compared: expected at least 1; --seed: 0 or more")
        recipe = Recipe(crops=given.crops, seed=given.seed, compared=given.compared)
        record = quantize_file(given.model, given.out, recipe, given.max_drop)
    except (ValueError, OSError, OrtError) as error:
        print(f"quantize_sr: {error}", file=sys.stderr)
        return 2
    except QuantizeError as error:
        print(f"quantize_sr: {error}; nothing was written", file=sys.stderr)
        return 1
    compared = record["compared"]
    print(f"{given.out}: PSNR fp32 {compared['psnr_fp32']} dB, int8 {compared['psnr_int8']} dB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
