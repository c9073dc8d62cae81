"""Image files of every odd kind, label files, and the expansion of input paths."""

from __future__ import annotations

import os
import struct
import threading
import warnings
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from lprfast.data import images
from lprfast.data.images import ImageError, load_image, shrink_to_width
from lprfast.data.labels import BadRow, LabelError, read_labels
from lprfast.data.paths import InputError, expand, natural_key
from lprfast.data.reading import CHUNK_CROPS, read_files
from lprfast.data.tracks import TrackCollector
from lprfast.results import PlateRead

GRAY = np.arange(0, 240, 10, dtype=np.uint8).reshape(4, 6)


def saved(path: Path, image: Image.Image, **options: object) -> Path:
    image.save(path, **options)
    return path


def flat(mode: str, color: object, size: tuple[int, int] = (6, 4)) -> Image.Image:
    return Image.new(mode, size, color)  # type: ignore[arg-type]


# Gray files


def test_gray_png_comes_back_as_it_was(tmp_path: Path) -> None:
    pixels = load_image(saved(tmp_path / "a.png", Image.fromarray(GRAY)))
    assert pixels.dtype == np.uint8
    assert pixels.flags.c_contiguous
    assert pixels.flags.writeable
    assert np.array_equal(pixels, GRAY)


def test_one_bit_is_black_and_white(tmp_path: Path) -> None:
    image = flat("1", 0)
    image.putpixel((2, 1), 1)
    pixels = load_image(saved(tmp_path / "a.png", image))
    assert pixels.shape == (4, 6)
    assert pixels[1, 2] == 255
    assert pixels.sum() == 255


@pytest.mark.parametrize(
    ("value", "expected"), [(0, 0), (128, 0), (129, 1), (257, 1), (32768, 128), (65535, 255), (65406, 254)]
)
@pytest.mark.parametrize("ending", ["png", "tif"])
def test_sixteen_bits_are_divided_by_257_and_rounded(
    tmp_path: Path, value: int, expected: int, ending: str
) -> None:
    path = saved(tmp_path / f"a.{ending}", Image.fromarray(np.full((4, 6), value, dtype=np.uint16)))
    assert load_image(path).tolist() == [[expected] * 6] * 4


def test_a_sixteen_bit_pgm(tmp_path: Path) -> None:
    path = tmp_path / "a.pgm"
    path.write_bytes(b"P5 2 1 65535\n" + bytes((0x80, 0x00, 0xFF, 0xFF)))
    assert load_image(path).tolist() == [[128, 255]]


def test_thirty_two_bit_values_are_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.tif", Image.fromarray(np.full((4, 6), 70_000, dtype=np.int32)))
    with pytest.raises(ImageError, match="70000; expected 8 or 16 bits"):
        load_image(path)


def test_floating_point_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.tif", Image.fromarray(np.full((4, 6), np.nan, dtype=np.float32)))
    with pytest.raises(ImageError, match="floating-point"):
        load_image(path)


def test_gray_with_alpha_is_laid_over_white(tmp_path: Path) -> None:
    image = flat("LA", (100, 255))
    image.putpixel((0, 0), (0, 0))
    image.putpixel((1, 0), (0, 51))  # 20 % of black over white: 204
    pixels = load_image(saved(tmp_path / "a.png", image))
    assert pixels[0, :3].tolist() == [255, 204, 100]
    assert pixels.ndim == 2


# Colour files


def test_colour_comes_as_blue_green_red(tmp_path: Path) -> None:
    pixels = load_image(saved(tmp_path / "a.png", flat("RGB", (10, 20, 30))))
    assert pixels.shape == (4, 6, 3)
    assert pixels.flags.c_contiguous
    assert pixels[0, 0].tolist() == [30, 20, 10]


def test_transparent_colour_is_laid_over_white(tmp_path: Path) -> None:
    image = flat("RGBA", (10, 20, 30, 255))
    image.putpixel((0, 0), (0, 0, 0, 0))
    pixels = load_image(saved(tmp_path / "a.png", image))
    assert pixels[0, :2].tolist() == [[255, 255, 255], [30, 20, 10]]


