"""Makes the int8 twin of an exported SR network: ``python training/quantize_sr.py --help``.

As ``training/quantize.py`` does it for readers, but every convolution becomes int8. Activations have 256
levels between layers, so an enlarged picture loses more than a read does: where that costs more than
``--max-drop`` dB the first and the last convolution stay in fp32, and where this costs too much as well the
file is refused.
"""

from __future__ import annotations

import argparse
import logging
import math
import random
import sys
from dataclasses import dataclass, replace
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
from training.onnx_file import check_new, replace_metadata, written_whole
from training.qdq import Images, QuantizeError, check_pairs, quantize
from training.settings import require
from training.sr.data import planes, stacked
from training.sr.evaluate import psnr
from training.sr.pairs import Pair, PairSource
from training.synth.generator import Library

COMPARED_SEED = 1_000_003
WIDTH = 48  # of the small crops, in pixels
Pairs = list[
    tuple[Images, NDArray[np.uint8]]
]  # low [1, C, h, w], high [C, H, W]: where low is padded, smaller


@dataclass(frozen=True)
class Recipe:
    """How an SR network is quantised.

    Attributes:
        crops: synthetic plates to calibrate with; at least 1.
        seed: of these; 0 or more.
        compared: held-out synthetic plates to compare the two files on; at least 1.
        stem: how many of the first convolutions stay fp32; 0 or more.
        max_drop: of the mean PSNR, in dB.
    """

    crops: int = 200
    seed: int = 0
    compared: int = 200
    stem: int = 0
    max_drop: float = 0.2

    def __post_init__(self) -> None:
        for name, least in (("crops", 1), ("seed", 0), ("compared", 1), ("stem", 0)):
            require(getattr(self, name) >= least, f"--{name}", f"{least} or more", getattr(self, name))
        require(not math.isnan(self.max_drop), "--max-drop", "a number of dB", self.max_drop)


def quantize_file(source: Path, out: Path, recipe: Recipe) -> dict[str, Any]:
    """Writes the int8 twin of ``source`` to ``out``; returns what its training record says of it.

    Raises:
        ValueError: a file or a value cannot be used.
        QuantizeError: products could saturate, or the mean PSNR drops by more than ``max_drop`` dB.
    """
    check_new(source, out, "training/sr/export.py")
    contract = read_contract(source)
    with written_whole(out) as partial:
        proto, record = _good_twin(source, partial, contract, recipe)
        training = {**contract.training, "quantization": record}
        replace_metadata(proto, replace(contract, precision="int8", training=training).to_metadata())
        partial.write_bytes(proto.SerializeToString())
    return record


def int8_twin(proto: onnx.ModelProto, images: Images, stem: int, last: bool = True) -> onnx.ModelProto:
    """All convolutions int8 but the first ``stem`` and, unless ``last``, the last, by the ranges that
    ``images [N, C, h, w]`` show.

    Raises:
        QuantizeError: products could saturate, or there was nothing to quantise.
    """
    twin = quantize(proto, images, "minmax", "fp32", stem, last)
    check_pairs(twin)
    return twin


def _good_twin(
    source: Path, partial: Path, contract: SrContract, recipe: Recipe
) -> tuple[onnx.ModelProto, dict[str, Any]]:
    """The twin of the most int8 convolutions that loses no more than it may, and its record; ``partial`` is
    where it is tried."""
    images = np.concatenate([low for low, _ in _pairs(contract, recipe.crops, recipe.seed, False)])
    pairs = _pairs(contract, recipe.compared, COMPARED_SEED, True)
    refused: dict[str, float] = {}
    for stem, last in ((recipe.stem, True), (max(1, recipe.stem), False)):
        proto = int8_twin(onnx.load(source), images, stem, last)
        partial.write_bytes(proto.SerializeToString())
        compared = compare(source, partial, pairs)
        kept = " and ".join([f"the first {stem}"] * bool(stem) + ["the last"] * (not last)) or "none"
        if compared["psnr_fp32"] - compared["psnr_int8"] <= recipe.max_drop:
            record = {"method": "static QDQ, minmax", "fp32_convolutions": kept, "crops": recipe.crops}
            return proto, {**record, "compared": compared, "refused": refused}
        refused[kept] = compared["psnr_int8"]
    tried = ", ".join(f"{reached} dB ({kept} in fp32)" for kept, reached in refused.items())
    raise QuantizeError(
        f"fp32 reaches {compared['psnr_fp32']} dB on {recipe.compared} held-out plates, int8 {tried}: a drop "
        f"of more than {recipe.max_drop:g} dB"
    )


