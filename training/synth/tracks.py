"""Several crops of one synthetic plate, as a camera takes them of one vehicle."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, replace

import cv2
import numpy as np

from training.synth import surface
from training.synth.camera import Gray, Optics, View, draw_optics, draw_view, photograph
from training.synth.generator import Library, Sample
from training.synth.plate import Plate

INTERVAL = 0.12  # seconds between two frames
COPY_INTERVAL = 0.04  # between a frame and its near copy
RECORDED_SHARE = 0.5  # of the held-out tracks; see ``_recorded``


@dataclass(frozen=True)
class TrackMix:
    """What the frames of a track have in common and in what they differ.

    Attributes:
        frames: how many crops, at least 1.
        widths: px of the first and of the last crop, 8 and more; those between grow evenly.
        jitter: standard deviation of a box's sides, as shares of the plate's width and height, and with it of
            tilt and stretch; 0: every box is cut out alike.
        spread: how much blur and noise change from frame to frame, as a factor's logarithm.
        cut: share of frames whose box cuts the first or the last character off, in part or whole.
        covered: share of frames in which something stands in front of the plate.
        copies: share of frames (but the first) that show the one before once more, with fresh noise and
            with its pixels elsewhere on the sensor: small ones may look further apart than one picture would.
        difficulty: 0 to 1, as in ``PlateGenerator``.
    """

    frames: int = 8
    widths: tuple[int, int] = (40, 110)
    jitter: float = 0.015
    spread: float = 0.3
    cut: float = 0.0
    covered: float = 0.0
    copies: float = 0.0
    difficulty: float = 0.8

    def __post_init__(self) -> None:
        if self.frames < 1 or min(self.widths) < 8:
            raise ValueError(
                f"expected frames >= 1 and widths >= 8, got frames={self.frames}, widths={self.widths}"
            )


# Those of docs/voting.md; its figures hold for these and no others.
MIXES = {
    "similar": TrackMix(5, (44, 52), copies=0.1),
    "wide": TrackMix(15, (28, 200), spread=0.5, cut=0.05, covered=0.08, copies=0.15),
    "length": TrackMix(5, (48, 90), cut=0.4),
    "equal": TrackMix(5, (44, 44), jitter=0.0),
}

# And one that is alike to the degree that real tracks are: training/track_likeness.py, docs/voting.md. What
# the vote is fitted on is drawn by all five, with other seeds.
FIT_MIXES = {
    **MIXES,
    "approach": TrackMix(
        12, (40, 140), jitter=0.03, spread=0.8, cut=0.12, covered=0.12, copies=0.15, difficulty=0.6
    ),
}


@dataclass(frozen=True)
class Frame:
    """A crop of a track and when it was taken, in seconds from the first."""

    sample: Sample
    time: float


def draw_track(
    seed: int | random.Random,
    mix: TrackMix | None = None,
    *,
    held_out: bool = True,
    system_fonts: bool = True,
) -> list[Frame]:
    """Crops of one plate: same plate, light and codec; per frame its own phase, scale, blur, noise and box.

    Args:
        seed: an int, or a generator to draw from.
        mix: how the frames differ; without one, a vehicle that comes near.
        held_out: draw what training never draws. Half of these tracks then went through a recorder, which
            treats pictures in another order than the camera that training draws.
        system_fonts: False keeps to the fonts drawn by code.
    """
    mix = mix or TrackMix()
    rng = seed if isinstance(seed, random.Random) else random.Random(seed)
    library = Library(held_out, system_fonts)
    one_line = [layout for layout in library.layouts if layout.rows == 1]
    layout = rng.choices(one_line, [entry.weight for entry in one_line])[0]
    plate = library.plate(rng, mix.difficulty, layout)
    view, optics = draw_view(rng, mix.difficulty, layout.aspect), draw_optics(rng, mix.difficulty)
    light_seed = rng.getrandbits(32)
    recorder = rng.getrandbits(32) if held_out and rng.random() < RECORDED_SHARE else None

    frames: list[Frame] = []
    time, width, seen, taken, canvas = 0.0, mix.widths[0], view, optics, plate.canvas
    for number in range(mix.frames):
        copied = number > 0 and rng.random() < mix.copies
        time += 0.0 if number == 0 else COPY_INTERVAL if copied else INTERVAL
        if not copied:
            share = number / max(1, mix.frames - 1)
            width = round(mix.widths[0] + (mix.widths[1] - mix.widths[0]) * share)
            seen, taken = _moved(rng, view, mix), _changed(rng, optics, mix.spread)
            canvas = _covered(rng, plate) if rng.random() < mix.covered else plate.canvas
        crop = photograph(rng, canvas, plate.box, seen, taken, width, random.Random(light_seed))
        if recorder is not None:
            crop = _recorded(random.Random(recorder), crop)
        sample = Sample(crop, plate.lines[0], layout.name, whole=plate.lines[0])
        frames.append(Frame(sample, round(time, 3)))
    return frames


def _moved(rng: random.Random, view: View, mix: TrackMix) -> View:
    if mix.jitter == 0:
        return view
    left, top, right, bottom = (margin + rng.gauss(0, mix.jitter) * mix.difficulty for margin in view.margins)
    if rng.random() < mix.cut:
        # A character is about an eighth of a plate.
        lost = -rng.uniform(0.06, 0.16)
        left, right = (lost, right) if rng.random() < 0.5 else (left, lost)
    return replace(
        view,
        tilt=view.tilt + rng.gauss(0, 47 * mix.jitter) * mix.difficulty,
        margins=(left, top, right, bottom),
        stretch=view.stretch * math.exp(rng.gauss(0, 1.3 * mix.jitter)),
    )


def _changed(rng: random.Random, optics: Optics, spread: float) -> Optics:
    return replace(
        optics,
        defocus=optics.defocus * math.exp(rng.gauss(0, spread)),
        motion=optics.motion * rng.uniform(max(0.0, 1 - 2 * spread), 1 + spread),
        noise=optics.noise * rng.uniform(max(0.0, 1 - spread), 1 + spread),
    )


def _covered(rng: random.Random, plate: Plate) -> Gray:
    canvas = plate.canvas.copy()
    surface.stand_in_front(rng, canvas, plate.box)
    return canvas


def _recorded(rng: random.Random, crop: Gray) -> Gray:
    """What a recorder makes of a crop: enlarged, smoothed against noise, compressed, brought back to size.

    Training draws noise after blur, and compresses once; here blur comes after noise, and compression twice.
    The same ``rng`` state gives all frames of a track the same recorder.
    """
    height, width = crop.shape
    enlarged = rng.uniform(1.2, 2.0)
    size = (max(8, round(width * enlarged)), max(8, round(height * enlarged)))
    image = cv2.resize(crop, size, interpolation=cv2.INTER_CUBIC)
    image = cv2.medianBlur(image, 3) if rng.random() < 0.5 else cv2.GaussianBlur(image, (0, 0), 0.8)
    _, code = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, rng.randrange(35, 85)])
    image = np.asarray(cv2.imdecode(code, cv2.IMREAD_GRAYSCALE), np.uint8)
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
