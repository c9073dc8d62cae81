"""The layouts of the world: the pattern language, the letters that countries really use, no row twice."""

from __future__ import annotations

import random
import re
import subprocess
import sys
from collections import Counter, defaultdict
from dataclasses import fields, replace

import pytest

from lprfast.formats import (
    DECORATION,
    DIGITS,
    LATIN,
    LAYOUTS,
    PROVINCES,
    SUFFIXES,
    PlateLayout,
    pattern_choices,
    pattern_regex,
    split_pattern,
)
from lprfast.formats.layout import codes

BY_NAME = {layout.name: layout for layout in LAYOUTS}
READ = DIGITS + LATIN + PROVINCES + SUFFIXES


def draw(rng: random.Random, pattern: str, letters: str) -> str:
    choices = (pattern_choices(symbol, letters) for symbol in split_pattern(pattern))
    return "".join(rng.choice(strings) for strings in choices if strings)


def test_patterns_split_into_symbols() -> None:
    assert split_pattern("{AB|B}-D[XY]/L!") == ("{AB|B}", "-", "D", "[XY]", "/", "L", "!")


@pytest.mark.parametrize(
    ("symbol", "choices"),
    [
        ("L", ("A", "C")),
        ("D", tuple(DIGITS)),
        ("X", ("A", "C", *DIGITS)),
        ("P", tuple(PROVINCES)),
        ("S", tuple(SUFFIXES)),
        ("[07]", ("0", "7")),
        ("{AB|AR|B}", ("AB", "AR", "B")),
        ("{B}", ("B",)),
        ("-", ()),
        ("/", ()),
        ("!", ()),
    ],
)
def test_what_a_symbol_stands_for(symbol: str, choices: tuple[str, ...]) -> None:
    assert pattern_choices(symbol, "AC") == choices


def test_pattern_as_a_regular_expression() -> None:
    assert pattern_regex("{AB|B} D*L/[XY]", "AC") == "(?:AB|B)[0123456789][AC][XY]"
    assert pattern_regex("-.", "AC") == ""


def test_code_lists_match_whole_codes_only() -> None:
    layout = PlateLayout("test", ("{AB|B}-DD", "{IF}DDD"), letters="AC")
    assert [layout.matches(t) for t in ("AB12", "B12", "IF123")] == [True] * 3
    assert [layout.matches(t) for t in ("A12", "BB12", "IF12", "AB123", "AB-12", "ab12", "")] == [False] * 7


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_every_pattern_draws_texts_of_its_layout(layout: PlateLayout) -> None:
    rng = random.Random(4)
    for pattern in layout.patterns:
        for symbol in split_pattern(pattern):
            choices = pattern_choices(symbol, layout.letters)
            assert choices or symbol in DECORATION + "/", f"{symbol!r} means nothing"
            assert all(string and set(string) <= set(READ) for string in choices)
            assert len(choices) == len(set(choices))
        for _ in range(10):
            assert layout.matches(draw(rng, pattern, layout.letters))


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_fields_are_in_range(layout: PlateLayout) -> None:
    assert layout.patterns
    assert {pattern.count("/") for pattern in layout.patterns} == {layout.rows - 1}
    assert layout.ink in {"dark", "light", "panel"}
    assert set(layout.band.split()) <= {"left", "right", "top", "strip", "arms", "side"}
    assert 1 < layout.aspect < 6
    assert 0.3 < layout.height < 0.8
    assert 0.4 < layout.upper <= 1
    assert layout.pitch == 0 or 0.5 < layout.pitch < 1
    assert layout.weight > 0
    assert all(re.fullmatch("[0-9A-Z]{2}", pair) for pair in layout.twins)
    assert not (layout.above and not (layout.header or layout.band)), "above is never drawn"
    assert not (layout.below and not layout.footer), "below is never drawn"
    assert all(text.strip() for text in layout.above + layout.below + (layout.code or "-",))


def test_no_two_rows_alike() -> None:
    told_apart = [f.name for f in fields(PlateLayout) if f.name not in {"name", "weight"}]
    rows = Counter(tuple(getattr(layout, name) for name in told_apart) for layout in LAYOUTS)
    assert max(rows.values()) == 1
    assert len(BY_NAME) == len(LAYOUTS)


def test_states_of_the_us_have_rows_of_their_own() -> None:
    states = [layout for layout in LAYOUTS if re.fullmatch("us_[a-z]{2}", layout.name)]
    assert len(states) == 51
    assert all(layout.above and len(layout.patterns[0]) >= 5 for layout in states)
    assert {"us_vanity", "us_commercial", "us_taxi", "us_truck", "us_handicapped", "us_dealer"} <= set(
        BY_NAME
    )


def test_countries_of_the_eu_have_old_and_new_formats() -> None:
    union = codes("at be bg cy cz de dk ee es fi fr gr hr hu ie it lt lu lv mt nl pl pt ro se si sk")
    members = pattern_choices(union, "")
    both = [code for code in members if code in BY_NAME and f"{code}_old" in BY_NAME]
    assert len(both) >= 15
    assert {"ro", "de", "fr", "it", "es", "pl", "cz", "sk"} <= set(both)


def test_shares_of_the_weights() -> None:
    weights: dict[str, float] = defaultdict(float)
    for layout in LAYOUTS:
        weights[layout.name.split("_")[0]] += layout.weight
    everything = sum(weights.values())
    assert 0.28 <= weights["us"] / everything <= 0.35
    assert 0.06 <= weights["cn"] / everything <= 0.09
    two_lines = sum(layout.weight for layout in LAYOUTS if layout.rows == 2)
    assert 0.05 <= two_lines / everything <= 0.09


