"""Layouts as a soft prior: against the oracle, in the vote and in single reads; and what they must not do."""

from __future__ import annotations

import itertools
import json
import math
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from reference import layouts as oracle
from reference import vote as vote_oracle
from test_cli import label_file, run, save_crop
from test_two_line import model_bytes as two_line_model
from test_two_line import stack
from test_vote import CHARSET, LETTERS, check_sane, clear_read, random_reads
from toy_model import LEVEL, STEPS, contract, crop_of_text, metadata_with, model_bytes

import lprfast
from lprfast import PlateReader, TrackVoter, read_from_text, vote
from lprfast.formats import (
    LAYOUTS,
    LayoutPrior,
    PlateLayout,
    layout_prior,
    pattern_choices,
    split_pattern,
)
from lprfast.results import PlateRead

CHOICES = ["world", "ro", "eu", "us_ca", "LLLDDDD", "cn", "{AB|A|ABC}{1|12}X", "[A][B][1]"]
LEAST, MOST = 0.5 * math.log(0.1), 3.0


def draw(rng: random.Random, layout: PlateLayout) -> str:
    choices = (pattern_choices(s, layout.letters) for s in split_pattern(rng.choice(layout.patterns)))
    return "".join(rng.choice(strings) for strings in choices if strings)


def some_texts(rng: random.Random, count: int) -> list[str]:
    """Texts of layouts, the same with one symbol changed, and noise."""
    texts = ["", "A", "京", "AB-12", "ab12", "é"]
    while len(texts) < count:
        text = draw(rng, rng.choice(LAYOUTS))
        place = rng.randrange(len(text))
        changed = text[:place] + rng.choice(LETTERS + "京挂-") + text[place + 1 :]
        noise = "".join(rng.choices(LETTERS, k=rng.randrange(1, 12)))
        texts += [text, changed, noise, text[1:]]
    return texts


# --- the oracle by hand, and the compiled prior against it ---


def test_oracle_by_hand() -> None:
    letters, digits = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), tuple("0123456789")
    assert oracle.follows([letters, digits], "A1") == pytest.approx(1 / 260)
    assert oracle.follows([letters, digits], "11") == 0
    # "A1" is A and 1, "AB1" is AB and 1, and "AB12" both AB, 12 and (were there an A) nothing else.
    assert oracle.follows([("A", "AB"), ("1", "B1")], "AB1") == pytest.approx(2 / 4)  # A B1, AB 1
    assert oracle.free("A1") == pytest.approx((0.95 / 36) ** 2 / 12)
    assert oracle.free("京") == pytest.approx(0.05 / 42 / 12)
    pattern = [(1.0, [letters, digits])]
    # 0.9 / 260 = 0.0034615; free 0.00005803; their ratio 59.65.
    assert oracle.log_weight(pattern, "A1") == pytest.approx(0.5 * math.log(59.65 + 0.1), abs=1e-3)
    assert oracle.log_weight(pattern, "AA") == pytest.approx(0.5 * math.log(0.1))
    assert oracle.log_weight([(1.0, [("A",), ("1",)])], "A1") == 3.0  # the ceiling


@pytest.mark.parametrize("choice", CHOICES)
def test_compiled_layouts_equal_the_oracle(choice: str) -> None:
    prior = layout_prior(choice)
    assert math.fsum(share for share, _ in prior.patterns) == pytest.approx(1)
    followed = 0
    for text in [
        *some_texts(random.Random(3), 120),
        "AB1X",
        "AB12X",
        "ABC12X",
        "A1X",
        "AB1",
        "ABC1234",
        "1ABC234",
        "京A12345",
    ]:
        expected = oracle.log_weight(prior.patterns, text)
        assert prior.log_weight(text) == pytest.approx(expected, rel=1e-9, abs=1e-12)
        followed += expected > LEAST + 1e-9
    assert followed >= 1


def test_texts_of_a_layout_follow_its_name_and_the_world() -> None:
    rng = random.Random(5)
    world = layout_prior("world")
    for layout in LAYOUTS:
        text = draw(rng, layout)
        assert layout_prior(layout.name).log_weight(text) > 0
        assert world.log_weight(text) > LEAST


def test_it_is_always_finite_and_bounded() -> None:
    rng = random.Random(7)
    for choice in (*CHOICES, "[A]" * 32, "P" * 20):
        for escape in (1e-12, 0.1, 0.999999):
            prior = layout_prior(choice, escape)
            for text in [*some_texts(rng, 60), "A" * 32, "A" * 500, "京" * 20]:
                value = prior.log_weight(text)
                assert 0.5 * math.log(escape) - 1e-9 <= value <= MOST


