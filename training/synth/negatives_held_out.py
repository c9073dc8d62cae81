"""Negatives that training never draws, patterns: bars, grids, textures. Their names stand in ``split``."""

from __future__ import annotations

import random

import cv2
import numpy as np

from training.synth import surface
from training.synth.negatives_scene import Scene, panel, two_tones
from training.synth.pictures import draw_blot


def bar_code(rng: random.Random, scene: Scene) -> None:
    """Upright bars of four widths on a light label, mostly with a long number below."""
    scene.rectangle((-0.03, -0.05), (1.03, 1.05), rng.uniform(200, 255))
    x, digits = 0.03, rng.random() < 0.6
    unit = rng.uniform(0.006, 0.014)
    while x < 0.95:
        bar = unit * rng.randrange(1, 5)
        scene.rectangle((x, 0.06), (x + bar, 0.78 if digits else 0.94), rng.uniform(0, 40))
        x += bar + unit * rng.randrange(1, 5)
    if digits:
        scene.write("  ".join(rng.choice("0123456789") for _ in range(13)), (0.5, 0.89), 0.16, 20.0)


def matrix_code(rng: random.Random, scene: Scene) -> None:
    """One to three square codes of black and white modules with marked corners."""
    scene.rectangle((-0.05, -0.05), (1.05, 1.05), rng.uniform(190, 255))
    count, side = rng.randrange(1, 4), scene.tall(0.94)
    for k in range(count):
        modules = rng.choice((21, 25, 29, 33))
        bits = np.array([rng.getrandbits(1) for _ in range(modules * modules)], np.uint8).reshape(modules, -1)
        for y, x in ((0, 0), (0, modules - 7), (modules - 7, 0)):
            bits[y : y + 7, x : x + 7] = 1
            bits[y + 1 : y + 6, x + 1 : x + 6] = 0
            bits[y + 2 : y + 5, x + 2 : x + 5] = 1
        code = cv2.resize(bits * 230, (side, side), interpolation=cv2.INTER_NEAREST)
        left, top = scene.at((k + 0.5) / count, 0.5)
        left, top = max(0, left - side // 2), top - side // 2
        target = scene.canvas[top : top + side, left : left + side]
        target[:] = 240 - code[: target.shape[0], : target.shape[1]]


def bricks(rng: random.Random, scene: Scene) -> None:
    """A wall: courses of bricks, each shifted by half a brick, no two quite alike."""
    height, width = scene.canvas.shape
    joint, base = two_tones(rng, 30)
    scene.canvas[:] = round(joint)
    tall, gap = rng.randrange(8, 40), rng.randrange(1, 5)
    wide = round(tall * rng.uniform(1.0, 3.5))
    shift = wide // 2 if rng.random() < 0.7 else 0
    for row, y in enumerate(range(0, height, tall)):
        for x in range(-(row % 2) * shift, width, wide):
            tone = base + rng.uniform(-20, 20)
            cv2.rectangle(scene.canvas, (x, y), (x + wide - gap - 1, y + tall - gap - 1), tone, -1)


def fence(rng: random.Random, scene: Scene) -> None:
    """Pickets with pointed tops in front of something."""
    height, width = scene.canvas.shape
    step = rng.randrange(10, 40)
    thick, tone, top = max(3, round(step * rng.uniform(0.3, 0.7))), rng.uniform(0, 255), rng.randrange(5, 50)
    for y in (height // 3, 3 * height // 4):
        cv2.rectangle(scene.canvas, (0, y), (width, y + rng.randrange(4, 12)), tone * 0.8, -1)
    for x in range(rng.randrange(step), width, step):
        outline = [
            (x, height),
            (x, top),
            (x + thick // 2, top - thick),
            (x + thick, top),
            (x + thick, height),
        ]
        cv2.fillPoly(scene.canvas, [np.array(outline, np.int32)], tone, cv2.LINE_AA)


def foliage(rng: random.Random, scene: Scene) -> None:
    """Noise of all sizes, as leaves, gravel or grass."""
    size, total = (scene.canvas.shape[0], scene.canvas.shape[1]), np.zeros(scene.canvas.shape, np.float32)
    source = np.random.default_rng(rng.getrandbits(32))
    cells, weight, decay = rng.randrange(3, 8), 1.0, rng.uniform(0.6, 1.0)
    while cells < 100:
        grid = source.standard_normal((cells, cells * rng.randrange(1, 3)), dtype=np.float32)
        total += np.float32(weight) * cv2.resize(grid, size[::-1], interpolation=cv2.INTER_LINEAR)
        cells, weight = cells * 2, weight * decay
    if rng.random() < 0.3:
        total = np.where(total > 0, np.float32(1), np.float32(-1))
    scene.canvas[:] = surface.to_bytes(total * rng.uniform(20, 70) + rng.uniform(60, 180))


def music(rng: random.Random, scene: Scene) -> None:
    """Staves with notes, stems and bars."""
    ground, ink = rng.choice(((245.0, 20.0), (225.0, 50.0)))
    scene.rectangle((-0.2, -0.3), (1.2, 1.3), ground)
    rows = rng.randrange(1, 4)
    gap = 0.6 / rows / 5
    for row in range(rows):
        top = (row + 0.25) / rows
        for k in range(5):
            cv2.line(scene.canvas, scene.at(-0.1, top + k * gap), scene.at(1.1, top + k * gap), ink, 1)
        x = rng.uniform(0, 0.1)
        while x < 1:
            _note(rng, scene, (x, top + rng.randrange(9) * gap / 2), gap, ink)
            x += rng.uniform(0.05, 0.14)


def _note(rng: random.Random, scene: Scene, spot: tuple[float, float], gap: float, ink: float) -> None:
    head, up = scene.tall(gap * 0.5), rng.choice((-1, 1))
    fill = rng.choice((-1, -1, 1))
    cv2.ellipse(
        scene.canvas, scene.at(*spot), (round(head * 1.3) + 1, head), -20, 0, 360, ink, fill, cv2.LINE_AA
    )
    x, y = scene.at(*spot)
    stem = x - up * round(head * 1.2)
    cv2.line(scene.canvas, (stem, y), (stem, y + up * scene.tall(3.2 * gap)), ink, 1)


def street_map(rng: random.Random, scene: Scene) -> None:
    """Blocks, winding streets with edges, and small names."""
    ground, ink = two_tones(rng, 60)
    scene.canvas[:] = round(ground)
    for _ in range(rng.randrange(3, 9)):
        spot = scene.at(rng.random(), rng.random())
        draw_blot(rng, scene.canvas, spot, scene.tall(rng.uniform(0.1, 0.5)), rng.uniform(60, 240))
    for _ in range(rng.randrange(4, 12)):
        ends = [(-0.2 + 0.28 * k, rng.uniform(-0.2, 1.2)) for k in range(6)]
        if rng.random() < 0.5:
            ends = [(rng.uniform(-0.1, 1.1), -0.4 + 0.36 * k) for k in range(6)]
        street, thick = np.array([scene.at(*end) for end in ends], np.int32), rng.randrange(2, 9)
        cv2.polylines(scene.canvas, [street], False, ink, thick + 2, cv2.LINE_AA)
        cv2.polylines(scene.canvas, [street], False, 250, thick, cv2.LINE_AA)


def tread(rng: random.Random, scene: Scene) -> None:
    """A tyre from the front: ribs of blocks in chevrons."""
    scene.canvas[:] = rng.randrange(10, 50)
    tone, step = rng.uniform(60, 130), rng.randrange(8, 22)
    height, width = scene.canvas.shape
    ribs, lean = rng.randrange(3, 7), rng.uniform(0.2, 1.2)
    rib = height // ribs
    for row in range(ribs):
        y, slope = row * rib, round(lean * rib * (1 if row < ribs / 2 else -1))
        for x in range(-abs(slope) - step, width + abs(slope), step):
            block = [(x, y), (x + step - 3, y), (x + step - 3 + slope, y + rib - 4), (x + slope, y + rib - 4)]
            cv2.fillPoly(scene.canvas, [np.array(block, np.int32)], tone + rng.uniform(-15, 15), cv2.LINE_AA)


def zebra(rng: random.Random, scene: Scene) -> None:
    """Broad stripes: a crossing, a barrier, a warning board."""
    height, width = scene.canvas.shape
    ground, tone = two_tones(rng, 70)
    if rng.random() < 0.6:
        scene.canvas[:] = round(ground)
    step, slant = rng.randrange(14, 70), round(rng.uniform(-1.2, 1.2) * height)
    for x in range(-abs(slant) - step, width + abs(slant), step):
        stripe = [(x, 0), (x + step // 2, 0), (x + step // 2 + slant, height), (x + slant, height)]
        cv2.fillPoly(scene.canvas, [np.array(stripe, np.int32)], tone, cv2.LINE_AA)


def chequers(rng: random.Random, scene: Scene) -> None:
    """Squares of two tones in turn, as on a flag or a taxi's side."""
    height, width = scene.canvas.shape
    ground, tone = two_tones(rng, 70)
    side = rng.randrange(6, 45)
    rows, columns = height // side + 1, width // side + 1
    board = np.where(np.add.outer(np.arange(rows), np.arange(columns)) % 2, ground, tone).astype(np.uint8)
    full = cv2.resize(board, (columns * side, rows * side), interpolation=cv2.INTER_NEAREST)
    top = 0 if rng.random() < 0.5 else scene.at(0, 0.4)[1]
    scene.canvas[top:] = full[: height - top, :width]


def zipper(rng: random.Random, scene: Scene) -> None:
    """Two rows of teeth that meet, on cloth."""
    ground, tone = two_tones(rng, 60)
    scene.canvas[:] = round(ground)
    step, reach = rng.uniform(0.02, 0.06), rng.uniform(0.1, 0.25)
    for k in range(-2, round(1 / step) + 4):
        x, y = k * step, 0.5 + (reach if k % 2 else -reach) * 0.6
        scene.rectangle((x, y - reach), (x + step * 0.6, y + reach), tone)
    for y in (0.1, 0.9):
        cv2.line(scene.canvas, scene.at(-0.2, y), scene.at(1.2, y), tone, rng.randrange(1, 4))


def piano(rng: random.Random, scene: Scene) -> None:
    """White keys with black ones between, in twos and threes."""
    scene.rectangle((-0.2, -0.1), (1.2, 1.1), 245.0)
    key, first = rng.uniform(0.05, 0.12), rng.randrange(7)
    for k in range(-1, round(1 / key) + 2):
        cv2.line(scene.canvas, scene.at(k * key, -0.1), scene.at(k * key, 1.1), 90.0, 1)
        if (k + first) % 7 not in (0, 3):
            scene.rectangle((k * key - key * 0.3, -0.1), (k * key + key * 0.3, 0.62), 15.0)


def ruler(rng: random.Random, scene: Scene) -> None:
    """Ticks of three lengths, a number at each long one: far apart, one or two digits."""
    _, ink = panel(rng, scene)
    step, first = rng.uniform(0.012, 0.03), rng.randrange(1, 80)
    for k in range(round(1 / step)):
        length = 0.4 if k % 10 == 0 else 0.28 if k % 5 == 0 else 0.18
        cv2.line(scene.canvas, scene.at(k * step, 0.0), scene.at(k * step, length), ink, 1)
        if k % 10 == 0 and 0.03 < k * step < 0.97:
            scene.write(str(first + k // 10), (k * step, 0.62), 0.28, ink, 0.08)
