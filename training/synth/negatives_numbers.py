"""Training negatives that show numbers by other means than print or pressing: lamps, drums, flaps.

As in ``negatives_text`` each has what a plate never has: a colon, lower case, several lines or half digits.
"""

from __future__ import annotations

import random

import cv2
import numpy as np
from numpy.typing import NDArray

from training.synth import words
from training.synth.negatives_scene import Gray, Scene, blend, panel, text_coverage, two_tones


def lamps(rng: random.Random, scene: Scene) -> None:
    """A board of lamps in rows and columns: a time, a temperature, a price, or where a bus goes."""
    ground, lit = rng.uniform(0, 60), rng.uniform(150, 255)
    dark = ground + rng.uniform(0, 35)
    scene.rectangle((-0.05, -0.08), (1.05, 1.08), ground)
    rows = rng.choice((1, 1, 2, 3))
    for row in range(rows):
        middle = scene.at(0.5, (row + 0.5) / rows)
        line = text_coverage(scene.font, _announcement(rng), 24)
        high = rng.randrange(7, 12)
        step = max(2, scene.tall(0.85 / rows) // high)
        across = max(4, min(round(line.shape[1] * high / line.shape[0]), scene.wide(0.96) // step))
        on = np.asarray(cv2.resize(line, (across, high), interpolation=cv2.INTER_AREA), np.uint8) > 100
        blend(scene.canvas, _in_lamps(np.ones_like(on), step), middle, dark)
        blend(scene.canvas, _in_lamps(on, step), middle, lit)


def _announcement(rng: random.Random) -> str:
    """What such a board says; never what a plate could."""
    return rng.choice(
        (
            words.clock_time(rng, seconds=rng.random() < 0.3),
            f"{rng.choice(('-', '+', ''))}{rng.randrange(1, 40)}.{rng.randrange(10)} 'C",
            f"{rng.randrange(1, 300)} {words.brand(rng, 3)}",
            f"{rng.randrange(10)} : {rng.randrange(10)}",
            words.price(rng),
            words.phrase(rng, 2, 3),
        )
    )


def _in_lamps(on: NDArray[np.bool_], step: int) -> Gray:
    """Each True of [h, w] as a lamp, coverage uint8 [h * ``step``, w * ``step``], with dark between them."""
    lamp = np.zeros((step, step), np.uint8)
    lamp[: step - max(1, step // 4), : step - max(1, step // 4)] = 255
    return np.kron(on, lamp).astype(np.uint8)


def counter(rng: random.Random, scene: Scene) -> None:
    """The drums of a meter or an odometer: some stand between two digits, the last are of other colours."""
    panel(rng, scene)
    paper, ink = two_tones(rng, 110)
    count = rng.randrange(5, 9)
    wide, tall = rng.uniform(0.6, 0.95) / count, rng.uniform(0.35, 0.7)
    size = (scene.wide(wide * rng.uniform(0.75, 0.95)), scene.tall(tall))
    top = scene.at(0, 0.45 - tall / 2)[1]
    whole = count - rng.randrange(1, 3)
    for k in range(count):
        turn = rng.uniform(0.25, 0.75) if k == count - 1 or rng.random() < 0.3 else rng.gauss(0, 0.03)
        colours = (paper, ink) if k < whole else (ink, paper)
        drum = _drum(scene.font, rng.randrange(10), turn, size, colours)
        left = scene.at(0.5 + (k - count / 2) * wide, 0)[0]
        scene.canvas[top : top + size[1], left : left + size[0]] = drum
    unit = rng.choice(("km", "miles", "m3", "kWh", "x 0.1", "total"))
    scene.write(unit, (rng.uniform(0.3, 0.7), 0.91), rng.uniform(0.1, 0.16), ink)


def _drum(font: str, digit: int, turn: float, size: tuple[int, int], colours: tuple[float, float]) -> Gray:
    """A window uint8 of ``size`` (w, h): ``digit`` moved up by ``turn`` of the height, the next one below."""
    wide, tall = size
    window = np.full((tall, wide), round(colours[0]), np.uint8)
    for ahead in (-1, 0, 1):
        shape = text_coverage(font, str((digit + ahead) % 10), 64)
        inside = (max(2, round(wide * 0.7)), max(4, round(tall * 0.75)))
        small = np.asarray(cv2.resize(shape, inside, interpolation=cv2.INTER_AREA), np.uint8)
        blend(window, small, (wide // 2, round(tall * (0.5 + ahead - turn))), colours[1])
    # Round: the upper and the lower edge are turned away from the light.
    light = np.cos(np.linspace(-1.1, 1.1, tall)) ** 0.7
    return np.asarray(window * light[:, None], np.uint8)


def flaps(rng: random.Random, scene: Scene) -> None:
    """A flip clock or a board of departures: each character on two flaps, with a slit across its middle."""
    board, card = rng.uniform(0, 90), rng.uniform(10, 70)
    ink = rng.uniform(170, 255)
    scene.rectangle((-0.05, -0.05), (1.05, 1.05), board)
    rows = rng.choice((1, 2, 3, 4))
    for row in range(rows):
        text = words.clock_time(rng, seconds=rng.random() < 0.3)
        if rows > 1:
            text = f"{text} {words.brand(rng, 3).upper()} {rng.randrange(1, 30)}"
        _row_of_flaps(scene, text, ((row + 0.5) / rows, 0.8 / rows), (board, card, ink))


def _row_of_flaps(
    scene: Scene, text: str, place: tuple[float, float], tones: tuple[float, float, float]
) -> None:
    """Cards of the middle and height ``place``, in the ``tones`` of the board, of a card and of the ink."""
    (y, tall), (board, card, ink) = place, tones
    wide = min(0.98 / len(text), 0.8 * tall * scene.box[3] / scene.box[2])
    for k, sign in enumerate(text):
        x = 0.5 + (k + 0.5 - len(text) / 2) * wide
        if sign == ":":
            scene.write(sign, (x, y), tall * 0.4, ink, wide * 0.75)
        elif sign != " ":
            scene.rectangle((x - wide * 0.46, y - tall / 2), (x + wide * 0.46, y + tall / 2), card)
            scene.write(sign, (x, y), tall * 0.75, ink, wide * 0.75)
    left, right = scene.at(0.5 - len(text) * wide / 2, y), scene.at(0.5 + len(text) * wide / 2, y)
    cv2.line(scene.canvas, left, right, board, scene.tall(tall * 0.04))
