"""PaddleOCR's recognition models as a reader, through the optional package ``rapidocr`` (extra ``ocr``).

Only the recognition runs: a crop of a plate is one line of text. Its confidence is the mean probability of
the characters that it answers, right or wrong: it says how much a picture looks like text, not what was read.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import numpy as np

from training.sr.pairs import Image

ABSENT = "PaddleOCR: left out, rapidocr is not installed: pip install 'lprfast[ocr]'"


class PaddleTexts:
    """A ``TextReader`` around RapidOCR's engine, which answers ``txts`` and ``scores`` of a BGR picture."""

    def __init__(self, engine: Any, name: str = "PaddleOCR") -> None:
        self.name = name
        self._engine = engine

    def read(self, low: Sequence[Image], enlarged: Sequence[Image | None]) -> list[tuple[str, float]]:
        """One picture at a time: in a batch, the widest one would change the others' input."""
        images = [small if large is None else large for small, large in zip(low, enlarged, strict=True)]
        return [self._one(image) for image in images]

    def _one(self, image: Image) -> tuple[str, float]:
        colour = image if image.ndim == 3 else np.repeat(image[:, :, None], 3, axis=2)
        answer = self._engine(colour, use_det=False, use_cls=False, use_rec=True)
        texts, scores = answer.txts or ("",), answer.scores or (0.0,)
        return str(texts[0]), float(scores[0])


def load_paddle(threads: int = 1) -> PaddleTexts | None:
    """The models that lie in the package (no download), or None where it is not installed."""
    if importlib.util.find_spec("rapidocr") is None:
        return None
    from rapidocr import RapidOCR

    threading = {"EngineConfig.onnxruntime.intra_op_num_threads": threads}
    engine = RapidOCR(params={"Global.log_level": "critical", **threading})
    model = str(engine.cfg.Rec.ocr_version.value)
    return PaddleTexts(engine, f"PaddleOCR ({model}, rapidocr {version('rapidocr')})")
