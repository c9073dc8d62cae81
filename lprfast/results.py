"""What the reader and the vote answer: frozen, typed, nothing NaN."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from lprfast.vote_settings import VoteSettings

if TYPE_CHECKING:
    from lprfast.formats.prior import LayoutPrior

# Raised when a key goes away or changes its meaning; a key that is added leaves it.
SCHEMA_VERSION = 1

Status = Literal["ok", "no_plate", "unreadable", "error"]

# A character of a vote with less probability than this stays open: ``PlateVote.pattern``.
OPEN_BELOW = 0.9


@dataclass(frozen=True, slots=True)
class Quality:
    """Figures of one crop, measured on its gray pixels at reading size.

    Attributes:
        sharpness: variance of the Laplacian, gray levels squared, >= 0.
        contrast: standard deviation of the gray levels, 0-127.5.
        clipped: share of pixels at 0 or 255, 0-1.
    """

    sharpness: float = 0.0
    contrast: float = 0.0
    clipped: float = 0.0


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another text and its probability, 0-1."""

    text: str
    probability: float


@dataclass(frozen=True, slots=True, eq=False)
class PlateRead:
    """One crop, read.

    Attributes:
        text: the plate; empty unless ``status`` is ``ok``.
        confidence: probability that this text is right, 0-1; 0 unless ``status`` is ``ok``. Calibrated where
            the model file holds a calibration (``PlateReader.calibrated``), else ``raw_confidence``.
        char_confidences: one posterior per character, 0-1.
        status: ``ok``; ``no_plate`` (the model saw no text); ``unreadable`` (too small, or no text is likely
            enough); ``error`` (the crop could not be used, ``error`` says why).
        error: the reason, or None.
        width, height: of the crop as given, in pixels.
        quality: sharpness, contrast and clipping at reading size.
        runners_up: the next best symbol of each character.
        runner_up_confidences: their posteriors, 0-1.
        time_steps: CTC time step of each character.
        alternatives: best first, from beam search; empty unless ``nbest`` was asked for. Scaled with
            ``confidence``; they sum to at most 1.
        lines: of text on the plate, 1 or 2 (``text`` is the upper, then the lower); 0 unless ``status``
            is ``ok``, and in reads made elsewhere.
        charset: the symbols of the classes, the blank as "".
        log_posteriors: float16 [T, K], natural logarithm, for the vote; of two lines [2 T + 1, K]. None in
            reads made elsewhere.
        signature: uint8 [64], 4 x 16 block means of the crop, for telling near-duplicates; or None.
        raw_confidence: the model's own probability of the text, with the layouts where the reader was given
            any, 0-1; 0 unless ``status`` is ``ok``. None in
            reads made elsewhere.
        vote_settings: how the reads of this model vote, one object for all of them; None: as the built-in
            settings say, as for reads made elsewhere.
        upscaled: how many times as wide super-resolution made the crop before it was read (2, 4 or 8); 0: it
            was read as given. Size, quality and signature are those of the crop as given all the same.
    """

    text: str = ""
    confidence: float = 0.0
    char_confidences: tuple[float, ...] = ()
    status: Status = "ok"
    error: str | None = None
    width: int = 0
    height: int = 0
    quality: Quality = Quality()
    runners_up: tuple[str, ...] = ()
    runner_up_confidences: tuple[float, ...] = ()
    time_steps: tuple[int, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    lines: int = 0
    charset: tuple[str, ...] | None = field(default=None, repr=False)
    log_posteriors: npt.NDArray[np.float16] | None = field(default=None, repr=False)
    signature: npt.NDArray[np.uint8] | None = field(default=None, repr=False)
    raw_confidence: float | None = None
    vote_settings: VoteSettings | None = field(default=None, repr=False, compare=False)
    upscaled: int = 0

    def to_dict(self, *, evidence: bool = False) -> dict[str, Any]:
        """Plain values for JSON.

        Args:
            evidence: also give what the vote uses: charset, log_posteriors (nested lists) and signature.
        """
        values: dict[str, Any] = {
            "schema_version": SCHEMA_VERSION,
            "text": self.text,
            "confidence": self.confidence,
            "raw_confidence": self.raw_confidence,
            "status": self.status,
            "error": self.error,
            "width": self.width,
            "height": self.height,
            "char_confidences": list(self.char_confidences),
            "runners_up": list(self.runners_up),
            "runner_up_confidences": list(self.runner_up_confidences),
            "time_steps": list(self.time_steps),
            "quality": asdict(self.quality),
            "alternatives": [asdict(other) for other in self.alternatives],
            "lines": self.lines,
            "upscaled": self.upscaled,
        }
        if evidence:
            values["charset"] = None if self.charset is None else list(self.charset)
            values["log_posteriors"] = None if self.log_posteriors is None else self.log_posteriors.tolist()
            values["signature"] = None if self.signature is None else self.signature.tolist()
        return values


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one read brought to a vote.

    Attributes:
        index: of the read in the sequence that was voted, from 0.
        used: whether it took part.
        weight: its share of the vote, 0-1; the shares of all reads sum to 1, or to 0 when none took part.
        log_likelihood: natural logarithm of the probability of the winning text on this crop, never under the
            vote's floor; 0 when it took no part.
        text: what this read says by itself; empty when it says nothing.
        agrees: whether that is the winning text.
        reason: why it took no part, or that it is a copy of another read; else None.
        time: of the read, seconds on the caller's clock; None where none was given.
    """

    index: int
    used: bool
    weight: float
    log_likelihood: float
    text: str
    agrees: bool
    reason: str | None = None
    time: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """The same as a dictionary of plain values."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(frozen=True, slots=True)
class PlateMatch:
    """How well a text of a watchlist fits one vehicle's reads.

    Attributes:
        index: of the text in the watchlist, from 0.
        text: as given.
        probability: that the vehicle shows it, 0-1.
        log_ratio: natural logarithm of how likely the reads are under it, beside the vote's text: 0 for that
            one, over 0 for a text that fits better than any that was proposed. 0 where no read has a text.
    """

    index: int
    text: str
    probability: float
    log_ratio: float

    def to_dict(self) -> dict[str, Any]:
        """The same as a dictionary of plain values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Conflict:
    """A second plate among the reads of a track, as if two vehicles were joined in it.

    Attributes:
        text: what the other reads say, voted among themselves.
        probability: that this text is right for them, 0-1.
        share: of the vote that they have, 0-1.
        indices: of these reads in the sequence that was voted, in order.
    """

    text: str
    probability: float
    share: float
    indices: tuple[int, ...]

    def to_dict(self) -> dict[str, Any]:
        """The same as a dictionary of plain values."""
        return asdict(self) | {"indices": list(self.indices)}


@dataclass(frozen=True, slots=True)
class PlateVote:
    """One plate from the reads of one vehicle.

    Attributes:
        text: the plate; empty unless ``status`` is ``ok``.
        probability: that this text is right, 0-1; 0 unless ``status`` is ``ok``.
        status: ``ok``; ``no_plate`` (no reads, or no text in any); ``unreadable`` (only unreadable reads,
            and no text is likely enough); ``error`` (no read could be used and at least one had an error).
        char_confidences: one pooled posterior per character, 0-1.
        runners_up: the next best symbol of each character.
        runner_up_confidences: their pooled posteriors, 0-1.
        alternatives: other texts with their probabilities, best first. With ``text`` they sum to at most 1;
            what is missing belongs to texts that nobody proposed. An ``unreadable`` vote keeps its best guess
            here.
        contributions: one per read, in the order given.
        effective_reads: how many independent reads the evidence is worth, 0 when none took part.
        raw_probability: the vote's own, before the calibration that the model file holds; equal to
            ``probability`` where none takes place: no such calibration, reads of unlike models, another rule
            than ``fused``, or one read alone, whose own confidence it is.
        conflict: a second plate that some of the reads agree on, or None. The vote is then of the text with
            the better score, as ever; the track should be split.
        reads, layouts: that were voted, and the plates that were expected, for ``match``; neither compared
            nor shown, and not in ``to_dict``.
    """

    text: str = ""
    probability: float = 0.0
    status: Status = "no_plate"
    char_confidences: tuple[float, ...] = ()
    runners_up: tuple[str, ...] = ()
    runner_up_confidences: tuple[float, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    contributions: tuple[Contribution, ...] = ()
    effective_reads: float = 0.0
    raw_probability: float = 0.0
    conflict: Conflict | None = None
    reads: Sequence[PlateRead] = field(default=(), repr=False, compare=False)
    layouts: LayoutPrior | None = field(default=None, repr=False, compare=False)

    @property
    def pattern(self) -> str:
        """The text with ``?`` in place of each character whose probability is under 0.9 (``OPEN_BELOW``)."""
        if len(self.char_confidences) != len(self.text):
            return self.text  # made by hand, without them
        return "".join(
            symbol if sure >= OPEN_BELOW else "?"
            for symbol, sure in zip(self.text, self.char_confidences, strict=True)
        )

    def match(self, watchlist: Iterable[str], *, at_least: float = 0.0) -> list[PlateMatch]:
        """The probability of given plates on this vehicle, by the scores of the vote; no edit distance.

        Every text is scored on every crop, whether it was proposed or not. Lower case counts as upper where
        the reader writes only that; spaces, hyphens and other punctuation do not count. docs/voting.md has
        the formula. The fused rule is used, whatever rule this vote is by.

        Args:
            watchlist: texts, any number.
            at_least: leave out what has less probability, 0-1. With it long lists take a small part of the
                time: most texts are excluded before they are scored.

        Returns:
            A match for each text, or each that is likely enough: the most probable first, of equal ones
            the better fit, then in the order of the list.

        Raises:
            TypeError: ``watchlist`` is one text, or holds something else.
            ValueError: ``at_least`` is out of range, or this vote came without its reads.
        """
        from lprfast._matching import match_reads

        return match_reads(self, watchlist, at_least)

    def to_dict(self) -> dict[str, Any]:
        """A dictionary of plain values, ready for JSON, with ``schema_version``."""
        return {
            "schema_version": SCHEMA_VERSION,
            "text": self.text,
            "pattern": self.pattern,
            "probability": self.probability,
            "raw_probability": self.raw_probability,
            "status": self.status,
            "char_confidences": list(self.char_confidences),
            "runners_up": list(self.runners_up),
            "runner_up_confidences": list(self.runner_up_confidences),
            "alternatives": [{"text": a.text, "probability": a.probability} for a in self.alternatives],
            "contributions": [contribution.to_dict() for contribution in self.contributions],
            "effective_reads": self.effective_reads,
            "conflict": None if self.conflict is None else self.conflict.to_dict(),
        }
