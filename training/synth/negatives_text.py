"""Training negatives with text that no plate carries.

A word that a plate could carry is a plate in any font, so each kind here has what a plate never has: far more
characters, several lines of small words, lower case, punctuation such as 10:45, or a single symbol.
"""

from __future__ import annotations

import math
import random

import cv2
import numpy as np

from lprfast.formats import DIGITS, LATIN
from training.synth import words
from training.synth.negatives_scene import Scene, panel, two_tones
from training.synth.negatives_vehicle import bodywork, emblem


def badge(rng: random.Random, scene: Scene) -> None:
    """Chrome letters on the boot: a name, a trim level beside it, sometimes an emblem."""
    (emblem if rng.random() < 0.3 else bodywork)(rng, scene)
    paint = float(scene.canvas.mean())
    tone = rng.uniform(160, 255) if paint < 140 else rng.uniform(0, 80)
    name = words.brand(rng)
    if rng.random() < 0.3:
        # Capitals far apart, and more of them than a plate has.
        name = " ".join(f"{words.brand(rng, 3)} {words.brand(rng, 3)}".upper())
    x, y, tall = rng.uniform(0.4, 0.6), rng.uniform(0.3, 0.7), rng.uniform(0.15, 0.5)
    scene.write(name, (x + 0.01, y + 0.02), tall, 255 - tone, rng.uniform(0.5, 0.9))
    scene.write(name, (x, y), tall, tone, rng.uniform(0.5, 0.9))
    if rng.random() < 0.4:
        trim = f"{rng.randrange(1, 6)}.{rng.randrange(10)} " + rng.choice(("tdi", "Turbo", "hybrid", "16v"))
        scene.write(
            trim, (rng.choice((0.15, 0.85)), rng.choice((0.12, 0.9))), rng.uniform(0.1, 0.2), tone, 0.3
        )


def road_sign(rng: random.Random, scene: Scene) -> None:
    """Directions with arrows and distances, or a round or triangular sign."""
    if rng.random() < 0.35:
        _round_sign(rng, scene)
        return
    _, ink = panel(rng, scene)
    rows = rng.randrange(1, 4)
    for row in range(rows):
        y, tall = (row + 0.5) / rows, 0.5 / rows
        place = words.brand(rng, 3) + rng.choice(
            ("", "-" + words.brand(rng, 2), " " + rng.choice(words.VOCABULARY))
        )
        text = f"{place}  {rng.randrange(1, 300)}" + rng.choice((" km", ",5 km", " m"))
        scene.write(text, (rng.uniform(0.42, 0.48), y), tall, ink, 0.7)
        tip, tail = (0.95, y + rng.uniform(-0.4, 0.4) / rows), (0.86, y)
        ends = (tip, tail) if rng.random() < 0.5 else (tail, tip)
        cv2.arrowedLine(
            scene.canvas, scene.at(*ends[0]), scene.at(*ends[1]), ink, rng.randrange(2, 5), cv2.LINE_AA
        )