@pytest.mark.parametrize(
    ("name", "text", "valid"),
    [
        ("ro", "B12ABC", True),
        ("ro", "B123ABC", True),
        ("ro", "IF10ABC", True),
        ("ro", "IF123ABC", False),  # three digits in Bucharest only
        ("ro", "XX10ABC", False),  # no such county
        ("ro", "AB10IBC", False),  # no I or O first
        ("ro", "AB10OBC", False),
        ("ro", "AB10BIO", True),
        ("ro", "AB10BQC", False),
        ("ro_temporary", "B012345", True),
        ("ro_temporary", "Q012345", False),
        ("gb", "AB12CDE", True),
        ("gb", "AB51CDZ", True),
        ("gb", "AZ12CDE", False),  # Z in the last three only
        ("gb", "AB12CIE", False),
        ("gb", "AQ12CDE", False),
        ("gb", "AB35CDE", False),  # no half-year of that number
        ("gb_prefix", "A123BCD", True),
        ("gb_prefix", "Q123BCD", True),
        ("gb_prefix", "Z123BCD", False),
        ("gb_suffix", "ABC123D", True),
        ("gb_suffix", "ABC123Z", False),
        ("gb_ireland", "AIG1234", True),
        ("tr", "34ABC12", True),
        ("tr", "82ABC12", False),  # provinces end at 81
        ("tr", "34QBC12", False),
        ("vn", "29A12345", True),
        ("vn", "10A12345", False),
        ("vn_two", "29A1234", True),
        ("in", "KA01AB1234", True),
        ("in", "QQ01AB1234", False),
        ("br_old", "ABC1234", True),
        ("br_mercosur", "ABC1D23", True),
        ("ar_mercosur", "AB123CD", True),
        ("za", "BC12DFGP", True),
        ("za", "BC12DFGGP", False),
        ("za", "BC12DFGX", False),
        ("us_ca", "1ABC234", True),
        ("us_ca", "1AIC234", False),
        ("us_tx", "BCD1234", True),
        ("us_tx", "ABC1234", False),  # no vowels
        ("es", "1234BCD", True),
        ("es", "1234ABC", False),
        ("nl", "12BDF3", True),
        ("nl", "12ABC3", False),
        ("pl_old", "ABC1234", True),
        ("cn_blue", "粤B12345", True),
        ("cn_blue", "粤B1234I", False),
        ("cn_green", "粤BD12345", True),
        ("cn_green", "粤BH12345", True),
        ("cn_green_large", "粤B12345K", True),
        ("cn_green", "粤B12345K", False),
        ("cn_green", "粤BL12345", False),
        ("si", "LJAB123", True),
        ("si", "AALB123", False),
        ("cn_trailer", "粤B1234挂", True),
        ("cn_embassy", "123456使", True),
        ("cn_special", "粤X1234应急", True),
        ("cn_special", "粤B1234应", False),
        ("cn_special", "民航A1234", True),
        ("cn_special", "粤B1234民", False),
        ("cn_suffix_dark", "粤Z1234港", True),
        ("cn_suffix_dark", "京A1234澳", False),
        ("at", "DO123AB", True),
        ("at", "IL123AB", True),
        ("at", "W12345A", True),
        ("at", "XX123AB", False),
        ("ch", "ZH123456", True),
        ("ch", "AI345", True),
        ("ch", "ZH012345", False),
        ("ch", "AB123456", False),
        ("se", "OBO123", True),
        ("se", "ABC12O", False),
        ("de", "MAB123E", True),
        ("de", "MAB123F", False),
        ("dk", "AB12345", True),
        ("dk", "QW12345", False),
        ("kz", "123ABC20", True),
        ("kz", "123ABC21", False),
        ("in", "KA00AB1234", False),
        ("in_two", "KA00AB1234", False),
        ("za_town", "BC12DFZN", True),
    ],
)
def test_rules_by_hand(name: str, text: str, valid: bool) -> None:
    assert BY_NAME[name].matches(text) is valid


def test_narrow_first_letters_are_frequent_in_romania() -> None:
    rng, layout = random.Random(1), BY_NAME["ro"]
    texts = [draw(rng, rng.choice(layout.patterns), layout.letters) for _ in range(2000)]
    assert 0.12 < sum(t.startswith(("IF", "IL", "IS")) for t in texts) / 2000 < 0.3


def test_dies_that_draw_characters_alike() -> None:
    assert BY_NAME["gb"].twins == ("1I", "0O")
    assert "0O" in BY_NAME["br_old"].twins
    assert any("0O" in layout.twins for layout in LAYOUTS if layout.name.startswith("us_"))
    assert not BY_NAME["us_vanity"].twins  # nothing there tells them apart
    assert BY_NAME["cn_two"].upper < 0.7


def test_layouts_need_no_heavy_library() -> None:
    code = (
        "import sys, lprfast.formats.europe, lprfast.formats.layout\n"
        "names = [m for m in sys.modules if m in ('torch', 'cv2')]\n"
        "sys.exit(str(names) if names else 0)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_twins_are_drawn_only_where_the_pattern_tells_them_apart() -> None:
    from training.synth.plate import _told_apart

    two = replace(BY_NAME["gb"], name="two", patterns=("LLDD LLL", "LDDDLLL"), letters="ABO", twins=("0O",))
    assert _told_apart(two, "AB12ABA")
    assert not _told_apart(two, "AO12ABA")  # A012ABA would do as well
    assert not _told_apart(two, "AO12AB0")  # no text of this layout
