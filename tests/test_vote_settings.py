"""The vote's settings: in the model file, on the reads, and what they make of a vote."""

from __future__ import annotations

import json
import math
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_vote import clear_read, random_reads
from test_vote_invariants import jittered, plates
from toy_model import contract, crop_of_text, metadata_with, metadata_without, model_bytes

from lprfast import ModelContract, ModelError, PlateRead, PlateReader, PlateVote, TrackVoter, _core, vote
from lprfast._ranking import FINAL_PICTURES, FINAL_SHARE, FIRST_PICTURES, FIRST_SHARE, NOT_READ, evidence_of
from lprfast.evaluation import CachedCrop, CachedReads, PosteriorsError, load_posteriors, save_posteriors
from lprfast.vote_settings import VOTE_FEATURES, VoteSettings, common_settings
from lprfast.voting import read_from_text

SETTINGS = VoteSettings(0.4, -10.0, VOTE_FEATURES, (0.6, 0.8, 0.3), -1.5)
PLAIN = VoteSettings(0.4, -10.0)
VOTE: dict[str, Any] = {
    "correlation": 0.4,
    "floor": -10,
    "stop_at": 0.75,
    "calibration": {
        "method": "logistic",
        "features": list(VOTE_FEATURES),
        "weights": [0.6, 0.8, 0.3],
        "bias": -1.5,
    },
    "fitted_on": {"n": 7},
}


def settled(reads: list[PlateRead], settings: VoteSettings | None = SETTINGS) -> list[PlateRead]:
    return [replace(read, vote_settings=settings) for read in reads]


def features_by_hand(plain: PlateVote) -> tuple[float, float, float]:
    """logit of the probability, weight of the reads that agree, ln of the odds against the next text."""
    held = min(max(plain.probability, 1e-6), 1 - 1e-6)
    agreement = sum(one.weight for one in plain.contributions if one.text == plain.text)
    others = [other.probability for other in plain.alternatives]
    return math.log(held / (1 - held)), agreement, min(math.log(plain.probability / max(others)), 14.0)


def test_the_probability_is_the_formula_of_the_raw_vote() -> None:
    moved = 0
    for seed in range(12):
        reads = [replace(read, width=0) for read in random_reads(np.random.default_rng(seed), 5)]
        plain, found = vote(settled(reads, PLAIN)), vote(settled(reads))
        if plain.status != "ok" or found.status != "ok" or found.effective_reads == 1:
            continue  # one that alone says anything keeps its own confidence
        terms = [w * x for w, x in zip((0.6, 0.8, 0.3), features_by_hand(plain), strict=True)]
        expected = 1 / (1 + math.exp(1.5 - sum(terms)))
        assert found.probability == pytest.approx(expected, abs=1e-6)
        assert (found.text, found.raw_probability) == (plain.text, plain.probability)
        assert plain.raw_probability == plain.probability
        sinks = expected < plain.probability
        factor = expected / plain.probability if sinks else (1 - expected) / (1 - plain.probability)
        for one, other in zip(found.alternatives, plain.alternatives, strict=True):
            assert one.text == other.text
            assert one.probability == pytest.approx(factor * other.probability, rel=1e-4, abs=1e-9)
            assert one.probability <= found.probability
        assert found.probability + sum(one.probability for one in found.alternatives) <= 1 + 1e-9
        moved += abs(found.probability - plain.probability) > 0.01
    assert moved > 4


def test_correlation_and_floor_are_those_of_the_settings() -> None:
    reads = [clear_read("AB12CD", seed, 0.8) for seed in range(4)]
    found = vote(settled(reads, VoteSettings(correlation=0.2)))
    assert found.effective_reads == pytest.approx(4 / 1.6)
    reads = [*reads, clear_read("XYZ789", 9, 0.999)]
    for floor in (-3.0, -9.0):
        found = vote(settled(reads, VoteSettings(floor=floor)))
        assert found.contributions[4].log_likelihood == pytest.approx(floor)


def test_one_read_and_copies_of_it_keep_their_own_confidence() -> None:
    for copies in (1, 2, 9):
        read = replace(clear_read("AB12CD", 1), confidence=0.37, vote_settings=SETTINGS)
        found = vote([read] * copies)
        assert (found.probability, found.raw_probability) == (0.37, 0.37)