def _round_sign(rng: random.Random, scene: Scene) -> None:
    """A speed limit, a stop or a warning sign: two digits at most, or a word in a shape of its own."""
    ground, ink = two_tones(rng)
    middle, radius = scene.at(0.5, 0.5), scene.tall(rng.uniform(0.45, 0.6))
    corners = rng.choice((3, 4, 8, 40))
    start = math.pi / 8 if corners == 8 else -math.pi / 2
    angles = [start + 2 * math.pi * k / corners for k in range(corners)]
    points = [(middle[0] + radius * math.cos(a), middle[1] + radius * math.sin(a)) for a in angles]
    outline = [np.round(points).astype(np.int32)]
    cv2.fillPoly(scene.canvas, outline, ground, cv2.LINE_AA)
    cv2.polylines(scene.canvas, outline, True, ink, max(2, radius // rng.randrange(5, 12)), cv2.LINE_AA)
    text = rng.choice(
        (f"{rng.randrange(1, 13)}0", "!", "?", f"{rng.randrange(2, 9)}.{rng.randrange(10)} t", "km/h")
    )
    scene.write(text, (0.5, 0.52), rng.uniform(0.25, 0.5), ink, 0.22)


def shop_sign(rng: random.Random, scene: Scene) -> None:
    """A name, what is sold, and how to call."""
    _, ink = panel(rng, scene)
    name = rng.choice(
        (words.brand(rng), f"{words.brand(rng)} & {words.brand(rng)}", words.phrase(rng, 2, 3).title())
    )
    scene.write(name, (0.5, rng.uniform(0.25, 0.4)), rng.uniform(0.25, 0.45), ink)
    lines = (words.phrase(rng, 3, 5), words.phone_number(rng), words.web_address(rng), words.price(rng))
    for k, line in enumerate(rng.sample(lines, rng.randrange(1, 3))):
        scene.write(line, (0.5, 0.67 + 0.2 * k), rng.uniform(0.1, 0.18), ink)


def contact(rng: random.Random, scene: Scene) -> None:
    """A telephone number or a web address on a van or a board."""
    ink = panel(rng, scene)[1] if rng.random() < 0.6 else (255.0 if scene.canvas.mean() < 120 else 0.0)
    first, second = rng.sample((words.phone_number(rng), words.web_address(rng), words.phone_number(rng)), 2)
    if rng.random() < 0.5:
        scene.write(first, (0.5, rng.uniform(0.4, 0.6)), rng.uniform(0.2, 0.6), ink, rng.uniform(0.8, 1.05))
    else:
        scene.write(first, (0.5, 0.3), rng.uniform(0.15, 0.35), ink)
        scene.write(second, (0.5, 0.72), rng.uniform(0.15, 0.35), ink)


def clock(rng: random.Random, scene: Scene) -> None:
    """A dial with hands, or a time with its colon."""
    ground, ink = panel(rng, scene)
    if rng.random() < 0.5:
        text = words.clock_time(rng, seconds=rng.random() < 0.3) + rng.choice(("", "", " Uhr", " am"))
        scene.write(text, (0.5, 0.5), rng.uniform(0.4, 0.8), ink)
        return
    middle, radius = scene.at(rng.uniform(0.35, 0.65), 0.5), scene.tall(rng.uniform(0.4, 0.55))
    cv2.circle(scene.canvas, middle, radius, 255 - ground, -1, cv2.LINE_AA)
    cv2.circle(scene.canvas, middle, radius, ink, rng.randrange(1, 5), cv2.LINE_AA)
    for k in range(12):
        _ray(scene, middle, k * math.pi / 6, (0.8 * radius, 0.93 * radius), ground, rng.randrange(1, 3))
    for reach, thick in ((0.5, 3), (0.75, 2)):
        _ray(scene, middle, rng.uniform(0, 6.28), (0.0, reach * radius), ground, thick)


def _ray(
    scene: Scene, middle: tuple[int, int], angle: float, reach: tuple[float, float], tone: float, thick: int
) -> None:
    start, end = (
        (round(middle[0] + r * math.cos(angle)), round(middle[1] + r * math.sin(angle))) for r in reach
    )
    cv2.line(scene.canvas, start, end, tone, thick, cv2.LINE_AA)


def taxi(rng: random.Random, scene: Scene) -> None:
    """The sign on the roof: a lit box, the word, a number to call."""
    ground, ink = rng.choice(((240.0, 20.0), (30.0, 240.0), (190.0, 10.0)))
    slope = rng.uniform(0.0, 0.15)
    corners = ((slope, 0.1), (1 - slope, 0.1), (1.0, 0.9), (0.0, 0.9))
    outline = [np.array([scene.at(*corner) for corner in corners], np.int32)]
    cv2.fillPoly(scene.canvas, outline, ground, cv2.LINE_AA)
    cv2.polylines(scene.canvas, outline, True, 255 - ground, rng.randrange(1, 6), cv2.LINE_AA)
    word = rng.choice(("Taxi", "taxi", "Radio Taxi", "TAXI", "TAXI  TAXI"))
    scene.write(word, (0.5, rng.uniform(0.36, 0.46)), rng.uniform(0.3, 0.5), ink, 0.7)
    if rng.random() < 0.7 or word == "TAXI":
        scene.write(
            rng.choice((words.phone_number(rng), words.web_address(rng))), (0.5, 0.78), 0.15, ink, 0.8
        )


def sticker(rng: random.Random, scene: Scene) -> None:
    """One or more labels on the paint: an outline, a few small lines in it."""
    for k in range(rng.choice((1, 1, 2, 3))):
        ground, ink = two_tones(rng)
        x, y = rng.uniform(0.35, 0.65) if k == 0 else rng.uniform(0.1, 0.9), rng.uniform(0.4, 0.6)
        size = (scene.wide(rng.uniform(0.2, 0.45)), scene.tall(rng.uniform(0.3, 0.5)))
        if rng.random() < 0.6:
            cv2.ellipse(scene.canvas, scene.at(x, y), size, 0, 0, 360, ground, -1, cv2.LINE_AA)
            cv2.ellipse(scene.canvas, scene.at(x, y), size, 0, 0, 360, ink, rng.randrange(1, 4), cv2.LINE_AA)
        else:
            left, top = scene.at(x, y)
            cv2.rectangle(
                scene.canvas, (left - size[0], top - size[1]), (left + size[0], top + size[1]), ground, -1
            )
        for row in (-0.2, 0.0, 0.2)[: rng.randrange(2, 4)]:
            scene.write(words.phrase(rng, 1, 3), (x, y + row), rng.uniform(0.1, 0.17), ink, 0.4)


def stamp(rng: random.Random, scene: Scene) -> None:
    """Date and time that a camera wrote into its picture, with a dark edge as such overlays have."""
    text, y = words.date_stamp(rng), rng.uniform(0.3, 0.7)
    tall, wide = rng.uniform(0.15, 0.4), rng.uniform(0.7, 1.0)
    for shift in (-0.008, 0.008):
        scene.write(text, (0.5 + shift, y + 2 * shift), tall, 0.0, wide)
    scene.write(text, (0.5, y), tall, rng.uniform(200, 255), wide)


def sentences(rng: random.Random, scene: Scene) -> None:
    """Running text: lines of words, one under the other."""
    ink = panel(rng, scene)[1] if rng.random() < 0.7 else rng.uniform(0, 255)
    rows, capital = rng.randrange(2, 7), rng.random()
    for row in range(rows):
        text = words.phrase(rng, 3, 7)
        text = text.upper() if capital < 0.3 else text.capitalize() + rng.choice((".", ",", "!", ""))
        scene.write(text, (rng.uniform(0.47, 0.53), (row + 0.5) / rows), rng.uniform(0.4, 0.65) / rows, ink)


def huge_symbol(rng: random.Random, scene: Scene) -> None:
    """One letter, digit or sign as high as the box, or a part of one that is higher."""
    ink = panel(rng, scene)[1]
    symbol = rng.choice((rng.choice(LATIN + DIGITS), rng.choice("&?!%+#*@$"), rng.choice("abdefghkmnrtw")))
    scene.write(symbol, (rng.uniform(0.3, 0.7), rng.uniform(0.4, 0.6)), rng.uniform(0.6, 1.6), ink, 0.9)
    if rng.random() < 0.3:
        scene.write(words.phrase(rng, 2, 4), (0.5, 0.92), 0.13, ink)


def prices(rng: random.Random, scene: Scene) -> None:
    """A board of prices: labels on the left, amounts on the right, or a single large amount."""
    _, ink = panel(rng, scene)
    rows = rng.randrange(1, 5)
    for row in range(rows):
        y = (row + 0.5) / rows
        if rows > 1:
            scene.write(rng.choice(words.VOCABULARY).title(), (0.26, y), 0.45 / rows, ink, 0.42)
        scene.write(
            words.price(rng), (0.5 if rows == 1 else 0.74, y), 0.6 / rows, ink, 0.85 if rows == 1 else 0.42
        )