def test_palette_files(tmp_path: Path) -> None:
    image = flat("P", 1)
    image.putpalette([0, 0, 0, 10, 20, 30])
    assert load_image(saved(tmp_path / "a.png", image))[0, 0].tolist() == [30, 20, 10]
    # One transparent entry, and transparency per entry, which Pillow warns about.
    assert load_image(saved(tmp_path / "b.png", image, transparency=1))[0, 0].tolist() == [255, 255, 255]
    path = saved(tmp_path / "c.png", image, transparency=bytes((255, 0)))
    assert load_image(path)[0, 0].tolist() == [255, 255, 255]


def test_cmyk_jpeg(tmp_path: Path) -> None:
    pixels = load_image(saved(tmp_path / "a.jpg", flat("CMYK", (0, 255, 255, 0), (16, 16)), quality=100))
    blue, green, red = pixels[8, 8].astype(int)
    assert red > 240
    assert max(blue, green) < 15


def test_the_first_frame_of_an_animation(tmp_path: Path) -> None:
    first, second = flat("RGB", (255, 0, 0)), flat("RGB", (0, 0, 255))
    path = saved(tmp_path / "a.gif", first, save_all=True, append_images=[second])
    assert load_image(path)[0, 0].tolist() == [0, 0, 255]


def test_exif_orientation_is_applied(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = (
        6  # the top row of the scene is the right column of the file's pixels, turned back clockwise
    )
    image = Image.fromarray(GRAY)
    pixels = load_image(saved(tmp_path / "a.png", image, exif=exif))
    assert np.array_equal(pixels, np.rot90(GRAY, k=-1))


@pytest.mark.parametrize("ending", ["bmp", "webp", "tif", "gif", "ppm", "jpg", "jp2"])
def test_formats(tmp_path: Path, ending: str) -> None:
    options = {"lossless": True} if ending == "webp" else {}
    path = saved(tmp_path / f"a.{ending}", flat("RGB", (255, 0, 0), (16, 16)), **options)
    assert np.abs(load_image(path)[8, 8].astype(int) - [0, 0, 255]).max() <= 2


# Bad files


def refused(path: Path) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ImageError) as caught:
            load_image(path)
    assert str(caught.value) == f"{path}: {caught.value.reason}"
    assert caught.value.path == path
    return caught.value.reason


def test_bad_paths(tmp_path: Path) -> None:
    assert refused(tmp_path / "none.png") == "no such file"
    assert refused(tmp_path) == "a folder, not an image file"
    (tmp_path / "empty.png").touch()
    assert refused(tmp_path / "empty.png") == "the file is empty (0 bytes)"
    (tmp_path / "text.png").write_text("a text, renamed", encoding="utf-8")
    assert refused(tmp_path / "text.png").startswith("not an image")


def test_a_named_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    assert refused(tmp_path / "pipe.png") == "not a regular file"


@pytest.mark.parametrize("ending", ["png", "jpg", "gif", "bmp", "tif", "webp"])
def test_a_file_cut_anywhere_is_an_error_or_an_image(tmp_path: Path, ending: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (24, 48, 3), dtype=np.uint8)
    whole = saved(tmp_path / f"whole.{ending}", Image.fromarray(noise)).read_bytes()
    path = tmp_path / f"cut.{ending}"
    for size in range(1, len(whole) // 2, max(1, len(whole) // 40)):
        path.write_bytes(whole[:size])
        assert refused(path)


@pytest.mark.parametrize("ending", ["png", "jpg", "gif", "bmp", "tif", "webp"])
def test_damaged_bytes_never_raise_another_error(tmp_path: Path, ending: str) -> None:
    generator = np.random.default_rng(1)
    noise = generator.integers(0, 256, (12, 24, 3), dtype=np.uint8)
    whole = saved(tmp_path / f"whole.{ending}", Image.fromarray(noise)).read_bytes()
    path = tmp_path / f"damaged.{ending}"
    for _ in range(60):
        damaged = np.frombuffer(whole, dtype=np.uint8).copy()
        places = generator.integers(0, min(len(damaged), 200), 4)
        damaged[places] = generator.integers(0, 256, 4)
        path.write_bytes(damaged.tobytes())
        try:
            pixels = load_image(path)
        except ImageError:
            continue
        assert pixels.dtype == np.uint8
        assert pixels.ndim in (2, 3)


def test_a_truncated_file_names_the_reason(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    path = saved(tmp_path / "a.jpg", Image.fromarray(noise))
    path.write_bytes(path.read_bytes()[:-500])
    assert "truncated" in refused(path)


def test_a_decompression_bomb_is_refused_unread(tmp_path: Path) -> None:
    for side in (8_000, 12_000, 20_000):  # above our limit, Pillow's warning and Pillow's error
        path = tmp_path / f"{side}.png"
        header = b"IHDR" + struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
        chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 9) + b"IDAT")
        assert "the limit for a crop" in refused(path)


