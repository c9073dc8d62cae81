"""From the reads of one vehicle to one plate. docs/voting.md explains the rule."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from numbers import Real
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from lprfast import _core
from lprfast._alphabet import Alphabet
from lprfast._arguments import checked_times, finite_number, listed
from lprfast._ballots import check_read, common_charset, leave_unreadable_out, reason_to_leave_out
from lprfast._conflict import find_conflict
from lprfast.formats.prior import LayoutChoice, LayoutPrior, layout_prior
from lprfast.results import Alternative, Contribution, PlateRead, PlateVote, Status
from lprfast.vote_settings import VoteSettings, common_settings

# Without a read that stands by itself, a text must be likelier than all others together, and more than one
# picture must say so: what its reader refused to answer is no surer for being voted alone.
UNREADABLE_BELOW = 0.5
# Of a character that came without a confidence.
DEFAULT_CHAR_CONFIDENCE = 0.9
Rule = Literal["fused", "best", "majority", "mvcp", "rover", "product"]
RULES: tuple[Rule, ...] = get_args(Rule)
Prior = LayoutPrior | Literal["reads"] | None
_TEXT_RULES = ("best", "majority", "mvcp", "rover")


def vote(
    reads: Iterable[PlateRead],
    rule: Rule = "fused",
    *,
    times: Iterable[float] | None = None,
    layouts: LayoutChoice | Literal["reads"] | None = "reads",
) -> PlateVote:
    """Decide which plate the reads of one vehicle show.

    Args:
        reads: of one vehicle; their order changes nothing, but for ties under ``mvcp``. Reads with
            log-posteriors must share one charset; reads made elsewhere (``read_from_text``) may be among
            them. They vote as their model's file says (``PlateRead.vote_settings``); where those that take
            part have other settings or none, as the built-in ones say, uncalibrated.
        rule: ``fused``, ours, or a published one to compare with: ``best`` (the text of the highest
            confidence), ``majority`` (the most frequent text), ``mvcp`` (the most frequent symbol in each
            place, not aligned), ``rover`` (aligned, by count and confidence), ``product`` (sum of the
            log-posteriors per time step; reads of another number of steps than most, and those without, are
            set aside). Only the ``probability`` of ``fused`` is one: under ``best`` it is the confidence of
            one read, under ``majority`` a share of the reads, under the others a score from 0 to 1.
            ``best``, ``majority``, ``mvcp`` and ``rover`` count ``unreadable`` reads only where no read is
            ``ok``.
        times: when each read was taken, in seconds on any clock and in any order; they are handed on to the
            contributions and change nothing else (docs/voting.md says what was tried).
        layouts: which plates to expect, softly (docs/layouts.md): ``"world"``, ``"ro"``, ``"LLLDDDD"``,
            several of these, or a :class:`lprfast.formats.LayoutPrior`; see
            :func:`lprfast.formats.layout_prior`. A plate of another kind still wins where the crops are
            clear. ``reads``: those that the reader of these reads expects, as its ``read_track`` does. None:
            any text is as good as another. A read without company keeps what it came with.

    Returns:
        The plate and what each read brought. Reads with status ``error`` or ``no_plate`` take no part; an
        ``unreadable`` read with log-posteriors does, but not by itself: one alone, or copies of it, stays
        ``unreadable``. No reads, or none with a text, is status ``no_plate``.

    Raises:
        TypeError: a read is no PlateRead or has a field of another type, a time is no number, or no list.
        ValueError: two reads come from different charsets, or one has no single blank or a symbol twice;
            the message names it. There is no such rule or layout; the message lists them. Layouts with
            another rule than ``fused``. A time is not finite, or there are more or fewer times than reads.
    """
    if rule not in RULES:
        raise ValueError(f"rule: expected one of {', '.join(RULES)}; got {rule!r}")
    given = not (layouts is None or layouts == "reads")
    if given and rule != "fused":
        raise ValueError(
            f"layouts: only the rule 'fused' weighs them, not {rule!r}; leave one of the two out"
        )
    prior: Prior = layout_prior(layouts) if given else layouts  # type: ignore[arg-type, assignment]
    reads = listed("reads", reads, "a list of PlateReads")
    for index, read in enumerate(reads):
        check_read(f"reads[{index}]", read)
    seconds = checked_times(times, len(reads))
    answer = _vote(reads, rule, prior)
    if seconds is not None:
        answer = with_times(answer, seconds)
    conflict = find_conflict(reads, answer, lambda some: _vote(some, "fused", prior))
    return answer if conflict is None else replace(answer, conflict=conflict)


def _vote(reads: Sequence[PlateRead], rule: Rule, prior: Prior) -> PlateVote:
    decided = decide(reads, rule, prior)
    return replace(_answer(reads, decided), layouts=decided.layouts)


class Decision(NamedTuple):
    """What the core decided, and how to understand it."""

    values: dict[str, Any]
    alphabet: Alphabet
    reasons: list[str | None]  # why each read took no part, as far as known before
    taken: list[int]  # the reads that the core was given
    layouts: LayoutPrior | None  # that were weighed


Watched = tuple[npt.NDArray[np.int32], npt.NDArray[np.int64], float]


def decide(
    reads: Sequence[PlateRead],
    rule: Rule,
    prior: Prior = "reads",
    watch: Callable[[Alphabet], Watched] | None = None,
) -> Decision:
    """The core's decision.

    Args:
        reads: as of :func:`vote`, checked.
        rule: as of :func:`vote`.
        prior: over the texts; ``reads``: that of their reader. Other rules than ``fused`` weigh none.
        watch: gives the watchlist in the labels of the vote's alphabet, and the least probability asked for.
    """
    charset = common_charset(reads)
    known = frozenset(charset or ())
    reasons = [reason_to_leave_out(read, known) for read in reads]
    if rule in _TEXT_RULES:
        leave_unreadable_out(reads, reasons)
    taken = [index for index, reason in enumerate(reasons) if reason is None]
    alphabet = Alphabet(charset, [reads[index].text for index in taken])
    settings = common_settings(reads[index].vote_settings for index in taken)
    if prior == "reads":
        prior = settings.layouts if settings else None
    weighed = prior if rule == "fused" else None
    values = _core.vote_decide(
        [alphabet.ballot(reads[index]) for index in taken],
        classes=len(alphabet.symbols),
        blank=alphabet.blank,
        rule=rule,
        prior=None if weighed is None else weighed.through(alphabet.symbols),
        watchlist=None if watch is None else watch(alphabet),
        **_options(settings),
    )
    return Decision(values, alphabet, reasons, taken, weighed)


def read_from_text(
    text: str,
    char_confidences: Sequence[float] | None = None,
    confidence: float | None = None,
    width: int = 0,
    height: int = 0,
) -> PlateRead:
    """A read made elsewhere, for ``vote``.

    Args:
        text: the plate as read, one symbol per character; empty for a crop without a plate.
        char_confidences: one per character, 0-1. When left out, the root of ``confidence``, or 0.9.
        confidence: that the whole text is right, 0-1. When left out, the product of the characters'.
        width, height: of the crop in pixels, 0 when unknown. Wider crops weigh more.

    Raises:
        TypeError: an argument is of another type; the message names it.
        ValueError: a confidence outside 0-1 or a number of them other than the text's length.
    """
    if not isinstance(text, str):
        raise TypeError(f"text: expected a text, got {text!r:.60}")
    for name, pixels in (("width", width), ("height", height)):
        finite_number(name, pixels)
    if confidence is not None:
        _check_probability("confidence", confidence)
    if char_confidences is None:
        each = DEFAULT_CHAR_CONFIDENCE if confidence is None else confidence ** (1 / max(len(text), 1))
        char_confidences = [each] * len(text)
    char_confidences = listed("char_confidences", char_confidences, "a list of probabilities")
    if len(char_confidences) != len(text):
        raise ValueError(
            f"char_confidences: expected {len(text)} values, one per character, got {len(char_confidences)}"
        )
    for index, value in enumerate(char_confidences):
        _check_probability(f"char_confidences[{index}]", value)
    if not text:
        return PlateRead(status="no_plate", width=width, height=height)
    return PlateRead(
        text=text,
        confidence=float(math.prod(char_confidences) if confidence is None else confidence),
        char_confidences=tuple(float(value) for value in char_confidences),
        width=width,
        height=height,
    )


def with_times(answer: PlateVote, times: Sequence[float]) -> PlateVote:
    """The same vote, each contribution with its read's time."""
    pairs = zip(answer.contributions, times, strict=True)
    return replace(answer, contributions=tuple(replace(one, time=time) for one, time in pairs))


