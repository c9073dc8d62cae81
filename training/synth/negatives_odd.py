"""Training negatives that resemble a line of text: shapes, periods, parts of letters, long numbers."""

from __future__ import annotations

import math
import random

import cv2
import numpy as np

from lprfast.formats import DIGITS, LATIN
from training.synth.bands import CRESTS, crest
from training.synth.negatives_scene import Scene, blend, panel, text_coverage, two_tones
from training.synth.pictures import draw_blot


def pictograms(rng: random.Random, scene: Scene) -> None:
    """A row of shapes about as large as characters: arms, blots, arrows, triangles, stars."""
    ink = panel(rng, scene)[1] if rng.random() < 0.7 else two_tones(rng)[1]
    count, tall, kinds = rng.randrange(3, 11), rng.uniform(0.25, 0.6), rng.sample(range(4), 2)
    for k in range(count):
        center, reach = scene.at((k + 0.5) / count, rng.gauss(0.5, 0.02)), scene.tall(tall / 2)
        kind = rng.choice(kinds)
        if kind == 0:
            size = (max(4, min(2 * reach, scene.wide(0.9 / count))), max(4, 2 * reach))
            arms = np.asarray(cv2.resize(crest(rng.randrange(CRESTS)), size), np.uint8)
            blend(scene.canvas, arms, center, ink)
        elif kind == 1:
            draw_blot(rng, scene.canvas, center, reach, ink)
        elif kind == 2:
            shift = round(reach * rng.choice((-1, 1)) * 0.8)
            ends = (center[0] - shift, center[1]), (center[0] + shift, center[1] + rng.randrange(-4, 5))
            cv2.arrowedLine(scene.canvas, *ends, ink, rng.randrange(2, 6), cv2.LINE_AA, tipLength=0.5)
        else:
            _star(rng, scene, center, reach, ink)


def _star(rng: random.Random, scene: Scene, center: tuple[int, int], reach: int, tone: float) -> None:
    tips, turn, waist = rng.choice((3, 4, 5, 6, 8)), rng.uniform(0, 6.28), rng.uniform(0.35, 0.8)
    points = []
    for k in range(2 * tips):
        radius, angle = reach * (waist if k % 2 else 1.0), turn + math.pi * k / tips
        points.append((center[0] + radius * math.cos(angle), center[1] + radius * math.sin(angle)))
    cv2.fillPoly(scene.canvas, [np.round(points).astype(np.int32)], tone, cv2.LINE_AA)


def strokes(rng: random.Random, scene: Scene) -> None:
    """Short bars at an odd or even pitch, slits, louvres or tallies: far more than a plate has characters."""
    ink = panel(rng, scene)[1] if rng.random() < 0.6 else two_tones(rng)[1]
    pitch, thick = rng.uniform(0.02, 0.07), rng.randrange(1, 7)
    lean, jitter = rng.uniform(-0.08, 0.08), rng.choice((0.0, 0.3))
    top, bottom = rng.uniform(0.1, 0.4), rng.uniform(0.6, 0.95)
    x = rng.uniform(0.0, 0.1)
    while x < 1:
        start = scene.at(x, top + rng.uniform(0, jitter))
        cv2.line(scene.canvas, start, scene.at(x + lean, bottom - rng.uniform(0, jitter)), ink, thick)
        x += pitch * rng.uniform(1 - jitter, 1 + 2 * jitter)


def hazard(rng: random.Random, scene: Scene) -> None:
    """Slanted stripes, chevrons or waves across the box, as on trucks, barriers and corrugated sheet."""
    ground, ink = two_tones(rng)
    if rng.random() < 0.7:
        scene.rectangle((0, 0.05), (1, 0.95), ground)
    pitch, thick, kind = rng.uniform(0.05, 0.3), rng.randrange(3, 16), rng.randrange(3)
    lean = rng.choice((-1, 1)) * rng.uniform(0.1, 0.3)
    for k in range(-4, round(1 / pitch) + 5):
        x = k * pitch
        ends = [(x, 0.05), (x + lean, 0.95)]
        if kind == 1:
            ends = [(x, 0.05), (x + lean, 0.5), (x, 0.95)]
        elif kind == 2:
            ends = [(x + 0.03 * math.sin(5 * share + lean * 20), share / 2) for share in (0, 0.5, 1, 1.5, 2)]
        points = np.array([scene.at(*end) for end in ends], np.int32)
        cv2.polylines(scene.canvas, [points], False, ink, thick, cv2.LINE_AA)


def dots(rng: random.Random, scene: Scene) -> None:
    """Holes or lamps in rows, some missing: perforated sheet, a row of rivets, a loudspeaker."""
    ground, ink = two_tones(rng, 40)
    if rng.random() < 0.6:
        scene.rectangle((0, 0), (1, 1), ground)
    columns, rows = rng.randrange(6, 34), rng.randrange(1, 9)
    radius, shape = max(1, scene.tall(rng.uniform(0.1, 0.35) / rows)), rng.choice((1.0, 1.0, 0.5, 1.8))
    gaps, shift = rng.choice((0.0, 0.0, 0.15)), rng.choice((0.0, 0.5))
    for row in range(rows):
        for column in range(columns):
            if rng.random() >= gaps:
                center = scene.at((column + 0.5 + shift * (row % 2)) / columns, (row + 0.5) / rows)
                size = (max(1, min(round(radius * shape), scene.wide(0.35 / columns))), radius)
                cv2.ellipse(scene.canvas, center, size, 0, 0, 360, ink, -1, cv2.LINE_AA)


def cut_text(rng: random.Random, scene: Scene) -> None:
    """Two lines of a board of which the box holds less than a third of the letters' height."""
    ink = panel(rng, scene)[1]
    for y, below in ((0.0, False), (1.0, True)):
        text = "".join(rng.choice(LATIN + DIGITS) for _ in range(rng.randrange(4, 9)))
        line = text_coverage(scene.font, text, 64)
        tall = scene.tall(rng.uniform(0.6, 0.9))
        line = np.asarray(cv2.resize(line, (scene.wide(rng.uniform(0.7, 1.05)), tall)), np.uint8)
        # Only the part inside is drawn, for a loose view would show more of it.
        part = round(tall * rng.uniform(0.12, 0.32))
        line = line[:part] if below else line[tall - part :]
        middle = scene.at(0.5, y)
        blend(scene.canvas, line, (middle[0], middle[1] + (-part // 2 if below else part // 2)), ink)


def serial(rng: random.Random, scene: Scene) -> None:
    """Numbers longer than any plate's, of a chassis, a container or a meter, in one line or several."""
    ink = panel(rng, scene)[1] if rng.random() < 0.7 else (240.0 if scene.canvas.mean() < 120 else 10.0)
    rows = rng.choice((1, 1, 2, 3, 4))
    for row in range(rows):
        tall = rng.uniform(0.3, 0.7) / rows
        scene.write(
            _serial(rng), (rng.uniform(0.48, 0.52), (row + 0.5) / rows), tall, ink, rng.uniform(0.8, 1.1)
        )


def _serial(rng: random.Random) -> str:
    """14 to 20 characters with signs, blanks of different width and small letters between them."""
    alphabet = rng.choice((DIGITS, DIGITS + LATIN, DIGITS + "acefhkx"))
    parts = []
    for _ in range(rng.randrange(3, 6)):
        parts.append("".join(rng.choice(alphabet) for _ in range(rng.randrange(3, 7))))
        parts.append(rng.choice((" ", "   ", "-", "/", ".", ": ", " x ", "*")))
    return ("".join(parts) + "".join(rng.choice(DIGITS) for _ in range(8)))[:20].strip()
