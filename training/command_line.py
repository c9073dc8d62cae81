"""What the command lines of the trainers and exporters have in common."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from training.ocr.checkpoint import CHECKPOINT
from training.onnx_file import ParityError
from training.settings import Settings

S = TypeVar("S", bound=Settings)
MINUTES = 60.0


def settle(
    kind: type[S],
    given: Mapping[str, Any],
    out: Path | None,
    resume: bool,
    name: str,
    load: Callable[[Path], dict[str, Any]],
) -> tuple[S, Path]:
    """The settings and the folder of a run.

    Args:
        given: the flags that were given.
        name: the folder is ``runs/<name>-<time>`` where there is no ``out``.
        load: reads the checkpoint to go on with.

    Raises:
        ValueError: a flag is out of range or changes what a resumed run trains, or the folder cannot be used.
    """
    flags = {key: tuple(value) if isinstance(value, list) else value for key, value in given.items()}
    if resume:
        if out is None:
            raise ValueError("--resume: also give --out, the folder of the run to go on with")
        return kind.from_dict(load(out / CHECKPOINT)["config"]).resumed(flags), out
    out = out or dated_folder(name)
    if out.exists() and not out.is_dir():
        raise ValueError(f"--out {out}: expected a folder, got a file")
    if (out / CHECKPOINT).exists():
        raise ValueError(f"--out {out}: holds a run already; add --resume or choose another folder")
    if "minutes" not in flags and "steps" not in flags:
        flags["minutes"] = MINUTES
    return kind.from_dict(flags), out


def dated_folder(name: str) -> Path:
    """Where a run goes that names no ``--out``."""
    return Path("runs") / time.strftime(f"{name}-%Y%m%d-%H%M%S")


def make_new(out: Path) -> None:
    """Makes the folder of a study, which begins in an empty one.

    Raises:
        ValueError: it is a file, or holds files.
    """
    if out.exists() and not out.is_dir():
        raise ValueError(f"--out {out}: expected a folder, got a file")
    if out.exists() and any(out.iterdir()):
        raise ValueError(f"--out {out}: holds files already; choose another folder")
    out.mkdir(parents=True, exist_ok=True)


def finish(program: str, checkpoint: Path, wanted: bool, export: Callable[[Path, Path], object]) -> int:
    """Says where the checkpoint is and, if ``wanted``, exports it to ``model.onnx`` beside it; the exit code:
    1 where that fails."""
    print(f"checkpoint: {checkpoint}")
    if not wanted:
        return 0
    model = checkpoint.with_name("model.onnx")
    try:
        export(checkpoint, model)
    except (ParityError, ValueError) as error:
        print(f"{program}: {error}; no model was written", file=sys.stderr)
        return 1
    print(f"model: {model}")
    return 0


def run_export(export: Callable[[], str]) -> int:
    """Prints what ``export`` says; the exit code: 1 if parity failed, 2 if an argument cannot be used."""
    try:
        print(export())
    except ValueError as error:
        print(f"export: {error}", file=sys.stderr)
        return 2
    except ParityError as error:
        print(f"export: {error}; nothing was written", file=sys.stderr)
        return 1
    return 0