def test_copies_of_one_picture_that_read_unlike_are_not_calibrated() -> None:
    """Calibration is fitted on votes over two pictures and more (`training/ocr/vote_fit.py`)."""
    first, second = clear_read("AB12CD", 1, 0.8), replace(clear_read("AB12C0", 1, 0.7), width=60)
    plain, found = vote(settled([first, second], PLAIN)), vote(settled([first, second]))
    assert found.effective_reads == 1
    assert (found.text, found.probability) == (plain.text, plain.probability)
    assert found.probability == found.raw_probability
    other = replace(second, signature=clear_read("AB12C0", 2).signature)
    assert vote(settled([first, other])).probability != vote(settled([first, other], PLAIN)).probability


@pytest.mark.parametrize("bias", [-1.5, 2.0])
def test_copies_flat_frames_and_the_order_never_make_it_surer(bias: float) -> None:
    settings = replace(SETTINGS, bias=bias)
    random = np.random.default_rng(5)
    classes = 37
    flat = replace(
        clear_read("AB", 1),
        text="",
        confidence=0.0,
        char_confidences=(),
        status="unreadable",
        signature=None,
        log_posteriors=np.full((24, classes), -math.log(classes), np.float16),
        vote_settings=settings,
    )
    for text in plates(6, 6):
        wrong = text[:-1] + ("0" if text[-1] != "0" else "1")
        reads = settled([*(clear_read(text, n, 0.7) for n in range(3)), clear_read(wrong, 3, 0.7)], settings)
        found = vote(reads)
        assert vote(reads[::-1]).probability == found.probability
        assert vote([*reads, reads[0], reads[3]]).probability == found.probability
        near = vote([*reads, *(jittered(reads[0], random) for _ in range(5))])
        assert near.probability <= found.probability + 1e-9
        assert vote([*reads, flat]).probability <= found.probability + 1e-9
        more = vote([*reads, *settled([clear_read(text, 20, 0.7)], settings)])
        assert more.probability >= found.probability


def test_no_calibration_leaves_the_unit_interval() -> None:
    for bias, expected in ((1e6, 1.0), (-1e6, 0.0)):
        reads = settled([clear_read("AB12CD", n) for n in range(3)], replace(SETTINGS, bias=bias))
        found = vote(reads)
        assert found.probability == pytest.approx(expected, abs=1e-12)
        assert found.probability + sum(one.probability for one in found.alternatives) <= 1 + 1e-9


@pytest.mark.parametrize("other", [None, PLAIN])
def test_reads_of_unlike_settings_vote_by_the_built_in_ones(other: VoteSettings | None) -> None:
    reads = [clear_read("AB12CD", n, 0.8) for n in range(4)]
    mixed = [*settled(reads[:3]), *settled(reads[3:], other)]
    assert vote(mixed) == vote(mixed[::-1][::-1]) == vote(settled(reads, None)) != vote(settled(reads))
    # A read that takes no part has no say in it.
    failed = PlateRead(status="error", error="too small")
    assert vote([*settled(reads), failed]).probability == vote(settled(reads)).probability
    text = read_from_text("AB12CD")
    assert vote([*settled(reads), text]) == vote([*reads, text])


def test_other_rules_are_not_calibrated() -> None:
    reads = settled([clear_read("AB12CD", n, 0.8) for n in range(3)])
    for rule in ("best", "majority", "mvcp", "rover", "product"):
        found = vote(reads, rule)
        assert found.probability == found.raw_probability == vote(settled(reads, None), rule).probability


def test_the_core_refuses_what_is_no_calibration() -> None:
    with pytest.raises(ValueError, match="unknown feature 'width'"):
        _core.vote_decide([], classes=2, calibration_features=["width"], calibration_weights=[1.0])
    with pytest.raises(ValueError, match="expected 1 weights, one per feature, got 0"):
        _core.vote_decide([], classes=2, calibration_features=["margin"])
    with pytest.raises(ValueError, match="from -1e6 to 1e6"):
        _core.vote_decide([], classes=2, calibration_bias=math.nan)


# --- the model file ---


def test_the_contract_comes_back_from_its_metadata() -> None:
    given = contract(vote=VOTE)
    found = ModelContract.from_metadata(given.to_metadata())
    assert found.to_metadata()["contract_version"] == "3"
    assert found.vote == VOTE
    assert (found.vote_settings, found.stop_at) == (SETTINGS, 0.75)
    assert (contract().vote_settings, contract().stop_at) == (None, None)


