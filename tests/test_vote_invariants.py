"""What must hold of the default vote on random tracks: copies, flat frames, consensus, one liar."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from test_vote import CHARSET, LETTERS, clear_read, random_reads

from lprfast.results import PlateRead
from lprfast.voting import read_from_text, vote


def plates(seed: int, count: int) -> list[str]:
    random = np.random.default_rng(seed)
    return ["".join(random.choice(list(LETTERS), int(random.integers(4, 9)))) for _ in range(count)]


def jittered(read: PlateRead, random: np.random.Generator) -> PlateRead:
    """The same posteriors, and block means that move by half a gray level: one picture by its signature."""
    assert read.signature is not None
    noise = random.integers(0, 2, 64).astype(np.uint8)
    return replace(read, signature=read.signature ^ noise)


@pytest.mark.parametrize("copies", [1, 3, 14])
def test_identical_frames_equal_one_frame(copies: int) -> None:
    for seed, read in enumerate(random_reads(np.random.default_rng(31), 12)):
        if read.log_posteriors is None or not read.text:
            continue
        if read.signature is None:
            read = replace(read, signature=np.full(64, seed, np.uint8))
        alone, many = vote([read]), vote([read] * (1 + copies))
        for name in ("text", "probability", "char_confidences", "alternatives", "status"):
            assert getattr(many, name) == getattr(alone, name)
        assert many.effective_reads == 1


def test_duplicates_in_a_track_change_nothing() -> None:
    random = np.random.default_rng(32)
    for _ in range(15):
        reads = random_reads(random, int(random.integers(2, 9)))
        known = [r for r in reads if r.signature is not None and r.log_posteriors is not None]
        if not known:
            continue
        again = [known[int(i)] for i in random.integers(len(known), size=6)]
        answer, crowded = vote(reads), vote([*reads, *again])
        for name in ("text", "probability", "char_confidences", "alternatives"):
            assert getattr(crowded, name) == getattr(answer, name)
        assert crowded.effective_reads == answer.effective_reads


@pytest.mark.parametrize("copied", ["right", "wrong"])
def test_copies_with_noise_in_the_signature_never_raise_the_confidence(copied: str) -> None:
    random = np.random.default_rng(33)
    for text in plates(34, 8):
        wrong = text[:-1] + ("0" if text[-1] != "0" else "1")
        reads = [clear_read(text, seed, 0.7) for seed in range(2)] + [clear_read(wrong, 2, 0.7)]
        source = reads[0] if copied == "right" else reads[2]
        before, after = vote(reads), vote([*reads, *[jittered(source, random) for _ in range(8)]])
        assert before.text == after.text == text
        assert after.probability <= before.probability + 1e-9
        assert after.effective_reads == pytest.approx(before.effective_reads)


@pytest.mark.parametrize("jitter", [1, 2])
def test_near_copies_push_no_other_picture_out(jitter: int) -> None:
    """More copies of one wrong read than may vote, each with fresh noise and surer than the right ones."""
    random = np.random.default_rng(40)
    right = [clear_read("AB12CD", seed, 0.96) for seed in range(20)]
    wrong = clear_read("XY98ZW", 99, 0.97)
    signature = np.clip(np.asarray(wrong.signature), 2, 253)
    copies = [
        replace(
            clear_read("XY98ZW", 99, 0.97 + 1e-4 * n),
            signature=(signature + random.integers(-jitter, jitter + 1, 64)).astype(np.uint8),
        )
        for n in range(150)
    ]
    answer = vote([*copies, *right])
    assert answer.text == "AB12CD"
    assert all(one.used for one in answer.contributions[150:])
    assert sum(one.used for one in answer.contributions) == 100
    assert answer.effective_reads > 1.6
    # Half alike as they may be, they bring two votes at most beside 20.
    assert sum(one.weight for one in answer.contributions[:150]) < 0.12


def test_copies_without_a_signature_change_nothing() -> None:
    """Equal log-posteriors are one look also beside others: neither surer nor heavier."""
    once, other, third = (
        replace(clear_read(text, 0, 0.8, second="A812CD"), signature=None, confidence=0.5)
        for text in ("AB12CD", "AB12C0", "A812CD")
    )
    for reads in ([once, other], [once, other, third]):
        expected = vote(reads)
        for copies in (2, 10, 150):
            found = vote([*reads[:1] * copies, *reads[1:]])
            assert found.text == expected.text
            assert found.probability == pytest.approx(expected.probability, abs=1e-9)
            assert found.effective_reads == pytest.approx(expected.effective_reads)
            assert all(one.used for one in found.contributions)
            weight = sum(one.weight for one in found.contributions[:copies])
            assert weight == pytest.approx(expected.contributions[0].weight)


def test_a_copy_that_lost_its_signature_shares_the_weight() -> None:
    known, other = clear_read("AB12CD", 1, 0.8), clear_read("AB12C0", 2, 0.8)
    expected = vote([known, other])
    found = vote([known, replace(known, signature=None), other])
    assert found.contributions[2].weight == pytest.approx(expected.contributions[1].weight)
    assert found.effective_reads == pytest.approx(expected.effective_reads)
    assert found.probability == pytest.approx(expected.probability, abs=1e-9)


def test_copies_of_a_bare_text_never_raise_the_confidence() -> None:
    read = read_from_text("AB12CD", [0.9] * 6, 0.6)
    for copies in (2, 5, 120):
        found = vote([read] * copies)
        assert (found.text, found.probability, found.effective_reads) == ("AB12CD", 0.6, 1)
    # Each keeps its weight: answers of a reader that names no confidence are all alike, and the most win.
    wrong = read_from_text("AB12C0", [0.95] * 6)
    assert vote([read, read, read, wrong]).text == "AB12CD"
    # Two that differ in a confidence are two looks.
    assert vote([read, read_from_text("AB12CD", [0.9] * 5 + [0.8], 0.6)]).effective_reads > 1.2


SILENT = "it speaks for no text: all are as unlikely on it as the floor"


def flat_reads() -> list[PlateRead]:
    """Crops that show nothing: all classes alike, nothing but blanks, and one symbol that barely leads."""
    flat = np.full((24, len(CHARSET)), -math.log(len(CHARSET)), np.float16)
    blank, leads = flat.copy(), flat.copy()
    blank[:, 0], blank[:, 1:] = math.log(0.99), math.log(0.01 / (len(CHARSET) - 1))
    leads[3, 5] += np.float16(0.01)
    return [
        PlateRead(status="unreadable", width=128, charset=CHARSET, log_posteriors=scores)
        for scores in (flat, blank, leads)
    ]


@pytest.mark.parametrize("frames", [1, 5, 120])
@pytest.mark.parametrize("kind", range(3))
def test_flat_frames_change_nothing(kind: int, frames: int) -> None:
    """However many they are, they neither weigh nor push a read out."""
    flat = flat_reads()[kind]
    others = [replace(flat, signature=np.full(64, n, np.uint8)) for n in range(frames)]
    for seed, text in enumerate(plates(35, 6)):
        for count in (1, 3):
            reads = [clear_read(text, 3 * seed + i, 0.7) for i in range(count)]
            answer, more = vote(reads), vote([*reads, *others])
            for name in ("text", "probability", "char_confidences", "alternatives", "status"):
                assert getattr(more, name) == getattr(answer, name)
            assert more.effective_reads == answer.effective_reads
            why = {one.reason for one in more.contributions[count:]} - {"the vote was full of better reads"}
            assert why == {SILENT if kind == 2 else "no text was seen"}


def test_frames_that_are_all_flat_are_no_plate() -> None:
    for flat in flat_reads():
        answer = vote([flat, replace(flat, width=60)])
        assert answer.status != "ok"
        assert answer.probability < 0.01


def test_a_frame_that_agrees_never_lowers_the_confidence() -> None:
    for seed, text in enumerate(plates(36, 10)):
        reads = [clear_read(text, 10 * seed + i, 0.7) for i in range(5)]
        probabilities = [vote(reads[:count]).probability for count in range(2, 6)]
        assert probabilities == sorted(probabilities)


def test_one_confident_liar_never_wins_against_three() -> None:
    """Of any other text, of any width, and wherever it stands."""
    random = np.random.default_rng(37)
    for round_number, (text, lie) in enumerate(zip(plates(38, 25), plates(39, 25), strict=True)):
        near = list(text)
        near[int(random.integers(len(near)))] = str(random.choice([s for s in LETTERS if s not in text]))
        for wrong in (lie, "".join(near)):
            good = [clear_read(text, 10 * round_number + i, 0.85) for i in range(3)]
            liar = replace(clear_read(wrong, 10 * round_number + 9, 0.9999), width=100)
            place = int(random.integers(4))
            answer = vote([*good[:place], liar, *good[place:]])
            assert answer.text == text
            assert not answer.contributions[place].agrees