def test_the_pixel_limit_is_inclusive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path / "a.png", flat("L", 7))
    monkeypatch.setattr(images, "MAX_PIXELS", 24)
    assert load_image(path).shape == (4, 6)
    monkeypatch.setattr(images, "MAX_PIXELS", 23)
    assert "6 x 4 pixels" in refused(path)


def test_postscript_never_reaches_its_interpreter(tmp_path: Path) -> None:
    path = tmp_path / "a.eps"
    flat("RGB", (1, 2, 3)).save(path)
    assert refused(path).startswith("not an image")


def test_loading_from_many_threads(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", Image.fromarray(GRAY))
    filters = list(warnings.filters)
    results: list[bool] = []

    def work() -> None:
        results.extend(np.array_equal(load_image(path), GRAY) for _ in range(20))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 160
    assert warnings.filters == filters


# Shrinking


def test_shrinking_keeps_the_proportion_and_leaves_small_crops_alone() -> None:
    crop = np.zeros((50, 200, 3), dtype=np.uint8)
    assert shrink_to_width(crop, 80).shape == (20, 80, 3)
    assert shrink_to_width(crop[:2], 40).shape == (1, 40, 3)
    assert shrink_to_width(crop, 200) is crop
    with pytest.raises(ValueError, match="at least 1 pixel, got 0"):
        shrink_to_width(crop, 0)


def test_shrinking_averages_instead_of_dropping_pixels() -> None:
    stripes = np.tile(np.array([0, 255], dtype=np.uint8), (32, 64))
    small = shrink_to_width(stripes, 16)
    assert np.abs(small[:, 2:-2].astype(int) - 127).max() <= 3


# Label files


def written(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def test_a_full_label_file(tmp_path: Path) -> None:
    text = "path,text,width,height,region,track,split\na/1.png,AB 12,90,30,XX,car 1,dev\n"
    labels = read_labels(written(tmp_path / "labels.csv", text))
    (row,) = labels.rows
    assert row.path == tmp_path / "a" / "1.png"
    assert (row.text, row.line, row.width, row.height) == ("AB 12", 2, 90, 30)
    assert (row.region, row.track, row.split) == ("XX", "car 1", "dev")
    assert labels.bad_rows == ()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_header_of_fast_plate_ocr_marks_and_line_ends(tmp_path: Path, encoding: str, newline: str) -> None:
    text = newline.join(("plate_text,image_path,extra", "京A1,ä b.png,x", ""))
    (row,) = read_labels(written(tmp_path / "labels.csv", text, encoding)).rows
    assert (row.path, row.text) == (tmp_path / "ä b.png", "京A1")
    assert (row.width, row.track, row.split) == (None, "", "")


def test_bad_rows_are_collected_with_their_lines(tmp_path: Path) -> None:
    text = (
        "path,text,width\n"
        "1.png,A,10\n"
        ",B,10\n"
        "2.png,,10\n"
        "3.png,C\n"
        "\n"
        "4.png,D,wide\n"
        "5.png,E,10,6\n"
        "1.png,F,10\n"
        '"6.png",F,10,\n'
        "7.png,G,-5\n"
        "8.png,H,\n"
    )
    labels = read_labels(written(tmp_path / "labels.csv", text))
    assert [(row.path.name, row.line) for row in labels.rows] == [("1.png", 2), ("8.png", 12)]
    assert labels.bad_rows == (
        BadRow(3, "path is empty"),
        BadRow(4, "text is empty"),
        BadRow(5, "expected 3 columns, got 2"),
        BadRow(7, "width: expected a whole number of pixels, got 'wide'"),
        BadRow(8, "expected 3 columns, got 4"),
        BadRow(9, "path is given already on line 2"),
        BadRow(10, "expected 3 columns, got 4"),
        BadRow(11, "width: expected a whole number of pixels, got '-5'"),
    )


def read_rows(path: Path, text: str) -> tuple[list[tuple[str, str, int]], list[int]]:
    labels = read_labels(written(path, text))
    rows = [(row.path.name, row.text, row.line) for row in labels.rows]
    return rows, [bad.line for bad in labels.bad_rows]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_an_unclosed_quote_costs_its_own_row_only(tmp_path: Path, newline: str) -> None:
    def made(*lines: str) -> str:
        return newline.join(("path,text", *lines, ""))

    path = tmp_path / "labels.csv"
    rest = [("4.png", "B", 3), ("5.png", "C", 4)]
    assert read_rows(path, made('3.png,"X', "4.png,B", "5.png,C")) == (rest, [2])
    # Whether a later quote closes it by chance or makes nonsense of it.
    assert read_rows(path, made('3.png,"X', "4.png,B", "5.png,C", '6.png,"')) == (rest, [2, 5])
    assert read_rows(path, made('3.png,"X', "4.png,B", '5.png,"C"')) == (rest, [2])
    assert read_rows(path, made('"3.png,X', "4.png,B", "5.png,C")) == (rest, [2])
    assert read_rows(path, made('3.png,"X"Y', "4.png,B", "5.png,C")) == (rest, [2])
    with pytest.raises(LabelError, match="header cannot be read: a quote is opened"):
        read_labels(written(path, 'path,"text\n3.png,X\n'))


def test_line_breaks_in_cells(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    # "lines" on line 3 is no row either; in a column that is not used a line break does no harm.
    text = 'path,text,note\n1.png,"two\nlines",a\n2.png,B,"two\nlines"\n3.png,C,""\n'
    assert read_rows(path, text) == ([("2.png", "B", 4), ("3.png", "C", 6)], [2, 3])
    text = 'path,text\n"1.png","A""B"\n"a, b.png",C\n'
    assert read_rows(path, text) == ([("1.png", 'A"B', 2), ("a, b.png", "C", 3)], [])


def test_text_may_be_missing_where_it_is_not_needed(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "path\n1.png\n")
    assert read_labels(path, need_text=False).rows[0].text == ""
    with pytest.raises(LabelError, match="one column 'text' in the first line"):
        read_labels(path)


def test_an_empty_text_may_be_a_label_and_a_missing_one_not(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "path,text\n1.png,\n2.png\n3.png,A\n")
    labels = read_labels(path, allow_empty=True)
    assert [(row.text, row.line) for row in labels.rows] == [("", 2), ("A", 4)]
    assert labels.bad_rows == (BadRow(3, "expected 2 columns, got 1"),)
    with pytest.raises(LabelError, match="one column 'text' in the first line"):
        read_labels(written(tmp_path / "b.csv", "path\n1.png\n"), allow_empty=True)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the file is empty"),
        (b"\n\n", "the file is empty"),
        (b"path;text\na;b\n", "separated by commas; got 'path;text'"),
        (b"path,path,text\n", "one column 'path'"),
        (b"path,text\na,\xe4\n", "line 2 holds the byte 0xe4; save the file as UTF-8"),
        ("path,text\n".encode("utf-16"), "line 1 holds the byte 0xff"),
    ],
)
def test_label_files_that_cannot_be_used(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "labels.csv"
    path.write_bytes(data)
    with pytest.raises(LabelError, match=message) as caught:
        read_labels(path)
    assert str(path) in str(caught.value)


def test_odd_cells_are_bad_rows(tmp_path: Path) -> None:
    huge = "x" * 200_000  # above the csv module's limit for a field
    labels = read_labels(written(tmp_path / "labels.csv", f"path,text\n{huge},A\na\0b.png,B\n1.png,C\n"))
    assert [row.text for row in labels.rows] == ["C"]
    assert [bad.line for bad in labels.bad_rows] == [2, 3]


def test_a_missing_label_file(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=r"none\.csv: cannot be opened: No such file"):
        read_labels(tmp_path / "none.csv")
    with pytest.raises(LabelError, match=r"the folder holds no labels\.csv, no tracks"):
        read_labels(tmp_path)


# Paths


def touched(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def names(inputs: Sequence[str | Path], root: Path) -> list[str]:
    return [
        source.path.relative_to(root).as_posix() for source in expand([str(item) for item in inputs]).sources
    ]


def test_natural_order() -> None:
    ordered = sorted(["b", "a10", "A2", "a1", "", "2", "10", "a²"], key=natural_key)
    assert ordered == ["", "2", "10", "a1", "A2", "a10", "a²", "b"]


def test_a_folder_is_searched_in_natural_order(tmp_path: Path) -> None:
    touched(
        tmp_path, "10.png", "9.JPG", "notes.txt", ".hidden.png", "car 10/1.png", "car 2/1.png", ".git/1.png"
    )
    assert names([tmp_path], tmp_path) == ["9.JPG", "10.png", "car 2/1.png", "car 10/1.png"]
    tracks = [source.track for source in expand([str(tmp_path)]).sources]
    assert tracks == [str(tmp_path)] * 2 + [str(tmp_path / "car 2"), str(tmp_path / "car 10")]


def test_a_nested_folder_is_its_own_track(tmp_path: Path) -> None:
    touched(tmp_path, "car/1.png", "car/inner/1.png")
    tracks = [source.track for source in expand([str(tmp_path)]).sources]
    assert tracks == [str(tmp_path / "car"), str(tmp_path / "car" / "inner")]


def test_globs_and_names_that_look_like_globs(tmp_path: Path) -> None:
    touched(tmp_path, "a[1].png", "a1.png", "b*.png", "b 2.png", "ü.png")
    assert names([tmp_path / "a[1].png"], tmp_path) == ["a[1].png"]  # it exists, so it is no pattern
    assert names([tmp_path / "a[12].png"], tmp_path) == ["a1.png"]
    assert names([tmp_path / "b*.png"], tmp_path) == ["b*.png"]
    assert names([tmp_path / "b?*"], tmp_path) == ["b 2.png", "b*.png"]
    assert names([tmp_path / "ü.png"], tmp_path) == ["ü.png"]


def test_a_recursive_glob(tmp_path: Path) -> None:
    touched(tmp_path, "a/1.png", "a/b/2.png")
    assert names([tmp_path / "**" / "*.png"], tmp_path) == ["a/1.png", "a/b/2.png"]


def test_a_file_named_twice_is_read_once(tmp_path: Path) -> None:
    touched(tmp_path, "1.png", "2.png")
    assert names([tmp_path / "2.png", tmp_path], tmp_path) == ["2.png", "1.png"]


def test_a_label_file_as_input(tmp_path: Path) -> None:
    text = "path,track\nx/1.png,car\nx/2.png,\n,\n"
    path = written(tmp_path / "list.csv", text)
    expanded = expand([str(path)])
    assert [source.path for source in expanded.sources] == [
        tmp_path / "x" / "1.png",
        tmp_path / "x" / "2.png",
    ]
    assert [source.track for source in expanded.sources] == [f"{path}:car", str(tmp_path / "x")]
    assert expanded.problems == ()
    written(path, "path,text\n1.png,A\n,B\n")
    assert expand([str(path)]).problems == (f"{path}, line 3: path is empty",)


def test_inputs_that_lead_nowhere(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for name, message in (
        ("none.png", "none.png: no such file or folder"),
        ("none*", "no file matches this pattern"),
        ("empty", "empty: the folder holds no image files"),
    ):
        with pytest.raises(InputError, match=message.replace("*", r"\*")):
            expand([str(tmp_path / name)])
    with pytest.raises(InputError, match="an input path is empty"):
        expand([""])
    with pytest.raises(InputError, match="no usable row"):
        expand([str(written(tmp_path / "a.csv", "path\n"))])


def test_one_bad_input_among_many_is_a_problem(tmp_path: Path) -> None:
    touched(tmp_path, "a/1.png", "b/2.png", "b.csv")
    (tmp_path / "empty").mkdir()
    written(tmp_path / "c.csv", "path,text\n,A\n")
    inputs = [str(tmp_path / name) for name in ("a", "none", "?", "b.csv", "c.csv", "x*", "empty")]
    expanded = expand([*inputs, ""])
    assert [source.path.name for source in expanded.sources] == ["1.png", "2.png"]
    assert [problem.removeprefix(str(tmp_path))[1:20] for problem in expanded.problems] == [
        "none: no such file ",
        "b.csv: the file is ",
        "c.csv, line 2: path",
        "c.csv: the label fi",
        "x*: no file matches",
        "empty: the folder h",
        "n input path is emp",
    ]
    with pytest.raises(InputError) as caught:
        expand([inputs[1], inputs[6]])
    first, second = str(caught.value).splitlines()
    assert first == f"{inputs[1]}: no such file or folder"
    assert second.startswith(f"{inputs[6]}: the folder holds no image files")


# Files through a reader


class ShapeReader:
    """Answers each crop with its shape, and notes how many came at once."""

    def __init__(self) -> None:
        self.calls: list[int] = []

    def read_many(self, crops: Sequence[npt.NDArray[np.uint8]], nbest: int = 0) -> list[PlateRead]:
        self.calls.append(len(crops))
        return [
            PlateRead(text=f"{crop.shape[1]}", width=crop.shape[1], height=crop.shape[0]) for crop in crops
        ]


def test_bad_files_keep_their_place_among_the_good(tmp_path: Path) -> None:
    touched(tmp_path, "empty.png")
    paths = [saved(tmp_path / f"{width}.png", flat("L", 0, (width, 4))) for width in (5, 6, 200)]
    paths.insert(1, tmp_path / "empty.png")
    results = list(read_files(ShapeReader(), paths, width=100))
    assert [result.path for result in results] == paths
    assert [(result.read.text, result.loaded) for result in results] == [
        ("5", True),
        ("", False),
        ("6", True),
        ("100", True),
    ]
    assert (results[1].read.status, results[1].read.error) == ("error", "the file is empty (0 bytes)")


def test_files_are_read_in_chunks(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", flat("L", 0))
    reader = ShapeReader()
    opened = 0

    def paths() -> list[Path]:
        return [path] * (2 * CHUNK_CROPS + 1)

    for _ in read_files(reader, paths()):
        opened += 1
    assert opened == 2 * CHUNK_CROPS + 1
    assert reader.calls == [CHUNK_CROPS, CHUNK_CROPS, 1]


def test_large_images_end_a_chunk_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lprfast.data.reading.CHUNK_BYTES", 48)
    path = saved(tmp_path / "a.png", flat("L", 0))  # 24 bytes
    reader = ShapeReader()
    assert len(list(read_files(reader, [path] * 5))) == 5
    assert reader.calls == [2, 2, 1]


def test_no_files_make_no_call() -> None:
    reader = ShapeReader()
    assert list(read_files(reader, [])) == []
    assert reader.calls == []


def test_tracks_are_handed_out_when_complete() -> None:
    first, second, third = (PlateRead(text=text) for text in "ABC")
    collector = TrackCollector(["x", "y", "x"])
    assert collector.add("x", first) is None
    assert collector.add("y", second) == [second]
    assert collector.add("x", third) == [first, third]
    with pytest.raises(ValueError, match="no more reads were announced for 'x'"):
        collector.add("x", first)