def test_names_mean_what_they_say() -> None:
    def names(choice: str) -> LayoutPrior:
        return layout_prior(choice)

    assert names("ro").log_weight("IF10ABC") > names("ro").log_weight("XX10ABC")
    assert names("eu").log_weight("IF10ABC") > 0 > names("eu").log_weight("京A12345")
    assert names("asia").log_weight("京A12345") > 0 > names("south_america").log_weight("京A12345")
    assert names("us_ca").log_weight("1ABC234") > names("us").log_weight("1ABC234")
    assert layout_prior("world") is layout_prior("world")
    assert layout_prior(LAYOUTS[0]).log_weight("B12ABC") > 0
    both = layout_prior("LLDDD, DDDLL")
    assert both.log_weight("AB123") == pytest.approx(both.log_weight("123AB"))
    assert both == layout_prior(["LLDDD", "DDDLL"])
    uneven = layout_prior({"XXXXX": 0.9, "DDDLL": 0.1})
    assert uneven.log_weight("123AB") > uneven.log_weight("AB123") > 0
    assert layout_prior(uneven) is uneven
    assert "XXXXX" in repr(uneven)


# --- errors are for people ---


@pytest.mark.parametrize("choice", ["", " , ", [], {}])
def test_no_layout_lists_what_there_is(choice: object) -> None:
    with pytest.raises(ValueError, match=r"at least one; .*world, europe.* ro, .*LLLDDDD"):
        layout_prior(choice)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ("romania", "there is no 'romania'.*groups world.*countries.* ro, "),
        ("hun", "is 'hu' meant"),
        ("RO", "there is no 'RO'.*is 'ro' meant"),
        ("llldddd", "there is no 'llldddd'.*templates such as LLLDDDD"),
        ("LLL-DDD", "template 'LLL-DDD', character 4: '-' is no text"),
        ("LL/DDD", "character 3: '/' is no text.*lines of a plate joined"),
        ("LLB12", "character 3: 'B' means nothing here.*write \\[B\\]"),
        ("LL[AB", "character 3: '\\[' without its other half"),
        ("LLAB]", "character 3: 'A' means nothing"),
        ("L{AB||C}", "character 2: an empty string"),
        ("[AA]D", "character 1: 'A' stands twice"),
        ("[ab]D", "character 1: 'a': expected digits, upper case letters"),
        ("L" * 33, "33 characters, more than the 32"),
        ("{ABC|D}" * 11, "33 characters, more than the 32"),
        ("-" * 33, "'-{32}\\.\\.\\.': 33 characters, more than the 32"),
        ("a" * 1000, "there is no 'a{32}\\.\\.\\.'"),
        (["ro,bg"], "'ro,bg': commas .* only where all are in one string"),
        ({"ro,bg": 1}, "'ro,bg': commas .* only where all are in one string"),
        ({"ro": 0.0}, "layouts\\['ro'\\]: expected a share over 0"),
        ({"ro": math.nan}, "layouts\\['ro'\\]: expected a finite number"),
    ],
)
def test_what_is_wrong_is_named(choice: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        layout_prior(choice)  # type: ignore[arg-type]


def test_a_long_template_is_refused_at_once_and_briefly() -> None:
    with pytest.raises(ValueError, match="1000000 characters, more than the 32") as refused:
        layout_prior("D" * 1_000_000)
    assert len(str(refused.value)) < 200


def test_the_whole_prior_is_bounded() -> None:
    # Each pattern has 2 ** 11 combinations of lengths: two of them are as many as there can be.
    templates = [f"[{first}]" + "{A|BC}" * 11 for first in "ABC"]
    assert layout_prior(templates[:2]).log_weight("A" * 12) > 0
    with pytest.raises(
        ValueError, match=r"6144 combinations of .* more than the 4096 that all patterns together"
    ):
        layout_prior(templates)
    # 2 ** 7 combinations, each with half of the strings of each of the 7 elements.
    pairs = ["".join(pair) for pair in itertools.product(LETTERS, repeat=2)]
    strings = "{" + "|".join([*pairs, *("A" + pair for pair in pairs)]) + "}"
    number = 2**7 * 7 * len(pairs)
    with pytest.raises(
        ValueError, match=f"{number} strings in all combinations of lengths, more than the 1000000"
    ):
        layout_prior(strings * 7)


def test_shares_of_one_entry_add_up() -> None:
    twice, once = layout_prior({"ro": 1, " ro": 3, "bg": 4}), layout_prior({"ro": 1, "bg": 1})
    assert twice.patterns == once.patterns
    assert twice.names == ("ro", "bg")


def test_wrong_types_are_named() -> None:
    with pytest.raises(TypeError, match="layouts: expected names, templates or layouts, got int"):
        layout_prior(5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="got int among them"):
        layout_prior(["ro", 5])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="no pattern that holds a text"):
        layout_prior(PlateLayout("empty", ("-.",)))
    for escape in (0.0, 1.0, -1.0, math.nan):
        with pytest.raises(ValueError, match="escape"):
            layout_prior("ro", escape)