def _check_probability(name: str, value: float) -> None:
    if not isinstance(value, Real):
        raise TypeError(f"{name}: expected a probability from 0 to 1, got {value!r:.60}")
    if not 0 <= value <= 1:
        raise ValueError(f"{name}: expected a probability from 0 to 1, got {value}")


def _options(settings: VoteSettings | None) -> dict[str, Any]:
    if settings is None:
        return {}
    return {
        "correlation": settings.correlation,
        "floor": settings.floor,
        "calibration_features": list(settings.features),
        "calibration_weights": list(settings.weights),
        "calibration_bias": settings.bias,
    }


def _answer(reads: Sequence[PlateRead], decided: Decision) -> PlateVote:
    decision, alphabet = decided.values, decided.alphabet
    text = alphabet.text(decision["labels"])
    probability = float(decision["probability"])
    alternatives = tuple(Alternative(alphabet.text(y), float(p)) for y, p in decision["alternatives"])
    contributions = _contributions(reads, decided)
    status = _status(reads, contributions, text, probability, decision["effective_reads"])
    if status != "ok":
        guesses = (Alternative(text, probability), *alternatives) if text else ()
        return PlateVote(
            status=status,
            alternatives=guesses,
            contributions=contributions,
            effective_reads=decision["effective_reads"],
            reads=tuple(reads),
        )
    characters = decision["characters"]
    return PlateVote(
        text=text,
        probability=probability,
        raw_probability=float(decision["raw_probability"]),
        status=status,
        char_confidences=tuple(c[1] for c in characters),
        runners_up=tuple(alphabet.symbols[c[2]] for c in characters),
        runner_up_confidences=tuple(c[3] for c in characters),
        alternatives=alternatives,
        contributions=contributions,
        effective_reads=decision["effective_reads"],
        reads=tuple(reads),
    )


