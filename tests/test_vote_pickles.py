"""Reads that are pickled one by one: what they share is one object again."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import Any

import pytest
from test_vote_settings import SETTINGS, VOTE, pictures
from toy_model import contract, model_bytes

from lprfast import PlateReader, TrackVoter
from lprfast.formats import LayoutPrior, layout_prior


def test_two_models_that_alternate_through_pickles_are_held_once_each() -> None:
    metadata = contract(vote=VOTE | {"floor": -9.0}).to_metadata()
    readers = (
        PlateReader(model_bytes(contract(vote=VOTE).to_metadata()), threads=1, layouts="world"),
        PlateReader(model_bytes(metadata), threads=1, layouts={"ro": 0.75, "hu": 0.25}),
    )
    pickled = [[pickle.dumps(r) for r in one.read_many(pictures("AB12", 3))] for one in readers]
    voter = TrackVoter()
    for time in range(3):
        for track, reads in enumerate(pickled):
            voter.update(track, pickle.loads(reads[time]), time)
            voter.update(track + 2, pickle.loads(reads[time]), time)
    assert len({id(track.charset) for track in voter._tracks.values()}) == 1
    for first, second, model in ((0, 2, readers[0]), (1, 3, readers[1])):
        held = voter._tracks[first].reads + voter._tracks[second].reads
        assert len({id(packed.settings) for packed in held}) == 1
        assert held[0].settings == model.read(pictures("AB12", 1)[0]).vote_settings


LAYOUTS = ["world", ["ro", "LLLDDDD"], {"ro": 0.75, "hu": 0.25}, LayoutPrior(((1.0, (("A",),)),))]


@pytest.mark.parametrize("layouts", LAYOUTS)
def test_settings_of_many_pickles_are_one_object(layouts: Any) -> None:
    settings = replace(SETTINGS, layouts=layout_prior(layouts, 0.2))
    first, second = (pickle.loads(pickle.dumps(settings)) for _ in range(2))
    assert first == settings
    assert first is second
    alone = pickle.loads(pickle.dumps(settings.layouts))
    assert alone is first.layouts  # what is compiled once serves all reads
    assert alone.log_weight("B12ABC") == settings.layouts.log_weight("B12ABC")  # type: ignore[union-attr]
    other = pickle.loads(pickle.dumps(replace(SETTINGS, layouts=layout_prior("hu"))))
    assert other.layouts == layout_prior("hu")


def test_layouts_that_have_a_name_are_pickled_by_it() -> None:
    named, shared = layout_prior("world"), layout_prior({"world": 0.9, "ro": 0.1})
    assert (named.by_name, shared.by_name) == (True, False)
    assert pickle.loads(pickle.dumps(named)) is named
    assert len(pickle.dumps(named)) < 200
    assert len(pickle.dumps(shared)) > 5000
    # A name that means something else is no name.
    assert not LayoutPrior(named.patterns, 0.3, ("ro",)).by_name
    assert not LayoutPrior(named.patterns, 0.3, ("no_such",)).by_name
