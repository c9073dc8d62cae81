"""Training negatives without text: bodywork, bumpers, grilles, headlights, emblems."""

from __future__ import annotations

import math
import random

import cv2
import numpy as np

from training.synth.negatives_scene import Scene, two_tones
from training.synth.pictures import draw_blot


def bodywork(rng: random.Random, scene: Scene) -> None:
    """Nothing but paint, glass and edges, or bare ground: now and then a soft fold."""
    for _ in range(rng.randrange(3)):
        ends = [(rng.uniform(-0.2, 1.2), rng.uniform(-0.2, 1.2)) for _ in range(3)]
        points = np.array([scene.at(*end) for end in ends], np.int32)
        cv2.polylines(scene.canvas, [points], False, rng.uniform(0, 255), rng.randrange(1, 10), cv2.LINE_AA)


def grille(rng: random.Random, scene: Scene) -> None:
    """Bars across, upright or both, or a mesh of diamonds; sometimes an emblem on it."""
    height, width = scene.canvas.shape
    ground, tone = two_tones(rng, 30)
    scene.canvas[:] = scene.canvas // 3 + round(ground * 2 / 3)
    kind, step, thick = rng.random(), rng.randrange(6, 34), rng.randrange(1, 8)
    slant = 0.0 if kind < 0.8 else rng.uniform(0.6, 1.4) * height
    if kind < 0.7:
        for y in range(rng.randrange(step), height, step):
            cv2.line(scene.canvas, (0, y), (width, y), tone, thick)
    if kind > 0.4:
        for x in range(-round(slant), width + round(slant), step):
            cv2.line(scene.canvas, (x, 0), (round(x + slant), height), tone, thick, cv2.LINE_AA)
            if slant:
                cv2.line(scene.canvas, (x, 0), (round(x - slant), height), tone, thick, cv2.LINE_AA)
    if rng.random() < 0.3:
        _emblem_at(rng, scene, (rng.uniform(0.3, 0.7), 0.5), scene.tall(rng.uniform(0.2, 0.5)))


def bumper(rng: random.Random, scene: Scene) -> None:
    """Curved steps of light and dark, a recess, fog lamps, reflectors or exhaust pipes."""
    height, width = scene.canvas.shape
    y = rng.randrange(height // 3)
    while y < height:
        bend = rng.randrange(2, 40)
        ellipse = ((width / 2, y + height), (width * rng.uniform(1.2, 2.5), 2 * height + bend), 0)
        cv2.ellipse(scene.canvas, ellipse, rng.uniform(5, 230), -1, cv2.LINE_AA)
        y += rng.randrange(height // 6, height // 2)
    if rng.random() < 0.4:
        ground, edge = two_tones(rng, 30)
        scene.rectangle((0.1, 0.2), (0.9, 0.8), ground)
        scene.rectangle((0.1, 0.2), (0.9, 0.8), edge, rng.randrange(1, 6))
    tone, row = rng.uniform(0, 255), rng.uniform(0.4, 1.0)
    for x in rng.choice(((0.05, 0.95), (0.1,), (0.5,), (0.3, 0.7), ())):
        size = (scene.tall(rng.uniform(0.08, 0.3)), scene.tall(rng.uniform(0.08, 0.25)))
        cv2.ellipse(scene.canvas, scene.at(x, row), size, 0, 0, 360, tone, -1, cv2.LINE_AA)
        cv2.ellipse(
            scene.canvas, scene.at(x, row), size, 0, 0, 360, 255 - tone, rng.randrange(1, 4), cv2.LINE_AA
        )


def headlight(rng: random.Random, scene: Scene) -> None:
    """A lamp: a glass outline, bowls and bulbs inside, ribs across; lit or not."""
    lit, slant = rng.random() < 0.35, rng.uniform(-12, 12)
    middle = scene.at(0.5, 0.5)
    glass = (scene.wide(rng.uniform(0.35, 0.55)), scene.tall(rng.uniform(0.35, 0.55)))
    ground, tone = two_tones(rng, 60)
    cv2.ellipse(scene.canvas, middle, glass, slant, 0, 360, ground, -1, cv2.LINE_AA)
    cv2.ellipse(scene.canvas, middle, glass, slant, 0, 360, tone, rng.randrange(1, 6), cv2.LINE_AA)
    for _ in range(rng.randrange(1, 4)):
        spot, radius = (
            scene.at(rng.uniform(0.2, 0.8), rng.uniform(0.35, 0.65)),
            scene.tall(rng.uniform(0.15, 0.35)),
        )
        for share in (1.0, 0.75, 0.5, 0.25)[: rng.randrange(2, 5)]:
            fill = 255 if lit and share < 0.8 else rng.uniform(20, 240)
            # Off centre, so that no bowl is an O.
            shift = round(radius * (1 - share) * 0.4)
            cv2.circle(
                scene.canvas,
                (spot[0] + shift, spot[1] - shift),
                max(1, round(radius * share)),
                fill,
                -1,
                cv2.LINE_AA,
            )
    for k in range(rng.choice((0, 0, 8, 16))):
        x = scene.at(0.1 + 0.05 * k, 0)[0]
        cv2.line(scene.canvas, (x, scene.at(0, 0.15)[1]), (x, scene.at(0, 0.85)[1]), tone, 1, cv2.LINE_AA)


def emblem(rng: random.Random, scene: Scene) -> None:
    """A maker's sign on the paint, sometimes between two wings."""
    reach = scene.tall(rng.uniform(0.25, 0.5))
    if rng.random() < 0.35:
        tone, drop = rng.uniform(0, 255), rng.uniform(0.0, 0.3)
        for k in range(rng.randrange(2, 5)):
            y, span = 0.35 + 0.1 * k, 0.48 - 0.08 * k
            for side in (-1, 1):
                cv2.line(
                    scene.canvas,
                    scene.at(0.5, y),
                    scene.at(0.5 + side * span, y - drop),
                    tone,
                    3,
                    cv2.LINE_AA,
                )
    _emblem_at(rng, scene, (0.5, 0.5), reach)


def _emblem_at(rng: random.Random, scene: Scene, center: tuple[float, float], reach: int) -> None:
    """A ring or shield with rays, bars or a shape inside."""
    middle, (ground, tone) = scene.at(*center), two_tones(rng)
    size = (round(reach * rng.choice((1.0, 1.0, 1.5))), reach)
    cv2.ellipse(scene.canvas, middle, size, 0, 0, 360, ground, -1, cv2.LINE_AA)
    cv2.ellipse(scene.canvas, middle, size, 0, 0, 360, tone, rng.randrange(1, 6), cv2.LINE_AA)
    rays, start = rng.choice((0, 0, 3, 4, 5, 8)), rng.uniform(0, math.pi)
    for k in range(rays):
        angle = start + 2 * math.pi * k / rays
        tip = (round(middle[0] + size[0] * math.cos(angle)), round(middle[1] + reach * math.sin(angle)))
        cv2.line(scene.canvas, middle, tip, tone, rng.randrange(2, 6), cv2.LINE_AA)
    if not rays:
        for share in (0.7, 0.4):
            draw_blot(rng, scene.canvas, middle, reach * share, rng.uniform(0, 255))