_REASONS = {
    "voted": None,
    "duplicate": "a copy of another read: they share one vote",
    "invalid": "log_posteriors: NaN, or values over 0",
    "empty": "no text was seen",
    "surplus": "the vote was full of better reads",
    "unfit": "the rule sums time steps: no log-posteriors, or another number of steps than most reads",
    "silent": "it speaks for no text: all are as unlikely on it as the floor",
}


def _contributions(reads: Sequence[PlateRead], decided: Decision) -> tuple[Contribution, ...]:
    decision, alphabet, reasons, taken = decided[:4]
    winner = decision["labels"]
    made = {
        index: Contribution(index, False, 0.0, 0.0, reads[index].text, False, reason)
        for index, reason in enumerate(reasons)
        if reason is not None
    }
    for index, (use, weight, log_likelihood, labels) in zip(taken, decision["contributions"], strict=True):
        made[index] = Contribution(
            index=index,
            used=use in ("voted", "duplicate"),
            weight=weight,
            log_likelihood=log_likelihood,
            text=alphabet.text(labels) or reads[index].text,
            agrees=bool(winner) and labels == winner,
            reason=_REASONS[use],
        )
    return tuple(made[index] for index in range(len(reads)))


def _status(
    reads: Sequence[PlateRead],
    contributions: Sequence[Contribution],
    text: str,
    probability: float,
    effective_reads: float,
) -> Status:
    used = [read for read, contribution in zip(reads, contributions, strict=True) if contribution.used]
    enough = probability >= UNREADABLE_BELOW and effective_reads > 1
    if text and (enough or any(read.status == "ok" for read in used)):
        return "ok"
    if any(read.status == "unreadable" for read in reads):
        return "unreadable"
    # A read set aside for what is wrong in it is an error too.
    broken = any(read.status == "error" or (read.status == "ok" and read.text) for read in reads)
    return "error" if broken and not used else "no_plate"
