"""Cached reads: what comes back is what was saved, votes are the same, and damaged files are named errors."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from toy_model import CHARSET, crop_of_text, model_bytes

from lprfast import Alternative, PlateRead, PlateReader, vote
from lprfast.cli import main
from lprfast.evaluation import (
    CachedCrop,
    CachedReads,
    PosteriorsError,
    Settings,
    load_posteriors,
    save_posteriors,
)

ALPHABET = ("", *CHARSET)


def posteriors(steps: int, seed: int = 0) -> np.ndarray[Any, np.dtype[np.float16]]:
    values = np.random.default_rng(seed).random((steps, len(ALPHABET)))
    return np.log(values / values.sum(axis=1, keepdims=True)).astype(np.float16)


def made_read(**changes: Any) -> PlateRead:
    values: dict[str, Any] = {
        "text": "AB",
        "confidence": 0.75,
        "raw_confidence": 0.625,
        "char_confidences": (0.9, 0.8),
        "runners_up": ("4", "8"),
        "runner_up_confidences": (0.05, 0.1),
        "time_steps": (3, 7),
        "alternatives": (Alternative("A8", 0.125), Alternative("", 0.01)),
        "width": 51,
        "height": 13,
        "lines": 1,
        "charset": ALPHABET,
        "log_posteriors": posteriors(5),
        "signature": np.arange(64, dtype=np.uint8),
    }
    return PlateRead(**{**values, **changes})


def saved(path: Path, crops: list[CachedCrop], **more: Any) -> CachedReads:
    save_posteriors(path, CachedReads(tuple(crops), **more))
    return load_posteriors(path)


def assert_same_read(found: PlateRead, given: PlateRead) -> None:
    for field in dataclasses.fields(PlateRead):
        left, right = getattr(found, field.name), getattr(given, field.name)
        if isinstance(right, np.ndarray):
            assert left.dtype == right.dtype
            np.testing.assert_array_equal(left, right)
        else:
            assert left == right, field.name


def test_every_field_comes_back(tmp_path: Path) -> None:
    two_lines = made_read(text="12CD", log_posteriors=posteriors(11, 1), signature=None, lines=2,
                          alternatives=(), raw_confidence=None)  # fmt: skip
    nothing = PlateRead(status="no_plate", charset=ALPHABET, log_posteriors=posteriors(3, 2), width=9)
    broken = PlateRead(status="error", error="the file is empty (0 bytes)")
    reads = [made_read(), two_lines, broken, nothing]
    crops = [
        CachedCrop(reads[0], "AB", "a/labels.csv", "a/0.png", "v", 12.5),
        CachedCrop(reads[1], "\u4eac12CD", "a/labels.csv", "a/1.png"),
        CachedCrop(reads[2], "", "b/labels.csv", "b/2.png", "v", -0.25),
        CachedCrop(reads[3]),
    ]
    found = saved(
        tmp_path / "p.npz", crops, settings=Settings({"0": "O"}, as_written=True), facts={"model": "m"}
    )
    for crop, given in zip(found.crops, crops, strict=True):
        assert_same_read(crop.read, given.read)
        assert (crop.label, crop.source, crop.path, crop.track, crop.time) == (
            given.label, given.source, given.path, given.track, given.time
        )  # fmt: skip
    assert found.charset == ALPHABET
    assert found.facts == {"model": "m"}
    assert (found.settings.fold, found.settings.as_written) == ({"0": "O"}, True)
    assert [path.name for path in tmp_path.iterdir()] == ["p.npz"]


def test_tracks_are_told_apart_by_file_and_name(tmp_path: Path) -> None:
    def crop(label: str, source: str, track: str) -> CachedCrop:
        return CachedCrop(made_read(text=label or "AB"), label, source, "x.png", track)

    crops = [crop("A-O", "a", "1"), crop("CD", "b", "1"), crop("a0", "a", "1"), crop("", "a", "1"),
             crop("EF", "a", ""), crop("AB", "a", "2"), crop("AC", "a", "2"), crop("", "a", "3")]  # fmt: skip
    tracks = saved(tmp_path / "p.npz", crops, settings=Settings({"0": "O"})).tracks
    assert [(one.source, one.name, one.label, len(one.reads)) for one in tracks] == [
        ("a", "1", "AO", 3),
        ("b", "1", "CD", 1),
        ("a", "2", None, 2),
        ("a", "3", None, 1),
    ]
    assert [read.text for read in tracks[0].reads] == ["A-O", "a0", "AB"]


def test_no_crops_and_no_posteriors(tmp_path: Path) -> None:
    empty = saved(tmp_path / "a", [])  # NumPy would add .npz to a name
    assert (empty.crops, empty.tracks, empty.charset) == ((), (), None)
    one = saved(tmp_path / "b.npz", [CachedCrop(PlateRead(text="AB", confidence=0.5))])
    assert (one.crops[0].read.text, one.crops[0].read.log_posteriors, one.charset) == ("AB", None, None)


def test_reads_of_two_charsets_are_refused(tmp_path: Path) -> None:
    other = made_read(charset=("", *reversed(CHARSET)))
    with pytest.raises(ValueError, match=r"reads\[1\]: its charset"):
        save_posteriors(tmp_path / "p.npz", CachedReads((CachedCrop(made_read()), CachedCrop(other))))
    assert list(tmp_path.iterdir()) == []


def test_votes_of_loaded_reads_are_the_same(tmp_path: Path) -> None:
    reader = PlateReader(model_bytes(), threads=1)
    reads = reader.read_many([crop_of_text(text) for text in ("AB12", "AB1Z", "AB12")], nbest=3)
    found = saved(tmp_path / "p.npz", [CachedCrop(read, track="v") for read in reads])
    assert vote(found.tracks[0].reads).to_dict() == vote(reads).to_dict()


# Files that are none


def test_foreign_files_are_named_errors(tmp_path: Path) -> None:
    good = tmp_path / "good.npz"
    save_posteriors(good, CachedReads((CachedCrop(made_read()),)))
    content = good.read_bytes()
    (tmp_path / "empty").touch()
    (tmp_path / "text").write_text("no archive", encoding="utf-8")
    (tmp_path / "short").write_bytes(content[: len(content) // 2])
    np.save(tmp_path / "one.npy", np.zeros(3))
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    np.savez(tmp_path / "pickle.npz", facts=np.array([{"kind": "x"}], dtype=object))
    for name, words in (
        ("gone", "cannot be opened"),
        (".", "cannot be opened"),
        ("empty", "expected a file of"),
        ("text", "expected a file of"),
        ("short", "expected a file of"),
        ("one.npy", "a single array"),
        ("other.npz", "no reads in it"),
        ("pickle.npz", "expected a file of"),
    ):
        with pytest.raises(PosteriorsError) as raised:
            load_posteriors(tmp_path / name)
        assert words in str(raised.value), name
        assert str(raised.value).startswith(f"{tmp_path / name}: ")


def test_every_damaged_column_is_named(tmp_path: Path) -> None:
    path = tmp_path / "p.npz"
    save_posteriors(path, CachedReads((CachedCrop(made_read()), CachedCrop(made_read(text="CD")))))
    with np.load(path) as archive:
        columns = {name: archive[name] for name in archive.files}
    changes: list[tuple[str, Any]] = [(name, None) for name in columns]
    changes += [(name, values[:-1]) for name, values in columns.items() if values.ndim]
    changes += [(name, values.astype(np.complex64)) for name, values in columns.items()
                if values.dtype.kind in "iuf"]  # fmt: skip
    changes += [
        ("steps", np.array([12, -2], np.int32)),
        ("status", np.array(["ok", "fine"])),
        ("confidence", np.array([0.5, np.nan])),
        ("confidence", np.array([0.5, 1.5])),
        ("width", np.array([64, -5], np.int32)),
        ("lines", np.array([1, 9], np.int32)),
        ("log_posteriors", columns["log_posteriors"][:, :-1]),
    ]
    for name, values in changes:
        broken = {**columns, name: values}
        np.savez(path, **{key: value for key, value in broken.items() if value is not None})
        with pytest.raises(PosteriorsError):
            load_posteriors(path)


def test_another_version_is_said(tmp_path: Path) -> None:
    path = tmp_path / "p.npz"
    save_posteriors(path, CachedReads(()))
    with np.load(path) as archive:
        columns = {name: archive[name] for name in archive.files}
    document = json.loads(str(columns["facts"])) | {"schema_version": 2}
    np.savez(path, **{**columns, "facts": np.array(json.dumps(document))})
    with pytest.raises(PosteriorsError, match="version 2, and this lprfast reads 1"):
        load_posteriors(path)


# The command


def test_eval_saves_the_reads_of_a_run(tmp_path: Path) -> None:
    (tmp_path / "toy.onnx").write_bytes(model_bytes())
    rows = (("0.png", "AB12", "AB12", "v"), ("1.png", "AB12", "ab-12", "v"), ("2.png", "", "", "v"),
            ("3.png", "XY9O", "XY90", ""))  # fmt: skip
    lines = ["path,text,track"]
    for name, shown, label, track in rows:
        Image.fromarray(crop_of_text(shown)).save(tmp_path / name)
        lines.append(f"{name},{label},{track}")
    lines.append("gone.png,AB12,v")
    (tmp_path / "labels.csv").write_text("\n".join(lines), encoding="utf-8")
    out = tmp_path / "reads.npz"
    arguments = ["eval", tmp_path, "--model", tmp_path / "toy.onnx", "--fold", "O0", "--save-posteriors", out]
    result = CliRunner().invoke(main, [*map(str, arguments), "--threads", "1"])
    assert result.exit_code == 1, result.output  # a file is missing
    found = load_posteriors(out)
    assert [(crop.label, crop.read.text, crop.read.status) for crop in found.crops] == [
        ("AB12", "AB12", "ok"),
        ("ab-12", "AB12", "ok"),
        ("", "", "no_plate"),
        ("XY90", "XY9O", "ok"),
        ("AB12", "", "error"),
    ]
    assert (found.crops[0].read.width, found.facts["model"]) == (128, "toy")
    (track,) = found.tracks
    assert (track.name, track.label, vote(track.reads).text) == ("v", "AB12", "AB12")
    assert found.settings.prepare("XY9O") == found.settings.prepare("XY90")


def test_eval_asks_for_a_folder_before_it_reads(tmp_path: Path) -> None:
    for option in ("--save-posteriors", "--report"):
        result = CliRunner().invoke(main, ["eval", str(tmp_path), option, str(tmp_path / "no" / "x")])
        assert result.exit_code == 2
        assert "no such folder to write to" in result.stderr.replace("\n", " ")
