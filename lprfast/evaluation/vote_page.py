"""``lprfast vote --report``: what each crop of a vehicle said, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lprfast.evaluation.markup import Box, Child, Markup, bar, page, picture, table, tag
from lprfast.evaluation.page import marked
from lprfast.formats import LayoutPrior
from lprfast.results import OPEN_BELOW, Conflict, Contribution, PlateRead, PlateVote

_SHOWN_ALTERNATIVES = 10


@dataclass(frozen=True, slots=True, eq=False)
class VehicleEvidence:
    """One vehicle's crops and vote.

    Attributes:
        name: of the vehicle.
        paths: the crops' files.
        reads: one per file.
        vote: of these reads; its contributions are in their order.
        boxes: the plate in each file, as in ``LabelRow``, or None; empty: the files are the crops.
    """

    name: str
    paths: Sequence[Path]
    reads: Sequence[PlateRead]
    vote: PlateVote
    boxes: Sequence[Box | None] = ()


def vote_page(vehicles: Sequence[VehicleEvidence], notes: Sequence[str] = ()) -> str:
    """One HTML document that loads nothing: styles and pictures are in it.

    Args:
        vehicles: a section each, in this order.
        notes: sentences under the title, such as the model that read.
    """
    return page(
        "lprfast vote",
        [tag("p", note, class_="note") for note in notes],
        [tag("section", _vehicle(vehicle)) for vehicle in vehicles],
    )


def _vehicle(vehicle: VehicleEvidence) -> list[Markup]:
    vote = vehicle.vote
    parts = [tag("h2", vehicle.name), _verdict(vote)]
    if vote.conflict:
        parts.append(_second_plate(vote.conflict))
    if vote.char_confidences:
        parts += [tag("h3", "Characters"), _characters(vote)]
        parts.append(tag("p", _open_characters(vote), class_="note"))
    if vote.alternatives:
        others = vote.alternatives[:_SHOWN_ALTERNATIVES]
        rows = [
            (
                tag("span", other.text or "(none)", class_="plate"),
                _probability(other.probability),
                bar(other.probability),
            )
            for other in others
        ]
        parts += [tag("h3", "Alternatives"), table(("text", "probability", ""), rows, numbers=(1,))]
    if vehicle.reads:
        parts += [tag("h3", "Crops, heaviest first"), _crops(vehicle), tag("p", _EXPLANATION, class_="note")]
    return parts


_EXPLANATION = (
    "Weight: the crop's share of the vote, its bar beside the heaviest crop's. Fit: natural logarithm of the "
    "winner's probability on this crop, 0 at best; a crop that shows something else goes no lower than the "
    "vote's floor. Part: weight times fit; the parts, with that of the layouts (last row) where some plates "
    "were expected, add up to the winner's score. Marked characters differ from the winner."
)


def _verdict(vote: PlateVote) -> Markup:
    if vote.status != "ok":
        return tag("p", tag("span", "cannot read", class_="big"), f" {vote.status}; {_worth(vote)}")
    return tag(
        "p",
        tag("span", vote.text, class_="plate big"),
        f" probability {_probability(vote.probability)}; {_worth(vote)}",
    )


def _second_plate(conflict: Conflict) -> Markup:
    return tag(
        "p",
        tag("strong", "Second plate: "),
        tag("span", conflict.text, class_="plate"),
        f" (probability {_probability(conflict.probability)}) on {len(conflict.indices)} of the crops, which "
        f"have {conflict.share:.0%} of the vote. Two vehicles may have been joined in this track.",
        class_="warning",
    )


def _open_characters(vote: PlateVote) -> list[Child]:
    if vote.pattern == vote.text:
        return [f"Every character has a probability of {OPEN_BELOW} or more."]
    return [
        "With ? for what stays open, a probability under ",
        f"{OPEN_BELOW}: ",
        tag("span", vote.pattern, class_="plate"),
    ]


def _worth(vote: PlateVote) -> str:
    used = sum(contribution.used for contribution in vote.contributions)
    return (
        f"{used} of {len(vote.contributions)} crops took part, worth {vote.effective_reads:.1f} independent "
        "reads"
    )


def _probability(value: float) -> str:
    """Never rounded to certainty or impossibility: ``0.9999`` at most, small ones such as ``2e-07``."""
    if 0 < value < 0.001:
        return f"{value:.0e}"
    return f"{min(value, 0.9999):.4f}" if value > 0.99 else f"{value:.3f}"


def _characters(vote: PlateVote) -> Markup:
    """One column per character: it, its probability, the runner-up and that one's."""
    columns = list(
        zip(vote.text, vote.char_confidences, vote.runners_up, vote.runner_up_confidences, strict=True)
    )
    winners = [
        tag("td", symbol, class_="plate open" if sure < OPEN_BELOW else "plate")
        for symbol, sure, _, _ in columns
    ]
    rows = (
        ("character", winners),
        ("probability", [tag("td", _probability(sure)) for _, sure, _, _ in columns]),
        ("runner-up", [tag("td", other or "(none)") for _, _, other, _ in columns]),
        ("its probability", [tag("td", _probability(value)) for _, _, _, value in columns]),
    )
    return tag("table", [tag("tr", tag("th", name), cells) for name, cells in rows], class_="chars")


