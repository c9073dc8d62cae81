"""``python -m training.synth sheet | speed | sample | tracks | negatives``."""

from __future__ import annotations

import argparse
import csv
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from training.synth import PlateGenerator, Sample
from training.synth.glyphs import chinese_fonts
from training.synth.negative_set import write_set
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
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--held-out", action="store_true", help="draw only what training never draws (tracks: always)"
    )
    parser.add_argument("--difficulty", type=float, metavar="0-1", help="of sheet, speed and sample (1)")
    parser.add_argument(
        "--multi-scale",
        type=float,
        nargs=2,
        metavar=("LOW", "HIGH"),
        help="of sheet, speed and sample (0.4 1)",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    sheet = commands.add_parser("sheet", help="a contact sheet with targets")
    sheet.add_argument("--out", type=Path, required=True)
    sheet.add_argument("--rows", type=_count, default=12)
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
    # Also after the command; left out here it keeps what was given before it.
    nothing.add_argument("--held-out", action="store_true", default=argparse.SUPPRESS)
    return parser


def _run(options: argparse.Namespace) -> None:
    if options.command in ("tracks", "negatives"):
        for flag in ("difficulty", "multi_scale"):
            if getattr(options, flag) is not None:
                raise ValueError(
                    f"--{flag.replace('_', '-')}: {options.command} takes none; "
                    "expected with sheet, speed or sample"
                )
    if options.command == "tracks":
        mix = MIXES[options.mix] if options.mix else TrackMix()
        mix = replace(mix, frames=options.frames or mix.frames)
        write_tracks(options.folder, options.n, mix, options.seed)
        return
    if options.command == "negatives":
        write_set(options.out, options.seed, options.count, options.held_out)
        return
    generator = PlateGenerator(
        options.seed,
        multi_scale=tuple(options.multi_scale or (0.4, 1.0)),
        difficulty=1.0 if options.difficulty is None else options.difficulty,
        held_out=options.held_out,
    )
    if options.command == "sheet":
        draw_sheet(generator, options.out, options.rows)
    elif options.command == "speed":
        measure_speed(generator, options.n)
    else:
        write_samples(generator, options.folder, options.n, options.seed, options.two_line)


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"expected a whole number, 1 or more, got {text!r}")
    return int(text)


def _write_image(path: Path, image: NDArray[np.uint8]) -> None:
    try:
        written = cv2.imwrite(str(path), image)
    except cv2.error:
        raise ValueError(f"{path}: cannot be written; expected a name that ends in .png or .jpg") from None
    if not written:
        raise ValueError(f"{path}: cannot be written; is its folder writable, and no folder of that name?")


def draw_sheet(generator: PlateGenerator, out: Path, rows: int, columns: int = 6) -> None:
    """Writes a picture of samples with their targets and layouts."""
    lines = [np.hstack([_tile(generator.sample()) for _ in range(columns)]) for _ in range(rows)]
    out.parent.mkdir(parents=True, exist_ok=True)
    _write_image(out, np.vstack(lines))


def _tile(sample: Sample) -> NDArray[np.uint8]:
    height, width = sample.crop.shape
    scale = min(200 / width, 84 / height)
    size = (max(1, int(width * scale)), max(1, int(height * scale)))
    tile = np.full((104, 206), 110, np.uint8)
    tile[: size[1], : size[0]] = cv2.resize(sample.crop, size, interpolation=cv2.INTER_LINEAR)
    image = Image.fromarray(tile)
    faces = chinese_fonts(False)
    face = ImageFont.truetype(faces[0].split(":", 2)[2], 13) if faces else ImageFont.load_default()
    caption = f"{sample.text or '(empty)'}  {sample.layout} {width}"
    ImageDraw.Draw(image).text((2, 85), caption, font=face, fill=255)
    return np.asarray(image, np.uint8)


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
            _write_image(folder / path, sample.crop)
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
            _write_image(track / name, crop)
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
