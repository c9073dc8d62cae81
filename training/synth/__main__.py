"""``python -m training.synth sheet | speed | sample | tracks | negatives``."""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from training.ocr.widths import read_widths
from training.synth import PlateGenerator
from training.synth.negative_set import write_set
from training.synth.sheet import draw_sheet, drawn_samples, labelled_samples, write_image
from training.synth.tracks import MIXES, TrackMix, draw_track


def main(arguments: list[str] | None = None) -> None:
    """Reads the command line and runs one command; ends the process with 2 when it cannot be run."""
    parser = _make_parser()
    options = parser.parse_args(arguments)
    try:
        _run(options)
    except ValueError as error:
        parser.error(str(error))
    except OSError as error:
        parser.error(f"{error.filename}: cannot be written: {error.strerror}")


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training.synth", description=__doc__)
    _add_drawing_flags(parser, after=False)
    commands = parser.add_subparsers(dest="command", required=True)
    sheet = commands.add_parser("sheet", help="a contact sheet with targets")
    sheet.add_argument("--out", type=Path, required=True)
    sheet.add_argument("--rows", type=_count, default=12)
    sheet.add_argument("--labels", type=Path, metavar="FILE", help="of a label file's crops, not drawn ones")
    speed = commands.add_parser("speed", help="samples per second on one core")
    speed.add_argument("--n", type=_count, default=8000)
    sample = commands.add_parser("sample", help="labelled crops in a folder")
    sample.add_argument("folder", type=Path)
    sample.add_argument("--n", type=_count, default=1000)
    both = "whole plates of two lines, labelled with both (every such layout; fonts keep to their side)"
    sample.add_argument("--two-line", action="store_true", help=both)
    tracks = commands.add_parser("tracks", help="vehicles that come near, a folder each (held out)")
    tracks.add_argument("folder", type=Path)
    tracks.add_argument("--n", type=_count, default=4)
    tracks.add_argument("--frames", type=_count, help="of each vehicle (8, or those of the mix)")
    tracks.add_argument("--mix", choices=sorted(MIXES), help="how the frames differ: see docs/voting.md")
    nothing = commands.add_parser("negatives", help="crops with nothing to read, every kind as often")
    nothing.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    nothing.add_argument("--count", type=_count, default=2000)
    for command in commands.choices.values():
        _add_drawing_flags(command, after=True)
    return parser


def _add_drawing_flags(parser: argparse.ArgumentParser, after: bool) -> None:
    """Before the command or ``after`` it; left out there it keeps what was given before."""
    add, unset = parser.add_argument, argparse.SUPPRESS if after else None
    add("--seed", type=int, default=unset or 1, help="same seed, same crops (1)")
    held_out = "draw only what training never draws (tracks: always)"
    add("--held-out", action="store_true", default=unset or False, help=held_out)
    add("--difficulty", type=float, default=unset, metavar="0-1", help="of sheet, speed and sample (1)")
    add(
        "--multi-scale",
        type=float,
        nargs=2,
        default=unset,
        metavar=("LOW", "HIGH"),
        help="of sheet, speed and sample (0.4 1)",
    )
    widths = "of sheet, speed and sample: full widths in px, 40-80:1,80-160:2, or a label file (100-200)"
    add("--widths", default=unset, metavar="SPEC", help=widths)


def _run(options: argparse.Namespace) -> None:
    if options.command in ("tracks", "negatives"):
        _refuse(options, options.command, ("difficulty", "multi_scale", "widths"), "sheet, speed or sample")
    if options.command == "tracks":
        mix = MIXES[options.mix] if options.mix else TrackMix()
        mix = replace(mix, frames=options.frames or mix.frames)
        write_tracks(options.folder, options.n, mix, options.seed)
        return
    if options.command == "negatives":
        write_set(options.out, options.seed, options.count, options.held_out)
        return
    if options.command == "sheet" and options.labels:
        _refuse(options, "sheet --labels", ("difficulty", "multi_scale", "widths"), "drawn crops")
        draw_sheet(labelled_samples(options.labels, options.rows, options.seed), options.out)
        return
    generator = PlateGenerator(
        options.seed,
        multi_scale=tuple(options.multi_scale or (0.4, 1.0)),
        widths=read_widths(options.widths) if options.widths is not None else None,
        difficulty=1.0 if options.difficulty is None else options.difficulty,
        held_out=options.held_out,
    )
    if options.command == "sheet":
        draw_sheet(drawn_samples(generator, options.rows), options.out)
    elif options.command == "speed":
        measure_speed(generator, options.n)
    else:
        write_samples(generator, options.folder, options.n, options.seed, options.two_line)


def _refuse(options: argparse.Namespace, command: str, flags: Sequence[str], instead: str) -> None:
    for flag in flags:
        if getattr(options, flag) is not None:
            raise ValueError(f"--{flag.replace('_', '-')}: {command} takes none; expected with {instead}")


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"expected a whole number, 1 or more, got {text!r}")
    return int(text)


def measure_speed(generator: PlateGenerator, count: int) -> None:
    """Prints samples per second of processor time, after as many that draw the atlases."""
    for _ in range(count):
        generator.sample()
    start = time.process_time()
    for _ in range(count):
        generator.sample()
    each = (time.process_time() - start) / count
    print(f"{1 / each:.0f} samples/s on one core ({1e6 * each:.0f} us each, {count} samples)")


def write_samples(
    generator: PlateGenerator, folder: Path, count: int, seed: int, two_line: bool = False
) -> None:
    """Writes PNG crops and ``labels.csv`` (path, text, width, height, region, track, split).

    ``split`` is "dev" for what training never draws, "train" for the rest. ``two_line``: only whole plates of
    two lines, labelled with both.
    """
    split = "dev" if generator.library.held_out else "train"
    (folder / "images").mkdir(parents=True, exist_ok=True)
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "text", "width", "height", "region", "track", "split"])
        for index in range(count):
            sample = generator.two_line_sample() if two_line else generator.sample()
            path = f"images/{index:05d}.png"
            write_image(folder / path, sample.crop)
            height, width = sample.crop.shape
            text = sample.whole if two_line else sample.text
            writer.writerow([path, text, width, height, sample.layout, "", split])
    print(f"{count} crops in {folder} (seed {seed})")


def write_tracks(folder: Path, count: int, mix: TrackMix, seed: int) -> None:
    """Writes a folder of PNG crops with a ``labels.csv`` (path, text, width, height, time in seconds) for
    each of ``count`` vehicles, and one ``labels.csv`` of all with their tracks."""
    rows = []
    for number in range(count):
        track = folder / f"vehicle{number + 1}"
        track.mkdir(parents=True, exist_ok=True)
        own = []
        for index, frame in enumerate(draw_track(seed + number, mix)):
            name, crop = f"{index:02d}.png", frame.sample.crop
            write_image(track / name, crop)
            own.append([name, frame.sample.text, *crop.shape[::-1], frame.time])
        _write_rows(track / "labels.csv", ["path", "text", "width", "height", "time"], own)
        rows += [[f"{track.name}/{name}", *rest, track.name] for name, *rest in own]
    _write_rows(folder / "labels.csv", ["path", "text", "width", "height", "time", "track"], rows)
    print(f"{count} vehicles in {folder} (seeds {seed} to {seed + count - 1})")


def _write_rows(path: Path, header: list[str], rows: list[list[Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])


if __name__ == "__main__":
    main()
