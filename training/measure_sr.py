"""Measures ways of enlarging plates on held-out pairs: ``python training/measure_sr.py --help``.

Synthetic plates that no training draws and, with ``--data``, labelled crops, both made small as in training.
Writes measures.json and measures.md into --out, and what is asked for as pictures.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Runs from a clone without an installation, as a script and as a module.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lprfast import OrtError, __version__
from lprfast.evaluation import Settings, parse_fold
from training.sr.config import Config
from training.sr.contenders import open_contenders, open_readers, reader_facts
from training.sr.data import HELD_OUT_SEED, ValidationSet, labelled_validation, synthetic_validation
from training.sr.distortions import STRENGTHS, distortion_map
from training.sr.drawing import save
from training.sr.labelled import read_pairs_file
from training.sr.measure_pictures import contrast_chart, grid, intensity_grid, map_pictures
from training.sr.measure_report import markdown, plain, plain_cell
from training.sr.measures import Contender, Measured, TextReader, measure
from training.sr.models import CHANNELS, SCALES
from training.sr.paddle import ABSENT, load_paddle
from training.sr.pairs import DEGRADATIONS

_SEEDS_APART = 1_000_000  # more plates than one set has


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--pipeline", action="append", required=True, metavar="NAME",
        help="none, original, bicubic2, bicubic4, bicubic8, or a model's file; repeatable")  # fmt: skip
    add("--reader", action="append", metavar="MODEL", help="bundled name or ONNX file; repeatable (default)")
    add("--scale", type=int, choices=SCALES, default=4, help="of the pairs (default %(default)s)")
    add("--channels", type=int, choices=CHANNELS, default=1, help="1: gray, 3: RGB (default %(default)s)")
    add(
        "--degradation",
        choices=DEGRADATIONS,
        default="camera",
        help="of the small crops (default %(default)s)",
    )
    add("--difficulty", type=float, default=1.0, help="0 (clean) to 1 (default %(default)s)")
    add("--widths", type=int, nargs=2, default=(96, 240), metavar=("LOW", "HIGH"),
        help="px of the large crops (default 96 240)")  # fmt: skip
    add("--n", type=int, default=200, help="synthetic plates (default %(default)s)")
    add("--seed", type=int, default=1,
        help="of plates and degradation (default %(default)s); 0: training's validation")  # fmt: skip
    add("--data", action="append", default=[], metavar="LABELS", help="labelled crops or CCPD; repeatable")
    add("--split", choices=("train", "dev"), default="dev", help="rows of --data (default %(default)s)")
    add("--fold", default="", help="symbols that count as the same, such as O0,I1")
    add("--paddle", action=argparse.BooleanOptionalAction, default=True,
        help="PaddleOCR's confidence too, where the extra 'ocr' is installed (default yes)")  # fmt: skip
    add(
        "--contrast",
        action="store_true",
        help="chart of eq. 20 of the pipelines against the first with a PSNR",
    )
    add("--maps", action="store_true", help=f"heat maps over strengths of {', '.join(STRENGTHS)}")
    add("--grid", type=int, default=0, metavar="ROWS", help="picture of so many crops by every pipeline")
    add("--intensity", type=int, default=0, metavar="PLATES",
        help="maps of noise, blur and block edges in the pictures of so many plates")  # fmt: skip
    add("--threads", type=int, default=1, help="of enlarging and reading (default %(default)s)")
    add(
        "--out",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="for measures.json, measures.md and pictures",
    )
    return parser


@dataclass(frozen=True)
class Job:
    """All that is compared, opened."""

    given: argparse.Namespace
    contenders: list[Contender]
    readers: list[TextReader]
    settings: Settings
    sets: list[ValidationSet]
    facts: dict[str, Any]


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; 0: measured, 2: an argument, a file or the runtime cannot be used."""
    given = make_parser().parse_args(arguments)
    try:
        given.out.mkdir(parents=True, exist_ok=True)
        job = _prepare(given)
        measured = [
            measure(contender, data.name, data.pairs, job.readers, job.settings)
            for data in job.sets
            for contender in job.contenders
        ]
        _write(job, measured)
        _draw(job, measured)
    except (ValueError, OSError, OrtError) as error:
        print(f"measure_sr: {error}", file=sys.stderr)
        return 2
    return 0