# --- the vote ---


def doubtful(right: str, wrong: str, sure: float, count: int = 3) -> list[PlateRead]:
    """Reads that see ``right`` with ``sure`` per character where the two differ, and ``wrong`` next."""
    each = [0.97 if a == b else sure for a, b in zip(right, wrong, strict=True)]
    return [clear_read(right, seed, each, second=wrong) for seed in range(count)]


def test_a_doubtful_character_goes_to_the_layout() -> None:
    reads = doubtful("AB120DE", "AB12ODE", 0.6)
    assert vote(reads).text == "AB120DE"
    answer = vote(reads, layouts="LLDDLLL")
    assert answer.text == "AB12ODE"
    assert answer.probability > vote(reads).probability
    check_sane(answer, reads)
    assert vote(reads, layouts="gb").text == "AB12ODE"
    assert vote(reads, layouts=["ro", "gb"]).text == "AB12ODE"


def test_a_clear_foreign_plate_wins() -> None:
    """The layouts move odds 64-fold at most: what the crops are surer of stays."""
    rng = random.Random(11)
    for choice in ("LLDDLLL", "gb", "world", "[A][B][1][2][C][D][E]"):
        for count in (1, 2, 5):
            foreign = f"{rng.choice('AB')}B1{rng.choice('XYZ')}0{rng.choice('0123456789')}E"
            reads = doubtful(foreign, "AB12CDE", 0.995, count)
            answer = vote(reads, layouts=choice)
            assert answer.text == foreign
            assert answer.probability > 0.5


def test_odds_are_those_of_the_formula() -> None:
    reads = doubtful("AB120DE", "AB12ODE", 0.7)
    prior = layout_prior("LLDDLLL")
    answer = vote(reads, layouts=prior)
    effective = answer.effective_reads
    weights = [c.weight for c in answer.contributions]

    def log_odds(text: str) -> float:
        values = []
        for read in reads:
            assert read.log_posteriors is not None
            scores = read.log_posteriors.astype(np.float32)
            values.append(max(float(lprfast.ctc_score(scores, [text], CHARSET[1:], logits=True)[0]), -8))
        return effective * vote_oracle.score(values, weights) + oracle.log_weight(prior.patterns, text)

    compared = 0
    for other in answer.alternatives:
        if len(other.text) != len(answer.text):
            continue  # may be read as a cut box
        odds = math.exp(log_odds(other.text) - log_odds(answer.text))
        assert other.probability == pytest.approx(answer.probability * odds, rel=2e-3)
        compared += 1
    assert compared >= 3


def test_layouts_that_no_text_follows_change_nothing() -> None:
    generator = np.random.default_rng(12)
    for _ in range(8):
        reads = random_reads(generator, 4)
        plain_vote, answer = vote(reads), vote(reads, layouts="PPPPPPPPPPPP")
        assert answer.text == plain_vote.text
        assert answer.probability == pytest.approx(plain_vote.probability, rel=1e-9)
        assert answer.contributions == plain_vote.contributions


def test_random_tracks_stay_sane_and_in_any_order() -> None:
    generator = np.random.default_rng(13)
    for number in range(10):
        reads = random_reads(generator, int(generator.integers(1, 6)))
        choice = CHOICES[number % len(CHOICES)]
        answer = vote(reads, layouts=choice)
        check_sane(answer, reads)
        for order in itertools.islice(itertools.permutations(range(len(reads))), 0, 24, 7):
            other = vote([reads[index] for index in order], layouts=choice)
            assert replace(other, contributions=()) == replace(answer, contributions=())


def test_texts_from_elsewhere() -> None:
    reads = [read_from_text("AB120DE", [0.9] * 4 + [0.5] + [0.9] * 2), read_from_text("AB12ODE", [0.8] * 7)]
    assert vote(reads, layouts="LLDDLLL").text == "AB12ODE"
    odd = [read_from_text("ab-12é", confidence=0.9), read_from_text("ab-12é", confidence=0.8)]
    assert vote(odd, layouts="world").text == "ab-12é"
    assert vote([], layouts="world").status == "no_plate"