def test_a_file_of_version_2_votes_by_the_built_in_settings() -> None:
    metadata = metadata_without("vote") | {"contract_version": "2"}
    del metadata["layouts"]
    reader = PlateReader(model_bytes(metadata), threads=1)
    assert (reader.contract.vote, reader.contract.vote_settings) == ({}, None)
    assert reader.read(crop_of_text("AB12")).vote_settings is None
    assert (reader.contract.layouts, reader.layouts) == ((), None)
    for key in ("layouts", "vote"):
        old = {**metadata, key: metadata_with()[key]}
        with pytest.raises(
            ModelError, match=f"'{key}' belongs to contract_version 3, and contract_version is 2"
        ):
            PlateReader(model_bytes(old))
        with pytest.raises(ModelError, match=f"'{key}' is missing"):
            PlateReader(model_bytes(metadata_without(key)))
    with pytest.raises(ModelError, match="contract_version is 4, this lprfast reads version 2 and 3"):
        PlateReader(model_bytes(metadata_with(contract_version="4")))


LOGISTIC = VOTE["calibration"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"correlation": 1.1}, "correlation: a number from 0 to 1, got 1.1"),
        ({"correlation": math.nan}, "correlation: a number"),
        ({"correlation": True}, "correlation: a number"),
        ({"floor": 0}, "floor: a number from -60 up to 0, got 0"),
        ({"floor": -61}, "floor"),
        ({"stop_at": 0}, "stop_at: null, or a number over 0 and up to 1, got 0"),
        ({"stop_at": "0.9"}, "stop_at"),
        ({"calibration": []}, "calibration: an object"),
        ({"calibration": {**LOGISTIC, "method": "isotonic"}}, "method: 'logistic'"),
        ({"calibration": {**LOGISTIC, "features": ["log_width", "margin", "agreement"]}}, "names out of"),
        ({"calibration": {**LOGISTIC, "weights": [1.0]}}, "3 finite numbers"),
        ({"calibration": {**LOGISTIC, "weights": [1.0, 1.0, -0.1]}}, "0 or more for margin"),
        ({"calibration": {**LOGISTIC, "bias": None}}, "bias: a finite number"),
    ],
)
def test_contradictory_settings_are_a_model_error(changes: dict[str, Any], message: str) -> None:
    metadata = metadata_with(vote=json.dumps(VOTE | changes))
    with pytest.raises(ModelError, match=f"metadata key 'vote.*{message}"):
        ModelContract.from_metadata(metadata)


@pytest.mark.parametrize("name", ["correlation", "floor", "stop_at", "calibration"])
def test_a_missing_value_is_named(name: str) -> None:
    metadata = metadata_with(vote=json.dumps({key: value for key, value in VOTE.items() if key != name}))
    with pytest.raises(ModelError, match=f"'vote': expected an object with {name}"):
        ModelContract.from_metadata(metadata)


# --- on the reads ---


@pytest.fixture(scope="module")
def reader() -> PlateReader:
    return PlateReader(model_bytes(contract(vote=VOTE).to_metadata()), threads=1)


def pictures(text: str, count: int) -> list[Any]:
    """The text further and further right."""
    return [np.ascontiguousarray(np.roll(crop_of_text(text), 8 * n, axis=1)) for n in range(count)]


def test_reads_share_one_object_that_is_not_shown(reader: PlateReader) -> None:
    first, second = reader.read_many(pictures("AB12", 2))
    assert first.vote_settings == SETTINGS
    assert first.vote_settings is second.vote_settings
    assert "vote_settings" not in repr(first)
    assert "vote_settings" not in first.to_dict(evidence=True)


def test_pickled_saved_and_packed_reads_vote_alike(reader: PlateReader, tmp_path: Path) -> None:
    reads = reader.read_many([*pictures("AB12", 3), *pictures("AB17", 2)])
    found = vote(reads)
    assert found.probability != found.raw_probability
    assert vote(pickle.loads(pickle.dumps(reads))) == found
    save_posteriors(tmp_path / "reads.npz", CachedReads(tuple(CachedCrop(read) for read in reads)))
    loaded = [crop.read for crop in load_posteriors(tmp_path / "reads.npz").crops]
    assert loaded[0].vote_settings == SETTINGS
    assert loaded[0].vote_settings is loaded[1].vote_settings
    assert vote(loaded) == found
    voter = TrackVoter()
    for time, read in enumerate(pickle.loads(pickle.dumps(reads))):
        voter.update("a", read, time)
    (event,) = voter.finish("a")
    assert event.vote.text == found.text
    assert event.vote.probability == pytest.approx(found.probability, abs=1e-3)
    assert event.vote.raw_probability == pytest.approx(found.raw_probability, abs=1e-3)


