"""Negatives that training never draws, with symbols: keys, tables, displays, other scripts, handwriting."""

from __future__ import annotations

import random

import cv2
import numpy as np

from training.synth.negatives_scene import Scene, panel, two_tones

_KEYS = ("1234567890-=", "qwertyuiop[]", "asdfghjkl;'#", "zxcvbnm,./<>")
_OTHER_LETTERS = ("αβγδεζηθικλμνξπρστυφχψω", "бвгджзийклмнптфцчшщъыьэюя")
# Lit segments of each digit, clockwise from the top, the middle one last.
_SEGMENTS = (
    "1111110",
    "0110000",
    "1101101",
    "1111001",
    "0110011",
    "1011011",
    "1011111",
    "1110000",
    "1111111",
    "1111011",
)
_SEGMENT_ENDS = (
    (0, 0, 1, 0),
    (1, 0, 1, 1),
    (1, 1, 1, 2),
    (0, 2, 1, 2),
    (0, 1, 0, 2),
    (0, 0, 0, 1),
    (0, 1, 1, 1),
)


def keyboard(rng: random.Random, scene: Scene) -> None:
    """Rows of keys with one small sign each."""
    case, cap = two_tones(rng, 40)
    scene.canvas[:] = round(case)
    ink = 20.0 if cap > 120 else 235.0
    rows, columns = rng.randrange(2, 5), rng.randrange(6, 12)
    wide, tall = 1 / columns, 1 / rows
    for row in range(rows):
        shift = row * wide * 0.3 - 0.1
        for column in range(columns):
            x, y = shift + column * wide, row * tall
            scene.rectangle((x, y + 0.03), (x + wide * 0.86, y + tall * 0.88), cap)
            sign = _KEYS[row][column]
            scene.write(sign, (x + wide * 0.35, y + tall * 0.42), tall * 0.35, ink, wide * 0.4)


def keypad(rng: random.Random, scene: Scene) -> None:
    """Twelve buttons as on a telephone or a door."""
    _, cap = panel(rng, scene, 40)
    ink = 20.0 if cap > 120 else 235.0
    columns = rng.choice((3, 4, 6))
    signs = "123456789*0#"
    for k, sign in enumerate(signs):
        x, y = (k % columns + 0.5) / columns, (k // columns + 0.5) / (12 // columns)
        size = (scene.wide(0.38 / columns), scene.tall(0.4 * columns / 12))
        cv2.ellipse(scene.canvas, scene.at(x, y), size, 0, 0, 360, cap, -1, cv2.LINE_AA)
        scene.write(sign, (x, y), 0.45 * columns / 12, ink, 0.4 / columns)


def table(rng: random.Random, scene: Scene) -> None:
    """Cells with amounts, as on a bill or a timetable."""
    _, ink = panel(rng, scene, 100)
    rows, columns = rng.randrange(3, 8), rng.randrange(3, 7)
    for row in range(rows + 1):
        cv2.line(scene.canvas, scene.at(0, row / rows), scene.at(1, row / rows), ink, 1)
    for column in range(columns + 1):
        cv2.line(scene.canvas, scene.at(column / columns, 0), scene.at(column / columns, 1), ink, 1)
    for row in range(rows):
        for column in range(columns):
            text = rng.choice(
                (f"{rng.randrange(10000)}.{rng.randrange(100):02d}", f"{rng.randrange(99)} %", "n/a")
            )
            scene.write(text, ((column + 0.5) / columns, (row + 0.5) / rows), 0.5 / rows, ink, 0.8 / columns)


def display(rng: random.Random, scene: Scene) -> None:
    """Seven-segment digits with a point, a colon or a minus, lit on dark or dark on gray."""
    ground, ink = rng.choice(((15.0, 230.0), (30.0, 180.0), (150.0, 20.0)))
    scene.rectangle((-0.05, -0.08), (1.05, 1.08), ground)
    text = rng.choice((
        f"{rng.randrange(24):02d}:{rng.randrange(60):02d}", f"-{rng.randrange(40)}.{rng.randrange(10)}'",
        f"{rng.randrange(1000)}.{rng.randrange(10)}", f"{rng.randrange(10)}:{rng.randrange(60):02d}.5",
    ))  # fmt: skip
    cells = [0.35 if c in ".:'" else 1.0 for c in text]
    unit = min(0.9 / sum(cells), 0.5 * scene.box[3] / scene.box[2])
    x = 0.5 - unit * sum(cells) / 2
    thick = max(2, scene.tall(rng.uniform(0.06, 0.12)))
    for sign, cell in zip(text, cells, strict=True):
        _segments(scene, sign, (x, 0.15), (unit * cell, 0.7), ink, thick)
        x += unit * cell


def _segments(
    scene: Scene, sign: str, corner: tuple[float, float], size: tuple[float, float], ink: float, thick: int
) -> None:
    (x, y), (wide, tall) = corner, size
    if sign in ".:'":
        for height in {".": (1.0,), ":": (0.3, 0.7), "'": (0.05,)}[sign]:
            cv2.circle(
                scene.canvas, scene.at(x + wide / 2, y + tall * height), max(1, thick * 2 // 3), ink, -1
            )
        return
    lit = "0000001" if sign == "-" else _SEGMENTS[int(sign)]
    for on, (x1, y1, x2, y2) in zip(lit, _SEGMENT_ENDS, strict=True):
        if on == "1":
            start = scene.at(x + wide * (0.15 + 0.6 * x1), y + tall * y1 / 2)
            end = scene.at(x + wide * (0.15 + 0.6 * x2), y + tall * y2 / 2)
            cv2.line(scene.canvas, start, end, ink, thick, cv2.LINE_AA)


def other_script(rng: random.Random, scene: Scene) -> None:
    """Words in Greek or Cyrillic lower case; with a font drawn by code a row of question marks."""
    ink = panel(rng, scene, 100)[1]
    letters, rows = rng.choice(_OTHER_LETTERS), rng.randrange(1, 4)
    for row in range(rows):
        text = " ".join(
            "".join(rng.choice(letters) for _ in range(rng.randrange(4, 10)))
            for _ in range(rng.randrange(1, 4))
        )
        scene.write(text, (0.5, (row + 0.5) / rows), 0.6 / rows, ink)


def handwriting(rng: random.Random, scene: Scene) -> None:
    """Loops of a pen along a line, as a signature or graffiti."""
    ink = panel(rng, scene)[1] if rng.random() < 0.6 else rng.uniform(0, 255)
    thick = rng.randrange(1, 7)
    for row in range(rng.randrange(1, 3)):
        steps, y = rng.randrange(12, 40), 0.35 + 0.35 * row
        turns = np.linspace(0, steps * rng.uniform(0.8, 1.4), steps * 8)
        heights = np.repeat([rng.uniform(0.05, 0.3) for _ in range(steps)], 8)
        x = 0.1 + 0.8 * turns / turns[-1] + rng.uniform(0.03, 0.07) * np.cos(turns)
        curve = [scene.at(float(a), float(b)) for a, b in zip(x, y + heights * np.sin(turns), strict=True)]
        cv2.polylines(scene.canvas, [np.array(curve, np.int32)], False, ink, thick, cv2.LINE_AA)
