"""What enlarging does to held-out pairs: how near the pictures come, what is read of them, what it costs.

A picture's figures are those of Table 1 of arXiv 2501.01483 (PSNR, PSNR of the luma; median and standard
deviation) and SSIM. They say nothing of reading, so that each reader's exact match stands beside them.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from lprfast import PlateReader
from lprfast.evaluation import Interval, Settings, exact_interval, score
from lprfast.evaluation.image_quality import SSIM_SIDE, ssim
from lprfast.super_resolution import UpscaledCrop
from training.sr.evaluate import psnr
from training.sr.pairs import Image, Pair

Enlarge = Callable[[Sequence[Image]], list[UpscaledCrop]]


class TextReader(Protocol):
    """Whoever reads crops."""

    @property
    def name(self) -> str:
        """What tables call it."""

    def read(self, low: Sequence[Image], enlarged: Sequence[Image | None]) -> list[tuple[str, float]]:
        """Text and confidence (0-1) of each crop, gray or BGR, from what was made of it where there is such.

        Args:
            low: the small crops.
            enlarged: the same ones enlarged, or None.
        """


@dataclass(frozen=True)
class PlateTexts:
    """lprfast's reader as a ``TextReader``; confidences are calibrated by the small crop, as at run time."""

    name: str
    reader: PlateReader  # made with color="bgr"

    def read(self, low: Sequence[Image], enlarged: Sequence[Image | None]) -> list[tuple[str, float]]:
        """As ``PlateReader.read_many`` with ``enlarged``."""
        reads = self.reader.read_many(low, enlarged=list(enlarged))
        return [(read.text, read.confidence) for read in reads]


@dataclass(frozen=True)
class Contender:
    """One way of enlarging.

    Attributes:
        name: what tables call it.
        enlarge: one answer per crop; None where crops are read as they are.
        original: read the large original instead, the most that can be had.
        parameters: elements of the model's weights.
        facts: what the figures depend on, name to plain value.
    """

    name: str
    enlarge: Enlarge | None = None
    original: bool = False
    parameters: int = 0
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Spread:
    """Mean, median and standard deviation (n - 1; 0 of a single value) of ``n`` values, at least one."""

    n: int
    mean: float
    median: float
    deviation: float


def spread(values: Sequence[float]) -> Spread | None:
    """None of no values."""
    if not values:
        return None
    deviation = statistics.stdev(values) if len(values) > 1 else 0.0
    return Spread(len(values), statistics.fmean(values), statistics.median(values), deviation)


@dataclass(frozen=True)
class Reading:
    """What one reader reads of pairs whose text is known.

    Attributes:
        n, exact: pairs, and those read without a fault.
        interval: of the exact match, 95 % Clopper-Pearson (each pair taken for independent).
        cer: character error rate.
        confidence: 0-1, as the reader states it, of right and wrong reads alike.
    """

    reader: str
    n: int
    exact: int
    interval: Interval
    cer: float
    confidence: Spread | None

    @property
    def exact_match(self) -> float:
        """0-1."""
        return self.exact / self.n


@dataclass(frozen=True)
class Measured:
    """One contender on one set.

    Attributes:
        n: pairs.
        failed: crops that could not be enlarged; nothing is read of them, with confidence 0.
        psnr: dB over red, green and blue; None of gray pictures.
        psnr_y, ssim: of the luma; None where sizes do not allow it.
        ms: processor time of enlarging one crop by itself, all threads; None where nothing is enlarged.
        readings: one for each reader; none without known texts.
    """

    contender: Contender
    data: str
    n: int
    failed: int
    psnr: Spread | None
    psnr_y: Spread | None
    ssim: Spread | None
    ms: Spread | None
    readings: tuple[Reading, ...]


def measure(
    contender: Contender, data: str, pairs: Sequence[Pair], readers: Sequence[TextReader], settings: Settings
) -> Measured:
    """The contender's figures on pairs, at least one.

    Args:
        contender: what is measured.
        data: name of the set.
        pairs: as ``training.sr.data`` makes them.
        readers: who reads.
        settings: how texts are compared.

    Raises:
        ValueError: none of the crops could be enlarged.
    """
    images, times = enlarged(contender, pairs)
    if contender.enlarge and all(image is None for image in images):
        reason = contender.enlarge([pairs[0].low])[0].error
        raise ValueError(f"{contender.name}: none of {len(pairs)} crops could be enlarged: {reason}")
    lost = [contender.enlarge is not None and image is None for image in images]
    made = [
        (image, pair.high)
        for image, pair in zip(images, pairs, strict=True)
        if image is not None and contender.enlarge
    ]
    same = [(image, high) for image, high in made if image.shape[:2] == high.shape[:2]]
    colour = [(image, high) for image, high in same if image.ndim == high.ndim == 3]
    luma = [(_colour(image), _colour(high)) for image, high in same]
    return Measured(
        contender,
        data,
        len(pairs),
        sum(lost),
        spread([psnr(image, high) for image, high in colour]),
        spread([psnr(image, high, luma_only=True) for image, high in luma]),
        spread([ssim(image, high) for image, high in luma if min(high.shape[:2]) >= SSIM_SIDE]),
        spread(times),
        tuple(found for each in readers if (found := reading(each, pairs, images, lost, settings))),
    )


def enlarged(contender: Contender, pairs: Sequence[Pair]) -> tuple[list[Image | None], list[float]]:
    """What the contender makes of each small crop (None: nothing), and the milliseconds that took."""
    if contender.original:
        return [pair.high for pair in pairs], []
    if contender.enlarge is None:
        return [None] * len(pairs), []
    contender.enlarge([pairs[0].low])  # what the first run of a session costs is no crop's
    images: list[Image | None] = []
    times: list[float] = []
    for pair in pairs:
        began = time.process_time()
        (answer,) = contender.enlarge([pair.low])
        times.append(1000 * (time.process_time() - began))
        images.append(answer.image)
    return images, times


def reading(
    reader: TextReader,
    pairs: Sequence[Pair],
    images: Sequence[Image | None],
    lost: Sequence[bool],
    settings: Settings,
) -> Reading | None:
    """What ``reader`` reads of the pairs whose text is known; None without any. Of ``lost`` ones: nothing."""
    known = [each for each in zip(pairs, images, lost, strict=True) if each[0].text]
    if not known:
        return None
    found = reader.read([pair.low for pair, _, _ in known], [image for _, image, _ in known])
    found = [("", 0.0) if gone else read for read, (_, _, gone) in zip(found, known, strict=True)]
    texts = [(settings.prepare(text), settings.prepare(pair.text)) for (text, _), (pair, _, _) in
             zip(found, known, strict=True)]  # fmt: skip
    total = score(texts)
    confidence = spread([float(each) for _, each in found])
    interval = exact_interval(total.exact, total.n)
    return Reading(reader.name, total.n, total.exact, interval, total.cer, confidence)


def _colour(image: Image) -> Image:
    """Gray as three equal channels, whose luma it is."""
    return image if image.ndim == 3 else np.repeat(image[:, :, None], 3, axis=2)
