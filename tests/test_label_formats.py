"""Label files of other projects, told apart by their content. All texts are made up."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from lprfast.data.ccpd import ccpd_label, is_ccpd_name
from lprfast.data.labels import BadRow, LabelError, LabelFile, read_labels
from lprfast.data.reading import read_files
from lprfast.results import PlateRead

# The example of CCPD's own description: province 0, letter 0, then 22, 27, 27, 33, 16 of letters and digits.
CCPD_NAME = "025-95_113-154&383_386&473-386&473_177&454_154&383_363&402-0_0_22_27_27_33_16-37-15"


def written(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return path


def touched(root: Path, *names: str) -> None:
    for name in names:
        written(root / name, "")


def rows_of(labels: LabelFile) -> list[tuple[str, str, int]]:
    return [(row.path.name, row.text, row.line) for row in labels.rows]


# CSV and PaddleOCR


def test_fast_plate_ocr(tmp_path: Path) -> None:
    text = "image_path,plate_text,plate_region\na/1.png,AB12,Utopia\na/2.png,CD34,\n"
    labels = read_labels(written(tmp_path / "train.csv", text))
    assert labels.columns == ("path", "text", "region")
    assert [(row.path, row.text, row.region) for row in labels.rows] == [
        (tmp_path / "a/1.png", "AB12", "Utopia"),
        (tmp_path / "a/2.png", "CD34", ""),
    ]


def test_paddle_lines(tmp_path: Path) -> None:
    text = (
        "\ufeffa/1.png\tAB12\r\n"
        "\r\n"
        "a, b.png\t CD 34 \r\n"
        "3.png\r\n"
        "4.png\tEF\tGH\r\n"
        "5.png\t\r\n"
        "\tIJ\r\n"
        "a/1.png\tKL\r\n"
        '["6.png", "7.png"]\tMN\r\n'
        '8.png\t[{"transcription": "OP", "points": []}]\r\n'
        "[6, 7]\tQR\r\n"
        "[9].png\tST\r\n"
    )
    labels = read_labels(written(tmp_path / "rec_gt_train.txt", text))
    assert rows_of(labels) == [
        ("1.png", "AB12", 1),
        ("a, b.png", "CD 34", 3),
        ("6.png", "MN", 9),
        ("7.png", "MN", 9),
        ("[9].png", "ST", 12),
    ]
    assert labels.columns == ("path", "text")
    assert labels.bad_rows == (
        BadRow(4, "expected path, tab, text; got 1 cells"),
        BadRow(5, "expected path, tab, text; got 3 cells"),
        BadRow(6, "text is empty"),
        BadRow(7, "path is empty"),
        BadRow(8, "path is given already on line 1"),
        BadRow(10, "the text is a list of boxes: this is a label of detection; expected one plate's text"),
        BadRow(11, "path: expected a name, or a JSON list of names"),
    )
    empty = read_labels(tmp_path / "rec_gt_train.txt", allow_empty=True)
    assert ("5.png", "", 6) in rows_of(empty)


def test_paddle_paths_are_found_from_a_parent(tmp_path: Path) -> None:
    path = written(tmp_path / "data" / "rec" / "rec_gt.txt", "rec/train/1.png\tAB\nrec/train/2.png\tCD\n")
    assert read_labels(path).rows[0].path == tmp_path / "data/rec/rec/train/1.png"
    touched(tmp_path, "data/rec/train/2.png")
    assert [row.path for row in read_labels(path).rows] == [
        tmp_path / "data/rec/train/1.png",
        tmp_path / "data/rec/train/2.png",
    ]


def test_a_csv_file_with_a_tab_in_it_stays_one(tmp_path: Path) -> None:
    labels = read_labels(written(tmp_path / "a.csv", "path,text,note\n1.png,AB,a\tb\n"))
    assert rows_of(labels) == [("1.png", "AB", 2)]
    with pytest.raises(LabelError, match=r"separated by commas; got 'path\\ttext'"):
        read_labels(written(tmp_path / "b.csv", "path\ttext\n1.png\tAB\n"))


def test_what_fits_no_format_says_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=r"one column 'path' .* lines of path, tab, text"):
        read_labels(written(tmp_path / "a.txt", "1.png AB12\n"))
    touched(tmp_path, "1.png")
    with pytest.raises(LabelError, match=r"no tracks .*annotations\.json.* and no images named as in CCPD"):
        read_labels(tmp_path)


# CCPD


def test_the_documented_name_of_ccpd() -> None:
    # 22, 27, 33 and 16 of A-Z without I and O, then 0-9: Y, 3, 9 and S.
    assert ccpd_label(CCPD_NAME) == ("皖AY339S", (154, 383, 386, 473))
    # Eight characters and a tilt below zero.
    green = "01-90_-2-1&2_30&40-30&40_1&40_1&2_30&2-12_1_3_24_28_33_0_34-73-4"
    assert ccpd_label(green) == ("京BD049A", (1, 2, 30, 40))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("12", "seven fields"),
        (CCPD_NAME.replace("-15", ""), "seven fields"),
        (CCPD_NAME.replace("0_0_22", "0_0_x"), "seven fields"),
        (CCPD_NAME.replace("0_0_22", "33_0_22"), "stands for no character"),
        (CCPD_NAME.replace("0_0_22", "0_24_22"), "stands for no character"),
        (CCPD_NAME.replace("0_0_22", "0_0_34"), "stands for no character"),
        (CCPD_NAME.replace("0_0_22", "0_0_99"), "stands for no character"),
        (CCPD_NAME.replace("-154&383_386&473-", "-154&383_154&473-"), "is empty"),
    ],
)
def test_other_names(name: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        ccpd_label(name)


def test_a_folder_of_ccpd(tmp_path: Path) -> None:
    touched(tmp_path, f"ccpd_base/{CCPD_NAME}.jpg", "ccpd_np/7.jpg")
    assert is_ccpd_name(CCPD_NAME)
    labels = read_labels(tmp_path)
    (row,) = labels.rows
    assert (row.text, row.line, row.type, row.region) == ("皖AY339S", 1, "ccpd_base", "CN")
    assert row.box == (154, 383, 386, 473)
    (bad,) = labels.bad_rows
    assert bad.line == 2
    assert bad.reason.startswith("7.jpg: expected a name of seven fields")
    assert read_labels(tmp_path / "ccpd_base").rows[0].type == ""
    assert len(read_labels(tmp_path, need_text=False).rows) == 2


def test_the_plate_is_cut_out_of_the_photograph(tmp_path: Path) -> None:
    pixels = np.arange(12 * 20, dtype=np.uint8).reshape(12, 20)
    Image.fromarray(pixels).save(tmp_path / "0.png")
    Image.fromarray(pixels[:3, :5]).save(tmp_path / "1.png")
    seen: list[npt.NDArray[np.uint8]] = []

    class Keeper:
        def read_many(self, crops: Sequence[npt.NDArray[np.uint8]], nbest: int = 0) -> list[PlateRead]:
            seen.extend(crops)
            return [PlateRead(text="A") for _ in crops]

    box = (4, 2, 9, 12)
    paths = [tmp_path / "0.png", tmp_path / "0.png", tmp_path / "1.png"]
    assert len(list(read_files(Keeper(), paths, boxes=[box, None, box]))) == 3
    assert np.array_equal(seen[0], pixels[2:12, 4:9])
    assert seen[1].shape == (12, 20)
    assert seen[2].shape == (3, 5)  # cut out already


# Tracks


def test_tracks_beside_annotations(tmp_path: Path) -> None:
    first, second = tmp_path / "A" / "Brazilian" / "track_1", tmp_path / "B" / "track_2"
    for folder, text, layout in ((first, "AB12", "Brazilian"), (second, " CD34 ", "Mercosur")):
        touched(folder, "lr-002.png", "lr-010.png", "hr-001.png")
        values = {"plate_text": text, "plate_layout": layout, "corners": {"lr-001.png": [[0, 0]]}}
        written(folder / "annotations.json", json.dumps(values))
    labels = read_labels(tmp_path)
    assert [(r.path.name, r.text, r.line, r.track, r.split, r.type) for r in labels.rows] == [
        ("hr-001.png", "AB12", 1, "A/Brazilian/track_1", "hr", "Brazilian"),
        ("lr-002.png", "AB12", 2, "A/Brazilian/track_1", "lr", "Brazilian"),
        ("lr-010.png", "AB12", 3, "A/Brazilian/track_1", "lr", "Brazilian"),
        ("hr-001.png", "CD34", 4, "B/track_2", "hr", "Mercosur"),
        ("lr-002.png", "CD34", 5, "B/track_2", "lr", "Mercosur"),
        ("lr-010.png", "CD34", 6, "B/track_2", "lr", "Mercosur"),
    ]
    assert labels.bad_rows == ()
    assert {row.track for row in read_labels(second).rows} == {"track_2"}


def test_tracks_with_text_files(tmp_path: Path) -> None:
    touched(tmp_path, "1/lr-1.png", "1/lr-2.png", "2/lr-1.png", "3/x.png", "3/lr_1.png")
    written(tmp_path / "1" / "plate.txt", "type: car\nplate: AB12\nlayout: Mercosur\n")
    written(tmp_path / "2" / "plate.txt", "CD34\n")
    written(tmp_path / "3" / "x.txt", "plate_text: EF56\n")
    written(tmp_path / "3" / "lr_1.txt", "GH78\n")
    labels = read_labels(tmp_path)
    assert [(row.track, row.text, row.type, row.split) for row in labels.rows] == [
        ("1", "AB12", "Mercosur", "lr"),
        ("1", "AB12", "Mercosur", "lr"),
        ("2", "CD34", "", "lr"),
        ("3", "GH78", "", "lr"),
        ("3", "EF56", "", ""),
    ]


def test_a_track_without_a_text_is_one_bad_row(tmp_path: Path) -> None:
    touched(tmp_path, *(f"{name}/lr-{frame}.png" for name in "abcde" for frame in (1, 2)))
    written(tmp_path / "b" / "annotations.json", "{")
    written(tmp_path / "c" / "annotations.json", '{"images": []}')
    written(tmp_path / "d" / "annotations.json", '{"plate_text": ""}')
    written(tmp_path / "e" / "annotations.json", "[" * 100_000)
    for allow_empty, texts in ((False, []), (True, ["", ""])):
        labels = read_labels(tmp_path, allow_empty=allow_empty)
        # A text that is missing is none that is empty: the crops may well show a plate.
        assert [row.text for row in labels.rows] == texts
        reasons = {bad.line: bad.reason for bad in labels.bad_rows}
        assert sorted(reasons) == ([1, 3, 5, 9] if allow_empty else [1, 3, 5, 7, 9])
        assert "no text: expected annotations.json" in reasons[1]
        assert "annotations.json: cannot be read as JSON" in reasons[3]
        assert (
            reasons[5] == f'{tmp_path / "c"}: annotations.json: expected "plate_text" with the plate\'s text'
        )
    assert len(read_labels(tmp_path, need_text=False).rows) == 10


def test_a_folder_with_its_own_label_file(tmp_path: Path) -> None:
    touched(tmp_path, "lr-1.png")
    written(tmp_path / "labels.csv", "path,text\nlr-1.png,AB\n")
    assert read_labels(tmp_path).path == tmp_path / "labels.csv"