def test_a_track_holds_equal_settings_once(reader: PlateReader) -> None:
    voter = TrackVoter()
    for time, read in enumerate(reader.read_many(pictures("AB12", 3))):
        voter.update("a", pickle.loads(pickle.dumps(read)), time)
    held = voter._tracks["a"].reads
    assert len({id(packed.settings) for packed in held}) == 1


def test_a_file_of_reads_is_of_one_model(tmp_path: Path) -> None:
    reads = [*settled([clear_read("AB", 1)]), *settled([clear_read("AB", 2)], PLAIN)]
    with pytest.raises(ValueError, match=r"reads\[1\]: its vote_settings are not those"):
        save_posteriors(tmp_path / "reads.npz", CachedReads(tuple(CachedCrop(read) for read in reads)))


def test_a_file_of_reads_with_other_settings_or_none(tmp_path: Path) -> None:
    path = tmp_path / "reads.npz"
    save_posteriors(path, CachedReads(tuple(CachedCrop(r) for r in settled([clear_read("AB", 1)]))))
    with np.load(path) as archive:
        columns = dict(archive)
    document = json.loads(str(columns["facts"]))
    for stored, expected in (({"correlation": 2}, "damaged: metadata key 'vote'"), (5, "damaged")):
        columns["facts"] = np.array(json.dumps(document | {"vote": stored}))
        np.savez_compressed(path, **columns)
        with pytest.raises(PosteriorsError, match=expected):
            load_posteriors(path)
    del document["vote"]  # as earlier versions wrote it
    columns["facts"] = np.array(json.dumps(document))
    np.savez_compressed(path, **columns)
    assert load_posteriors(path).vote_settings is None


# --- where to stop ---


def test_evidence_by_hand() -> None:
    # 2 / (1 + 0.55) = 1.2903 and 4 / (1 + 3 * 0.55) = 1.5094
    assert evidence_of(FIRST_PICTURES, FIRST_SHARE, None) == pytest.approx(1 + 0.86 * 0.2903, abs=1e-4)
    assert evidence_of(FINAL_PICTURES, FINAL_SHARE, None) == pytest.approx(1 + 0.98 * 0.5094, abs=1e-4)
    for correlation in (0.0, 0.3, 0.8, 0.99):
        settings = VoteSettings(correlation=correlation)
        worth = [n / (1 + (n - 1) * correlation) for n in (1, 2, 3, 4)]
        assert worth[0] < evidence_of(FIRST_PICTURES, FIRST_SHARE, settings) < worth[1]
        assert worth[2] < evidence_of(FINAL_PICTURES, FINAL_SHARE, settings) < worth[3]


def test_common_settings() -> None:
    assert common_settings([]) is None
    assert common_settings([SETTINGS, replace(SETTINGS)]) is SETTINGS
    assert common_settings([None, SETTINGS]) is common_settings([SETTINGS, PLAIN]) is None


def test_a_track_is_read_until_the_models_probability(reader: PlateReader) -> None:
    crops = pictures("AB12", 6)

    def unread(**given: Any) -> int:
        return sum(one.reason == NOT_READ for one in reader.read_track(crops, **given).contributions)

    assert reader.read_track(crops).probability >= 0.75
    assert unread() == unread(stop_at="model") == unread(stop_at=0.75) == 4
    assert unread(stop_at=None) == unread(stop_at=1.0) == 0
    assert reader.read_track(crops, stop_at=None) == vote(reader.read_many(crops))


def test_a_model_that_names_no_probability_reads_all() -> None:
    stored = contract(vote=VOTE | {"stop_at": None}).to_metadata()
    found = PlateReader(model_bytes(stored), threads=1).read_track(pictures("AB12", 6))
    assert all(one.used for one in found.contributions)


@pytest.mark.parametrize("correlation", [0.3, 0.9])
def test_a_track_voter_asks_for_four_pictures_at_any_correlation(correlation: float) -> None:
    settings = VoteSettings(correlation=correlation)
    voter = TrackVoter(stop_at=0.2)
    reads = settled([clear_read("AB12CD", n, 0.95) for n in range(5)], settings)
    kinds = [event.kind for n, read in enumerate(reads[:3]) for event in voter.update("a", read, n)]
    assert "final" not in kinds
    assert [event.kind for event in voter.update("a", reads[3], 3)] == ["final"]