def _prepare(given: argparse.Namespace) -> Job:
    config = _config(given)
    settings = Settings(parse_fold(given.fold) if given.fold else {})
    contenders = open_contenders(given.pipeline, given.scale, given.threads)
    enlarging = [each.name for each in contenders if each.enlarge]
    if given.contrast and len(enlarging) < 2:
        got = ", ".join(enlarging) or "none"
        raise ValueError(f"--contrast: expected two or more pipelines that enlarge, got {got}")
    own = open_readers(given.reader or ["default"], given.threads)
    paddle = load_paddle(given.threads) if given.paddle else None
    if given.paddle and paddle is None:
        print(ABSENT, file=sys.stderr)
    readers: list[TextReader] = [*own, *([paddle] if paddle else [])]
    facts = {
        "lprfast": __version__,
        **{
            name: getattr(given, name)
            for name in ("scale", "channels", "degradation", "difficulty", "widths")
        },
        **{name: getattr(given, name) for name in ("n", "seed", "split", "fold", "threads")},
        "pipelines": {each.name: each.facts for each in contenders},
        "readers": [reader_facts(reader) for reader in own],
        "paddleocr": paddle.name if paddle else ABSENT if given.paddle else "not asked for",
    }
    return Job(given, contenders, readers, settings, _sets(given, config), facts)


def _config(given: argparse.Namespace) -> Config:
    names = ("scale", "channels", "degradation", "difficulty", "widths")
    settings = {name: getattr(given, name) for name in names}
    for flag in ("n", "threads"):
        if getattr(given, flag) < 1:
            raise ValueError(f"--{flag}: expected 1 or more, got {getattr(given, flag)}")
    for flag in ("seed", "grid", "intensity"):
        if getattr(given, flag) < 0:
            raise ValueError(f"--{flag}: expected 0 or more, got {getattr(given, flag)}")
    return Config.from_dict(
        {**settings, "widths": tuple(given.widths), "patch": 0, "val_size": given.n, "steps": 1}
    )


def _sets(given: argparse.Namespace, config: Config) -> list[ValidationSet]:
    seed = HELD_OUT_SEED + given.seed * _SEEDS_APART
    files = [read_pairs_file(spec, given.split, given.scale) for spec in given.data]
    for file in files:
        for bad in file.bad_rows:
            print(f"{file.path}: line {bad.line} is left out: {bad.reason}", file=sys.stderr)
    return [synthetic_validation(config, seed), *(labelled_validation(config, file, seed) for file in files)]


def _write(job: Job, measured: Sequence[Measured]) -> None:
    facts = {"settings": job.facts, "measures": [plain(each) for each in measured]}
    (job.given.out / "measures.json").write_text(
        json.dumps(facts, indent=1, ensure_ascii=False, allow_nan=False) + "\n", "utf-8"
    )
    text = markdown(measured)
    if job.facts["paddleocr"] == ABSENT:
        text += f"\n{ABSENT}.\n"
    (job.given.out / "measures.md").write_text(text, "utf-8")
    print(text)


def _draw(job: Job, measured: Sequence[Measured]) -> None:
    given = job.given
    if given.contrast:
        save(given.out / "contrast.png", contrast_chart(measured))
    if given.grid:
        for number, data in enumerate(job.sets):
            picture = grid(job.contenders, data.pairs, job.readers[0], job.settings, given.grid)
            save(given.out / f"grid-{number}-{data.name.replace('/', '-')}.png", picture)
    if given.intensity:
        picture = intensity_grid(job.contenders, job.sets[0].pairs, given.intensity)
        save(given.out / "intensity.png", picture)
    if given.maps:
        pairs = job.sets[0].pairs
        cells = distortion_map(job.contenders, pairs, job.readers[:1], job.settings, given.seed)
        text = json.dumps([plain_cell(cell) for cell in cells], indent=1)
        (given.out / "maps.json").write_text(text + "\n", "utf-8")
        for name, picture in map_pictures(cells, job.readers[0].name).items():
            save(given.out / f"map-{name}.png", picture)


if __name__ == "__main__":
    sys.exit(main())
