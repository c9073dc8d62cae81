"""The HTML pages: nothing from outside, nothing unescaped, the figures and the order worked out by hand."""

from __future__ import annotations

import base64
import importlib
import io
import json
import math
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image
from toy_model import crop_of_text, model_bytes

from lprfast import Alternative, Contribution, PlateRead, PlateVote
from lprfast.cli import main
from lprfast.evaluation import CachedCrop, Sample, Settings, confusion, make_report
from lprfast.evaluation.charts import reliability_chart, shares_by_width, width_chart
from lprfast.evaluation.markup import Markup, escape, page, picture, table, tag
from lprfast.evaluation.page import confusion_table, eval_page, is_right, marked, worst_errors
from lprfast.evaluation.reliability import calibration
from lprfast.evaluation.vote_page import VehicleEvidence, vote_page
from lprfast.formats import layout_prior
from lprfast.voting import RULES

vote_module = importlib.import_module("lprfast.cli.vote")  # the package's own name is the command


class Balance(HTMLParser):
    """Checks that tags close in order; gathers text and whatever could load something."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.loaded: list[str] = []
        self.pictures = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.pictures += tag == "img"
        self.loaded += [value or "" for name, value in attrs if name in ("src", "href", "srcset")]
        assert tag not in ("script", "link", "iframe", "object")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def parsed(text: str) -> Balance:
    found = Balance()
    found.feed(text)
    found.close()
    assert found.open == []
    assert all(value.startswith("data:image/png;base64,") for value in found.loaded)
    assert "@import" not in text
    assert "url(" not in text
    return found


def save(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(crop_of_text(text)).save(path)
    return path


def run(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


# Markup


def test_everything_but_markup_is_escaped() -> None:
    assert tag("b", "<i>&'\"") == "<b>&lt;i&gt;&amp;&#x27;&quot;</b>"
    assert tag("b", tag("i", "x"), [tag("u", 1), "<"], None, 0.5) == "<b><i>x</i><u>1</u>&lt;0.5</b>"
    assert tag("td", "x", class_='a"b', data_x=None) == '<td class="a&quot;b">x</td>'
    assert tag("img", src="a") == '<img src="a"/>'
    assert tag("meta", name="x") == '<meta name="x"/>'
    assert escape("a\x00b\x1b\udcff\t") == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}\\udcff\t"
    assert table(("a", "b"), [("<", 2)], numbers=(1,)) == (
        '<table><thead><tr><th>a</th><th class="n">b</th></tr></thead>'
        '<tbody><tr><td>&lt;</td><td class="n">2</td></tr></tbody></table>'
    )
    assert isinstance(tag("b"), Markup)


def test_a_page_is_whole_and_may_load_nothing() -> None:
    text = page("<t>", tag("p", "x"))
    assert parsed(text).texts.count("<t>") == 2
    assert "default-src &#x27;none&#x27;" in text


def test_a_picture_shows_the_pixels(tmp_path: Path) -> None:
    pixels = np.zeros((4, 6, 3), np.uint8)
    pixels[1:3, 2:5] = (250, 10, 20)
    Image.fromarray(pixels).save(tmp_path / "a.png")

    def shown(*box: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        uri = picture(tmp_path / "a.png", box or None)  # type: ignore[arg-type]
        data = base64.b64decode(re.findall('base64,([^"]+)', uri)[0])
        return np.array(Image.open(io.BytesIO(data)))

    np.testing.assert_array_equal(shown(), pixels)
    np.testing.assert_array_equal(shown(2, 1, 5, 3), pixels[1:3, 2:5])
    np.testing.assert_array_equal(shown(2, 1, 7, 3), pixels)
    Image.new("L", (3200, 2000)).save(tmp_path / "a.png")
    assert shown().shape == (200, 320)
    assert "no picture: no such file" in picture(tmp_path / "<gone>.png")


# Drawings


def test_shares_by_width() -> None:
    shares = shares_by_width([10, 39, 20, 100, 100], [True, False, True, True, True])
    assert [(one.name, one.n, one.right) for one in shares] == [
        ("under 20", 1, 1), ("20-40", 2, 1), ("40-60", 0, 0), ("60-80", 0, 0), ("80-100", 0, 0),
        ("100+", 2, 2),
    ]  # fmt: skip
    drawing = width_chart(shares)
    assert drawing.count("<rect") == 3
    assert "1 of 2 right, 50.0%" in drawing
    # A bar from 0.15 to 0.85 of a sixth of 260 px, from left 48; half of 260 px high, down from the middle.
    half = re.findall(r"<rect ([^>]*)>", drawing)[1]
    assert half == 'x="97.8" y="142.0" width="30.3" height="130.0" fill="#b9cde8"'


def test_reliability_chart_has_a_dot_per_bin() -> None:
    values = calibration([0.25, 0.25, 1.0, 1.0], [True, False, True, True], bins=2)
    drawing = reliability_chart(values, None)
    assert re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)"', drawing) == [
        ("113.0", "142.0"),
        ("308.0", "12.0"),
    ]
    assert "ECE 0.125" in drawing  # 2/4 of |0.5 - 0.25|
    assert reliability_chart(values, values).count("<circle") == 4


# The page of an evaluation


def crop(label: str, text: str, confidence: float, status: str = "ok", **more: str) -> CachedCrop:
    read = PlateRead(text=text, confidence=confidence, status=status, width=50, height=12)  # type: ignore[arg-type]
    return CachedCrop(read, label, "labels.csv", **more)


def test_worst_errors_are_the_confident_ones() -> None:
    crops = [
        crop("AB", "AC", 0.5, path="half"),
        crop("AB", "A8", 0.9, path="high"),
        crop("ab", "A-B", 0.99, path="right"),
        crop("AO", "A0", 0.95, path="right, folded"),
        crop("", "XY", 0.7, path="no plate"),
        crop("", "", 0.0, "no_plate", path="right, no plate"),
        crop("AB", "", 0.0, "unreadable", path="unread"),
        crop("AB", "", 0.0, "error", path="broken"),
        crop("AB", "BB", 0.9, path="high too"),
    ]
    settings = Settings({"0": "O"})
    names = [one.path for one in worst_errors(crops, settings, 50)]
    assert names == ["high", "high too", "no plate", "half", "unread"]
    assert [one.path for one in worst_errors(crops, settings, 2)] == ["high", "high too"]
    assert worst_errors(crops, settings, 0) == []
    assert is_right(crops[3], settings)
    assert not is_right(crops[3], Settings({}))


def test_confusion_table_by_hand() -> None:
    # B is read as 8 twice of three times, as nothing once; a 1 is inserted once.
    found = confusion([("A8", "AB"), ("A8", "AB"), ("A", "AB"), ("A1", "A")])
    text = parsed(confusion_table(found)).texts
    assert text[:12] == ["label", "read as", "times", "of the label's characters",
                         "B", "8", "2", "66.7%", "nothing", "1", "1", "B"]  # fmt: skip
    assert text[12:15] == ["nothing", "1", "33.3%"]
    matrix = text[text.index("-") :]
    assert matrix == ["-", "1", "8", "+", "1", "B", "1", "2"]
    assert "None" in confusion_table(confusion([("A", "A")]))


def test_differences_are_marked() -> None:
    assert marked("AB12", "A812") == '<span class="plate">A<mark>8</mark>12</span>'
    assert marked("AB", "A") == '<span class="plate">A<mark>·</mark></span>'
    assert marked("A", "A<") == '<span class="plate">A<mark>&lt;</mark></span>'


def test_the_page_holds_the_figures_and_no_markup_of_labels(tmp_path: Path) -> None:
    settings = Settings({}, as_written=True)
    save(tmp_path / "a.png", "AB")
    crops = [
        crop("<script>", "AB", 0.875, path=str(tmp_path / "a.png")),
        crop("AB", "AB", 1.0, path=str(tmp_path / "gone.png")),
    ]
    samples = [Sample(one.read.text, one.label, one.read.text, "ok", i, one.read.confidence)
               for i, one in enumerate(crops)]  # fmt: skip
    report = make_report("<labels>", samples, [], settings)
    text = eval_page([report, report], crops, settings, {"model": "<m>", "fold": {}}, notes=["a & b"])
    found = parsed(text)
    assert found.pictures == 1
    assert "1 of 2 crops are wrong; the 1 most confident ones are shown." in found.texts
    for expected in ("<labels>", "<script>", "0.875", "50 x 12", "<m>", "a & b"):
        assert expected in found.texts
    assert found.texts.count("<labels>") == 1  # pooled is the same, and left out
    assert any(text.startswith("50.0% (") for text in found.texts)
    assert parsed(eval_page([report, report], crops, settings, {}, worst=0)).pictures == 0


def test_a_run_without_labelled_crops_has_a_page_too() -> None:
    settings = Settings({})
    report = make_report("x", [], [], settings)
    assert "No crop with a labelled plate was read." in parsed(eval_page([report], [], settings, {})).texts


def test_eval_report_of_a_run(tmp_path: Path) -> None:
    (tmp_path / "toy.onnx").write_bytes(model_bytes())
    for index, text in enumerate(("AB12", "XY9O", "CD34")):
        save(tmp_path / f"{index}.png", text)
    (tmp_path / "labels.csv").write_text("path,text\n0.png,AB12\n1.png,XY90\n2.png,CD35\n", encoding="utf-8")
    out = tmp_path / "out.html"
    arguments = ("eval", tmp_path, "--model", tmp_path / "toy.onnx", "--threads", "1", "--report", out)
    assert run(*arguments).exit_code == 0
    found = parsed(out.read_text(encoding="utf-8"))
    assert found.pictures == 2
    assert "2 of 3 crops are wrong; the 2 most confident ones are shown." in found.texts
    assert run(*arguments, "--worst", "1").exit_code == 0
    assert parsed(out.read_text(encoding="utf-8")).pictures == 1


# The page of a vote


def test_evidence_by_hand(tmp_path: Path) -> None:
    save(tmp_path / "0.png", "A8")
    reads = [
        PlateRead(text="A8", confidence=0.5, width=40, height=10),
        PlateRead(text="AB", confidence=0.75, width=80, height=20),
        PlateRead(status="error", error="the file is empty (0 bytes)"),
    ]
    contributions = (
        Contribution(0, True, 0.25, -2.0, "A8", False),
        Contribution(1, True, 0.75, -0.5, "AB", True),
        Contribution(2, False, 0.0, 0.0, "", False, "error: <empty>"),
    )
    voted = PlateVote("AB", 0.99999, "ok", (0.999, 0.85), ("4", "8"), (0.0005, 0.125),
                      (Alternative("A8", 0.0625),), contributions, 1.6)  # fmt: skip
    paths = [tmp_path / f"{index}.png" for index in range(3)]
    text = vote_page([VehicleEvidence("<gate>", paths, reads, voted)], ["model m"])
    found = parsed(text)
    assert found.pictures == 1
    for expected in (
        "<gate>",
        "model m",
        "0.9990",
        "0.850",
        "0.125",
        "0.062",
        "5e-04",
        "error: <empty>",
        "25.0%",
        "75.0%",
    ):
        assert expected in found.texts, expected
    assert "probability 0.9999; 2 of 3 crops took part, worth 1.6 independent reads" in text
    assert found.texts.index("1.png") < found.texts.index("0.png") < found.texts.index("2.png")
    assert "-0.500" in found.texts  # 0.25 * -2
    assert "-0.375" in found.texts  # 0.75 * -0.5
    assert 'class="plate open">B<' in text  # under 0.9
    assert 'probability under 0.9: <span class="plate">A?</span>' in text
    assert 'class="plate">A<mark>8</mark>' in text


def test_the_part_of_the_layouts_is_a_row_of_its_own(tmp_path: Path) -> None:
    prior = layout_prior(["LLDD", "LLLDDDD"])
    reads = [
        PlateRead(text="AB12", confidence=0.5, width=40),
        PlateRead(text="AB12", confidence=0.75, width=80),
    ]
    contributions = (
        Contribution(0, True, 0.25, -2.0, "AB12", True),
        Contribution(1, True, 0.75, -0.5, "AB12", True),
    )
    voted = PlateVote(
        "AB12", 0.9, "ok", contributions=contributions, effective_reads=1.6, reads=reads, layouts=prior
    )
    paths = [tmp_path / "0.png", tmp_path / "1.png"]
    found = parsed(vote_page([VehicleEvidence("x", paths, reads, voted)])).texts
    # 1/2 of ln(P(y) / P_free(y)), P(y) = 0.9 / 2 / (26 * 26 * 100) + 0.1 P_free, P_free = 1/12 (0.95 / 36)^4.
    free = (0.95 / 36) ** 4 / 12
    part = 0.5 * min(math.log((0.45 / 67600 + 0.1 * free) / free), 6) / 1.6
    row = found.index("layouts")
    assert row > found.index("-0.375")  # after the crops
    assert f"{part:.3f}" in found[row:]
    assert "expected plates: LLDD, LLLDDDD" in found[row:]
    plain = vote_page([VehicleEvidence("x", paths, reads, replace(voted, layouts=None))])
    assert "layouts" not in parsed(plain).texts


def test_a_vote_that_cannot_read_says_so(tmp_path: Path) -> None:
    guess = PlateVote(
        status="unreadable",
        alternatives=(Alternative("AB", 0.25),),
        contributions=(Contribution(0, True, 1.0, -1.0, "A8", False),),
        effective_reads=1.0,
    )
    read = PlateRead(status="unreadable", width=12, height=4)
    text = vote_page([VehicleEvidence("x", [tmp_path / "0.png"], [read], guess)])
    assert "cannot read" in parsed(text).texts
    assert 'class="plate">A<mark>8</mark>' in text  # against the best guess
    assert "cannot read" in parsed(vote_page([VehicleEvidence("x", [], [], PlateVote())])).texts


def test_vote_by_folder_with_evidence(tmp_path: Path) -> None:
    (tmp_path / "toy.onnx").write_bytes(model_bytes())
    for index, text in enumerate(("AB12", "AB12", "AB1Z")):
        save(tmp_path / "one" / f"{index}.png", text)
    save(tmp_path / "two" / "0.png", "XY99")
    (tmp_path / "two" / "9.png").touch()
    out = tmp_path / "out.html"
    result = run(
        "vote", tmp_path / "one", tmp_path / "two", "--model", tmp_path / "toy.onnx", "--report", out
    )
    assert result.exit_code == 1
    assert result.stderr == f"failed: {tmp_path / 'two' / '9.png'}: the file is empty (0 bytes)\n"
    rows = [line.split() for line in result.stdout.splitlines()]
    assert [(row[0], row[1], row[-1]) for row in rows[1:]] == [
        (str(tmp_path / "one"), "AB12", "3"),
        (str(tmp_path / "two"), "XY99", "2"),
    ]
    found = parsed(out.read_text(encoding="utf-8"))
    assert found.pictures == 4
    assert found.texts.index(str(tmp_path / "one")) < found.texts.index(str(tmp_path / "two"))


def test_vote_names_wrong_usage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path / "one" / "0.png", "AB12")
    save(tmp_path / "one" / "1.png", "AB12")
    monkeypatch.setattr(vote_module, "_MOST_CROPS_ON_A_PAGE", 1)
    for options, words in (
        (("--json", "--csv"), "exclude one another"),
        (("--report", tmp_path / "no" / "x.html"), "no such folder to write to"),
        (("--report", tmp_path / "x.html"), "2 crops are too many for one page"),
    ):
        result = run("vote", tmp_path / "one", *options)
        assert result.exit_code == 2
        assert words in " ".join(result.stderr.split())
    assert run("vote", tmp_path / "none").exit_code == 2
    result = run("vote", tmp_path / "one", "--rule", "loudest")
    assert result.exit_code == 2
    assert "majority" in result.stderr


def test_vote_takes_a_rule(tmp_path: Path) -> None:
    for number, text in enumerate(("AB12", "AB12", "CD34")):
        save(tmp_path / "one" / f"{number}.png", text)
    model = ("--model", tmp_path / "toy.onnx")
    (tmp_path / "toy.onnx").write_bytes(model_bytes())
    document = json.loads(run("vote", tmp_path / "one", *model, "--rule", "majority", "--json").stdout)
    (vehicle,) = document["tracks"]
    assert vehicle["text"] == "AB12"
    assert vehicle["probability"] == pytest.approx(2 / 3)


def test_the_rules_offered_are_those_that_there_are() -> None:
    (option,) = [param for param in vote_module.vote.params if param.name == "rule"]
    assert tuple(option.type.choices) == RULES  # written out there, so that --help imports nothing
