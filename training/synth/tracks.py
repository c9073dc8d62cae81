"""Several crops of one synthetic plate, as a camera takes them while the vehicle approaches."""

from __future__ import annotations

import math
import random
from dataclasses import replace

from training.synth.camera import draw_optics, draw_view, photograph
from training.synth.generator import Library, Sample


def draw_track(
    seed: int | random.Random,
    frames: int,
    *,
    widths: tuple[int, int] = (40, 110),
    difficulty: float = 0.8,
    held_out: bool = True,
    system_fonts: bool = True,
) -> list[Sample]:
    """Crops of one plate: same plate, light and codec; per frame its own phase, scale, blur, noise and box.

    Args:
        seed: an int, or a generator to draw from.
        frames: how many crops, at least 1.
        widths: px of the first and of the last crop.
        difficulty: 0 to 1, as in ``PlateGenerator``.
        held_out: draw what training never draws.
        system_fonts: False keeps to the fonts drawn by code.

    Raises:
        ValueError: ``frames`` is below 1 or a width below 8.
    """
    if frames < 1 or min(widths) < 8:
        raise ValueError(f"expected frames >= 1 and widths >= 8, got frames={frames}, widths={widths}")
    rng = seed if isinstance(seed, random.Random) else random.Random(seed)
    library = Library(held_out, system_fonts)
    one_line = [layout for layout in library.layouts if layout.rows == 1]
    layout = rng.choices(one_line, [entry.weight for entry in one_line])[0]
    plate = library.plate(rng, difficulty, layout)
    view, optics = draw_view(rng, difficulty, layout.aspect), draw_optics(rng, difficulty)
    light_seed = rng.getrandbits(32)
    left, top, right, bottom = view.margins

    def shift() -> float:
        return rng.gauss(0, 0.015) * difficulty

    samples = []
    for frame in range(frames):
        share = frame / max(1, frames - 1)
        width = round(widths[0] + (widths[1] - widths[0]) * share)
        seen = replace(
            view,
            tilt=view.tilt + rng.gauss(0, 0.7) * difficulty,
            margins=(left + shift(), top + shift(), right + shift(), bottom + shift()),
            stretch=view.stretch * math.exp(rng.gauss(0, 0.02)),
        )
        taken = replace(
            optics,
            defocus=optics.defocus * math.exp(rng.gauss(0, 0.3)),
            motion=optics.motion * rng.uniform(0.3, 1.3),
            noise=optics.noise * rng.uniform(0.7, 1.3),
        )
        crop = photograph(rng, plate.canvas, plate.box, seen, taken, width, random.Random(light_seed))
        samples.append(Sample(crop, plate.lines[0], plate.layout.name, whole=plate.lines[0]))
    return samples