def read_contract(path: Path) -> SrContract:
    """What an fp32 SR model says of itself.

    Raises:
        ValueError: the file is another model, or quantised already.
    """
    contract = SrContract.from_metadata(_core.Session(str(path), ort_library_path()).metadata, str(path))
    if contract.precision != "fp32":
        raise ValueError(f"{path}: expected fp32 weights, got {contract.precision}: quantised already")
    return contract


def _pairs(contract: SrContract, count: int, seed: int, held_out: bool) -> Pairs:
    """Small crops ``[1, C, h, w]`` in 0-1, padded to one size, made as those that the network learnt from,
    and their originals ``[C, H, W]`` without the padding."""
    library = Library(held_out, system_fonts=True)
    degradation = "shrink" if contract.training.get("degradation") == "shrink" else "camera"
    source = PairSource(contract.scale, contract.channels, degradation, library, one_line=True)
    pairs: list[Pair] = []
    for number in range(count):
        pairs += source.drawn(random.Random(seed * 1_000_003 + number), WIDTH)
    raw = stacked(pairs, contract.scale)
    low = raw.low.astype(np.float32) / np.float32(255)
    return [(low[k : k + 1], planes(pair.high)) for k, pair in enumerate(pairs)]


def compare(fp32: Path, int8: Path, pairs: Pairs) -> dict[str, float]:
    """Mean PSNR in dB of both files' answers, rounded to gray levels, and ``n``."""
    values = {}
    for name, path in (("psnr_fp32", fp32), ("psnr_int8", int8)):
        session = _core.Session(str(path), ort_library_path())
        found = [_psnr(session.run(low), high) for low, high in pairs]
        values[name] = round(float(np.mean(found)), 3)
    return {"n": len(pairs), **values}


def _psnr(answer: Images, high: NDArray[np.uint8]) -> float:
    """Of ``[1, C, h, w]``, where it shows ``high [C, H, W]``; all channels count alike, so that they may lie
    side by side."""
    shown = answer[0, :, : high.shape[1], : high.shape[2]]
    levels = np.clip(np.rint(shown * 255), 0, 255).astype(np.uint8)
    return psnr(levels.reshape(1, -1), high.reshape(1, -1))


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; 0: the file stands, 1: it was refused, 2: an argument cannot be used."""
    parser = argparse.ArgumentParser(description="Makes the int8 twin of an SR network of train_sr.py.")
    parser.add_argument("model", type=Path, help="fp32 ONNX file")
    parser.add_argument("--out", type=Path, required=True, help="int8 ONNX file to write")
    for flag, kind, what in (
        ("crops", int, "to calibrate with"),
        ("seed", int, "of these crops"),
        ("compared", int, "held-out plates"),
        ("stem", int, "first convolutions left in fp32"),
        ("max-drop", float, "dB of PSNR"),
    ):
        default = getattr(Recipe, flag.replace("-", "_"))
        parser.add_argument(f"--{flag}", type=kind, default=default, help=f"{what} (default %(default)s)")
    given = vars(parser.parse_args(arguments))
    logging.getLogger().setLevel(logging.ERROR)  # the library advises what is done already
    model, out = given.pop("model"), given.pop("out")
    try:
        record = quantize_file(model, out, Recipe(**given))
    except (ValueError, OSError, OrtError) as error:
        print(f"quantize_sr: {error}", file=sys.stderr)
        return 2
    except QuantizeError as error:
        print(f"quantize_sr: {error}; nothing was written", file=sys.stderr)
        return 1
    compared = record["compared"]
    for kept, reached in record["refused"].items():
        print(f"not with {kept} in fp32: {reached} dB")
    print(
        f"{out}: PSNR fp32 {compared['psnr_fp32']} dB, int8 {compared['psnr_int8']} dB; convolutions left in "
        f"fp32: {record['fp32_convolutions']}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