def _crops(vehicle: VehicleEvidence) -> Markup:
    vote = vehicle.vote
    guess = vote.text or (vote.alternatives[0].text if vote.alternatives else "")
    order = sorted(vote.contributions, key=lambda one: (-one.weight, one.index))
    # Of a hundred crops each has a hundredth of the vote: the bars compare them with the heaviest.
    heaviest = max(one.weight for one in order) or 1.0
    rows = [_crop(vehicle, one, guess, one.weight / heaviest) for one in order]
    if guess and vote.layouts and vote.effective_reads > 0:
        rows.append(_expected(vote.layouts, guess, vote.effective_reads))
    heads = ("crop", "read", "confidence", "weight", "fit", "part", "size", "file", "remark")
    return table(heads, rows, numbers=(2, 4, 5))


def _expected(layouts: LayoutPrior, guess: str, effective_reads: float) -> tuple[Child, ...]:
    """What the layouts add to the score: counted once, however many reads there are (docs/layouts.md)."""
    part = layouts.log_weight(guess) / effective_reads
    names = ", ".join(layouts.names) or "given"
    return ("layouts", "", "", "", "", _rounded(part, 3), "", "", f"expected plates: {names}")


def _crop(vehicle: VehicleEvidence, one: Contribution, guess: str, share: float) -> tuple[Child, ...]:
    path, read = vehicle.paths[one.index], vehicle.reads[one.index]
    text = marked(guess, one.text) if one.text and guess else tag("span", one.text or "-", class_="plate")
    return (
        picture(path, vehicle.boxes[one.index] if vehicle.boxes else None),
        text,
        f"{read.confidence:.3f}" if read.text else "-",
        tag("span", bar(share, 40), f"{one.weight:.1%}", class_="line") if one.used else "-",
        _rounded(one.log_likelihood, 2) if one.used else "-",
        _rounded(one.weight * one.log_likelihood, 3) if one.used else "-",
        tag("span", f"{read.width} x {read.height}", class_="line") if read.width else "-",
        path.name,
        _remark(read, one, vehicle.vote.conflict),
    )


def _rounded(value: float, digits: int) -> str:
    return f"{round(value, digits) + 0.0:.{digits}f}"  # -0.0 + 0.0 is 0.0


def _remark(read: PlateRead, one: Contribution, conflict: Conflict | None) -> str:
    status = "" if read.status in ("ok", "error") else read.status
    second = "second plate" if conflict and one.index in conflict.indices else ""
    return "; ".join(part for part in (status, second, one.reason) if part)