def test_only_our_own_rule_weighs_layouts() -> None:
    reads = [clear_read("AB12CDE", 1)]
    with pytest.raises(ValueError, match="layouts: only the rule 'fused' weighs them, not 'rover'"):
        vote(reads, "rover", layouts="world")
    with pytest.raises(ValueError, match="there is no 'nowhere'"):
        vote(reads, layouts="nowhere")


# --- single reads ---


def between(text: str, place: int, share: float) -> npt.NDArray[np.uint8]:
    """A crop of the toy model whose character at ``place`` is ``share`` of a class towards the next one."""
    crop = crop_of_text(text).astype(np.float64)
    crop[:, 12 * place : 12 * place + 8] += share * LEVEL
    return np.round(crop).astype(np.uint8)


@pytest.fixture(scope="module")
def toy() -> bytes:
    return model_bytes()


def readers(model: bytes, layouts: str) -> tuple[PlateReader, PlateReader]:
    return PlateReader(model, threads=1), PlateReader(model, threads=1, layouts=layouts)


def test_a_doubtful_read_goes_to_the_layout(toy: bytes) -> None:
    plain_reader, reader = readers(toy, "LLDDDL")
    # 9 and A are neighbours: half way between them the first class wins.
    crop = between("XY1239", 5, 0.5)
    before, after = plain_reader.read(crop), reader.read(crop, nbest=5)
    assert (before.text, after.text) == ("XY1239", "XY123A")
    assert reader.layouts == layout_prior("LLDDDL")
    assert plain_reader.layouts is None
    # The odds were even; the layouts move them, and what both have together stays.
    first, second = after.alternatives[0], after.alternatives[1]
    assert (first.text, second.text) == ("XY123A", "XY1239")
    weights = [reader.layouts.log_weight(text) for text in (first.text, second.text)]
    assert first.probability / second.probability == pytest.approx(
        math.exp(weights[0] - weights[1]), rel=0.02
    )
    assert sum(a.probability for a in after.alternatives) <= 1 + 1e-9
    assert after.raw_confidence == pytest.approx(first.probability)
    assert after.raw_confidence > (before.raw_confidence or 0)
    # The characters are those of the new text, at its own steps.
    assert len(after.char_confidences) == len(after.runners_up) == len(after.time_steps) == 6
    assert after.runners_up[5] == "9"
    assert after.log_posteriors is not None
    assert after.charset is not None
    for symbol, sure, step in zip(after.text, after.char_confidences, after.time_steps, strict=True):
        value = float(after.log_posteriors[step, after.charset.index(symbol)])
        assert math.exp(value) == pytest.approx(sure, rel=2e-3)
    assert list(after.time_steps) == sorted(after.time_steps)


def test_nbest_changes_no_other_figure(toy: bytes) -> None:
    reader = PlateReader(toy, threads=1, layouts="LLDDDL")
    for share in (0.0, 0.2, 0.4, 0.5, 0.6):
        crop = between("XY1239", 5, share)
        bare, full = reader.read(crop), reader.read(crop, nbest=5)
        assert bare.text == full.text
        assert bare.confidence == pytest.approx(full.confidence, rel=1e-6)
        assert bare.alternatives == ()


def test_clear_reads_keep_text_and_figures(toy: bytes) -> None:
    plain_reader, reader = readers(toy, "LLDDDL")
    for text in ("XY123A", "99999", "A", "XY1239"):
        before, after = plain_reader.read(crop_of_text(text)), reader.read(crop_of_text(text))
        assert after.text == before.text == text
        assert after.confidence == before.confidence
    assert reader.read(crop_of_text("")).status == "no_plate"


def test_the_track_is_voted_with_the_readers_layouts(toy: bytes) -> None:
    plain_reader, reader = readers(toy, "LLDDDL")
    crop = between("XY1239", 5, 0.5)
    crops = [crop, np.roll(crop, 4, axis=1)]  # the plate one step further on
    assert vote(plain_reader.read_many(crops)).effective_reads > 1.2
    assert plain_reader.read_track(crops).text == "XY1239"
    assert reader.read_track(crops).text == "XY123A"
    assert reader.read_track(crops, stop_at=1.0).text == "XY123A"
    voters = (TrackVoter(reader), TrackVoter(plain_reader, layouts="LLDDDL"), TrackVoter(plain_reader))
    for voter in voters:
        for time, crop in enumerate(crops):
            voter.update("car", crop, time)
    assert [v.finish("car")[0].vote.text for v in voters] == ["XY123A", "XY123A", "XY1239"]


