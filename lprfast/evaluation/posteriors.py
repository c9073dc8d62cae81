"""Reads kept in a file, so that rules of voting are compared on the same ones."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lprfast.evaluation._read_columns import Columns, ColumnsError, read_columns, reads_from_columns
from lprfast.evaluation.rates import Settings
from lprfast.formats.prior import layout_prior
from lprfast.results import PlateRead
from lprfast.vote_settings import VoteSettings

KIND = "lprfast posteriors"
POSTERIORS_SCHEMA_VERSION = 1


class PosteriorsError(ValueError):
    """A file of reads that is none, is damaged or of another version; the message names it and says what."""


@dataclass(frozen=True, slots=True, eq=False)
class CachedCrop:
    """One crop: what was read, and what should have been.

    Attributes:
        read: as the reader gave it, log-posteriors and signature included.
        label: the plate as the label file has it; empty for a crop without a plate.
        source: the label file.
        path: the image file.
        track: names the vehicle among the crops of this source; may be empty.
        time: in seconds, or None.
        box: left, top, right, bottom of the plate in the image, in pixels; None where the image is the crop.
            It is not kept in files.
    """

    read: PlateRead
    label: str = ""
    source: str = ""
    path: str = ""
    track: str = ""
    time: float | None = None
    box: tuple[int, int, int, int] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class CachedTrack:
    """The crops of one vehicle.

    Attributes:
        source, name: of its crops: ``CachedCrop.source`` and ``track``.
        label: of all its crops that have one, prepared for comparison; None where these differ or none has.
        crops: in the order of the file.
    """

    source: str
    name: str
    label: str | None
    crops: tuple[CachedCrop, ...]

    @property
    def reads(self) -> tuple[PlateRead, ...]:
        """What ``lprfast.vote`` takes."""
        return tuple(crop.read for crop in self.crops)


@dataclass(frozen=True, slots=True, eq=False)
class CachedReads:
    """All reads of one run of one model.

    Attributes:
        crops: in the order of the run.
        settings: how texts are compared: ``settings.prepare(text)``.
        facts: what the run depended on: ``model``, ``model_sha256``, ``lprfast``, ``width`` and so on, plain
            values.
    """

    crops: tuple[CachedCrop, ...]
    settings: Settings = field(default_factory=lambda: Settings({}))
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def charset(self) -> tuple[str, ...] | None:
        """The symbols of the classes, the blank as ""; None where no read has log-posteriors."""
        found = (crop.read.charset for crop in self.crops if crop.read.log_posteriors is not None)
        return next(found, None)

    @property
    def vote_settings(self) -> VoteSettings | None:
        """How the reads vote; None: as the built-in settings say."""
        found = (crop.read.vote_settings for crop in self.crops if crop.read.log_posteriors is not None)
        return next(found, None)

    @property
    def tracks(self) -> tuple[CachedTrack, ...]:
        """The crops by vehicle, in the order of first crops; crops without a track are in none."""
        groups: dict[tuple[str, str], list[CachedCrop]] = {}
        for crop in self.crops:
            if crop.track:
                groups.setdefault((crop.source, crop.track), []).append(crop)
        return tuple(
            CachedTrack(source, name, self._common_label(crops), tuple(crops))
            for (source, name), crops in groups.items()
        )

    def _common_label(self, crops: Sequence[CachedCrop]) -> str | None:
        labels = {self.settings.prepare(crop.label) for crop in crops if crop.label}
        return labels.pop() if len(labels) == 1 else None


def save_posteriors(path: str | os.PathLike[str], cached: CachedReads) -> None:
    """Writes the reads as one compressed ``.npz`` file, whole or not at all.

    Plain arrays, one entry per crop where not said otherwise: ``label``, ``source``, ``path``, ``track``,
    ``time`` (NaN: unknown), ``width``, ``height``, ``quality`` [N, 3], ``signature`` uint8 [N, 64], ``text``,
    ``confidence``, ``steps``; and ``log_posteriors`` float16 [sum of steps, K], all crops' one after another.
    ``facts`` is a JSON document.

    Raises:
        ValueError: two reads with log-posteriors come from different charsets, or have other vote_settings.
        OSError: the file cannot be written.
    """
    columns = read_columns([crop.read for crop in cached.crops])
    for name in ("label", "source", "path", "track"):
        columns[name] = np.array([getattr(crop, name) for crop in cached.crops], dtype=np.str_)
    times = [np.nan if crop.time is None else crop.time for crop in cached.crops]
    columns["time"] = np.array(times, np.float64)
    charset, settings = cached.charset, cached.vote_settings
    document = {
        "kind": KIND,
        "schema_version": POSTERIORS_SCHEMA_VERSION,
        "charset": None if charset is None else list(charset),
        "vote": {} if settings is None else settings.to_dict(),
        "layouts": _layouts_document(settings),
        "fold": dict(cached.settings.fold),
        "as_written": cached.settings.as_written,
        "facts": cached.facts,
    }
    columns["facts"] = np.array(json.dumps(document))
    _write(Path(path), columns)


def load_posteriors(path: str | os.PathLike[str]) -> CachedReads:
    """Reads a file of :func:`save_posteriors`. Nothing in it is executed.

    Raises:
        PosteriorsError: no such file, none of this kind or version, or damaged.
    """
    columns = _arrays(Path(path))
    document = _document(Path(path), columns)
    try:
        charset = document["charset"]
        if charset is not None and not all(isinstance(symbol, str) for symbol in charset):
            raise ColumnsError("charset: expected strings")
        # Files of earlier versions lack the settings: their models had none.
        voting = _settings_of(document)
        reads = reads_from_columns(columns, None if charset is None else tuple(charset), voting)
        names = [_strings(columns, name, len(reads)) for name in ("label", "source", "path", "track")]
        times = [None if np.isnan(time) else float(time) for time in _times(columns, len(reads))]
        crops = tuple(CachedCrop(*values) for values in zip(reads, *names, times, strict=True))
        settings = Settings({str(key): str(value) for key, value in document["fold"].items()},
                            bool(document["as_written"]))  # fmt: skip
        return CachedReads(crops, settings, dict(document["facts"]))
    except (ColumnsError, KeyError, TypeError, AttributeError, ValueError) as error:
        reason = f"lacks {error}" if isinstance(error, KeyError) else str(error)
        raise PosteriorsError(f"{path}: the file is damaged: {reason}") from None


def _layouts_document(settings: VoteSettings | None) -> dict[str, Any]:
    """The layouts as they are asked for by name; empty for none, and for what names do not make again."""
    layouts = None if settings is None else settings.layouts
    if layouts is None or not layouts.by_name:
        return {}
    return {"names": list(layouts.names), "escape": layouts.escape}


def _settings_of(document: dict[str, Any]) -> VoteSettings | None:
    voting = VoteSettings.from_dict(document.get("vote", {}))
    named = document.get("layouts", {})
    if not named:
        return voting
    layouts = layout_prior(tuple(named["names"]), named["escape"])
    return replace(voting or VoteSettings(), layouts=layouts)


def _write(path: Path, columns: dict[str, Any]) -> None:
    if path.exists() and not path.is_file():
        # A pipe or a device stays one.
        with path.open("wb") as file:
            np.savez_compressed(file, **columns)
        return
    partial = path.resolve().with_name(f"{path.name}.partial")
    try:
        # An open file: given a name, NumPy would append .npz to it.
        with partial.open("wb") as file:
            np.savez_compressed(file, **columns)
        partial.replace(path.resolve())
    finally:
        partial.unlink(missing_ok=True)


def _arrays(path: Path) -> Columns:
    advice = "expected a file of 'lprfast eval --save-posteriors'"
    try:
        with path.open("rb") as file:
            archive = np.load(file, allow_pickle=False)
            if isinstance(archive, np.ndarray):
                raise PosteriorsError(f"{path}: a single array; {advice}")
            with archive:
                return {name: archive[name] for name in archive.files}
    except PosteriorsError:
        raise
    except OSError as error:
        raise PosteriorsError(f"{path}: cannot be opened: {error.strerror or error}") from None
    # A damaged archive makes zipfile, zlib and NumPy raise nearly anything.
    except Exception as error:
        raise PosteriorsError(f"{path}: {advice}, and a whole one ({error})") from None


def _document(path: Path, columns: Columns) -> dict[str, Any]:
    try:
        document = json.loads(str(columns["facts"]))
        kind, version = document["kind"], document["schema_version"]
    except (KeyError, TypeError, ValueError, RecursionError):
        kind, version, document = None, None, {}
    if kind != KIND:
        raise PosteriorsError(f"{path}: no reads in it; expected a file of 'lprfast eval --save-posteriors'")
    if version != POSTERIORS_SCHEMA_VERSION:
        raise PosteriorsError(
            f"{path}: version {version!r}, and this lprfast reads {POSTERIORS_SCHEMA_VERSION}; write it again"
        )
    return dict(document)


def _strings(columns: Columns, name: str, n: int) -> list[str]:
    values = columns[name]
    if values.dtype.kind != "U" or values.shape != (n,):
        raise ColumnsError(f"{name}: expected {n} texts, got {values.dtype} {list(values.shape)}")
    return [str(value) for value in values]


def _times(columns: Columns, n: int) -> npt.NDArray[np.float64]:
    values = columns["time"]
    if values.dtype != np.float64 or values.shape != (n,):
        raise ColumnsError(f"time: expected {n} numbers, got {values.dtype} {list(values.shape)}")
    return values