def test_two_lines_follow_a_layout_together() -> None:
    crop = stack(crop_of_text("XY"), between("19", 1, 0.5))
    before, after = (r.read(crop) for r in readers(two_line_model(), "LLDL"))
    assert (before.text, before.lines) == ("XY19", 2)
    assert (after.text, after.lines) == ("XY1A", 2)
    assert after.time_steps[2] > STEPS


# --- those of the model file ---


def test_reads_and_votes_expect_what_the_model_file_names() -> None:
    model = model_bytes(contract(layouts=("LLDDDL",)).to_metadata())
    crop = between("XY1239", 5, 0.5)
    crops = [crop, np.roll(crop, 4, axis=1)]  # the plate one step further on
    reader = PlateReader(model, threads=1)
    assert reader.layouts == layout_prior("LLDDDL")
    assert reader.read(crops[0]).text == "XY123A"
    without = PlateReader(model, threads=1, layouts=None)
    assert without.layouts is None
    assert without.read(crops[0]).text == "XY1239"
    reads = reader.read_many(crops)
    assert reader.read_track(crops).probability == vote(reads).probability
    assert vote(reads).layouts == layout_prior("LLDDDL")
    assert vote(reads).probability == vote(reads, layouts="LLDDDL").probability
    assert vote(reads, layouts=None).probability < vote(reads).probability
    assert without.read_track(crops).probability == vote(without.read_many(crops)).probability
    assert vote(reads, "rover").layouts is None
    # Reads that expect unlike plates are weighed by none.
    assert vote([reads[0], without.read(crops[1])]).layouts is None


@pytest.mark.parametrize(
    ("stored", "message"),
    [('["nowhere"]', "there is no 'nowhere'"), ('[""]', "none of them empty"), ('"ro"', "list of strings")],
)
def test_layouts_of_a_model_file_that_cannot_be_used(stored: str, message: str) -> None:
    with pytest.raises(lprfast.ModelError, match=f"metadata key 'layouts'.*{message}"):
        PlateReader(model_bytes(metadata_with(layouts=stored)), threads=1)


# --- the command line ---


@pytest.fixture
def doubtful_folder(tmp_path: Path) -> Path:
    save_crop(tmp_path / "crops" / "clear.png", "XY123A")
    Image.fromarray(between("XY1239", 5, 0.5)).save(tmp_path / "crops" / "doubtful.png")
    (tmp_path / "toy.onnx").write_bytes(model_bytes())
    label_file(tmp_path / "crops", [("clear.png", "XY123A"), ("doubtful.png", "XY123A")])
    return tmp_path


def test_commands_take_layouts(doubtful_folder: Path) -> None:
    crops, model = doubtful_folder / "crops", doubtful_folder / "toy.onnx"
    options = ("--model", model, "--threads", "1")
    texts = [read["text"] for read in json.loads(run("read", crops, *options, "--json").stdout)["reads"]]
    assert texts == ["XY123A", "XY1239"]
    (doubtful_folder / "ro.onnx").write_bytes(model_bytes(contract(layouts=("LLDDDL",)).to_metadata()))
    named = ("--model", doubtful_folder / "ro.onnx", "--threads", "1")
    for others, last in (((), "XY123A"), (("--layouts", "none"), "XY1239")):
        found = json.loads(run("read", crops, *named, *others, "--json").stdout)
        assert found["reads"][1]["text"] == last
    options = (*options, "--layouts", "LLDDDL,ro")
    texts = [read["text"] for read in json.loads(run("read", crops, *options, "--json").stdout)["reads"]]
    assert texts == ["XY123A", "XY123A"]
    assert "XY123A" in run("vote", crops, *options).stdout
    report = json.loads(run("eval", crops, *options, "--json").stdout)
    assert report["settings"]["layouts"] == ["LLDDDL", "ro"]
    assert report["pooled"]["crops"]["exact"] == 2


def test_commands_name_what_is_wrong_with_layouts(doubtful_folder: Path) -> None:
    crops = doubtful_folder / "crops"
    result = run("read", crops, "--layouts", "nowhere")
    assert result.exit_code == 2
    assert "--layouts" in result.stderr
    assert "there is no 'nowhere'" in result.stderr
    assert "africa_oceania" in result.stderr
    result = run("vote", crops, "--layouts", "ro", "--rule", "rover")
    assert result.exit_code == 2
    assert "only --rule fused weighs them" in result.stderr
