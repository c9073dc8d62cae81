"""Logistic regression with few features: what the calibration of confidences is fitted by."""

from __future__ import annotations

import math
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

FOLDS = 5
RIDGE = 1.0
NEEDED_ERRORS = 2.0  # standard errors of a gain, row by row

Array = NDArray[np.float64]
Choice = TypeVar("Choice", bound=Hashable)


@dataclass(frozen=True)
class Fit:
    """A logistic regression: ``P(right) = sigmoid(features @ weights + bias)``."""

    features: tuple[str, ...]
    weights: tuple[float, ...]
    bias: float

    def predict(self, values: Array) -> Array:
        """Of features ``[N, F]`` in the order of ``features`` the probabilities ``[N]``."""
        return sigmoid(values @ np.asarray(self.weights) + self.bias)


def sigmoid(sums: Array) -> Array:
    """``1 / (1 + exp(-x))``, with x held within 30 of 0."""
    return np.asarray(1 / (1 + np.exp(-np.clip(sums, -30, 30))))


def fit_logistic(
    values: Array,
    right: Array,
    features: Sequence[str],
    ridge: float = RIDGE,
    never_negative: Collection[str] = ("logit_confidence",),
) -> Fit:
    """Maximum likelihood with an L2 penalty on the weights of the standardised features.

    Weights of ``never_negative`` features are 0 or more: where the best one is not, it is 0 and the rest
    fitted without it, the least one first. Of one such feature that is the optimum under the bound.

    Args:
        values: ``[N, F]``.
        right: ``[N]``, 0 or 1.
        features: names of the columns.
        ridge: ``ridge / 2 * sum of squared weights`` is added to the summed loss.
    """
    free = np.ones(len(features), bool)
    bounded = np.array([name in never_negative for name in features], bool)
    weights, bias = _newton(values, right, ridge)
    while (bounded & (weights < 0)).any():
        free[np.argmin(np.where(bounded, weights, np.inf))] = False
        weights = np.zeros(len(features))
        weights[free], bias = _newton(values[:, free], right, ridge)
    return Fit(tuple(features), tuple(map(float, weights)), float(bias))


def _newton(values: Array, right: Array, ridge: float) -> tuple[Array, float]:
    centre, spread = values.mean(axis=0), values.std(axis=0)
    spread = np.where(spread > 1e-9, spread, 1.0)
    design = np.column_stack([(values - centre) / spread, np.ones(len(values))])
    penalty = np.diag([ridge] * values.shape[1] + [1e-3])  # the last: finite where all are right
    theta = np.zeros(design.shape[1])
    for _ in range(100):
        p = sigmoid(design @ theta)
        gradient = design.T @ (p - right) + penalty @ theta
        hessian = (design * (p * (1 - p))[:, None]).T @ design + penalty
        step = np.linalg.solve(hessian, gradient)
        # A full step may overshoot where nearly all are right; a bounded one converges all the same.
        theta -= step * min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-12))
        if float(np.abs(step).max()) < 1e-10:
            break
    weights = theta[:-1] / spread
    return weights, float(theta[-1] - weights @ centre)


def held_out_losses(
    values: Array,
    right: Array,
    features: Sequence[str],
    seed: int,
    never_negative: Collection[str] = ("logit_confidence",),
) -> Array:
    """Negative log likelihood of each row ``[N]``, by a fit on the other ``FOLDS - 1`` folds."""
    folds = np.random.default_rng(seed).permutation(len(right)) % FOLDS
    predicted = np.empty(len(right))
    for fold in range(FOLDS):
        inside = folds != fold
        fit = fit_logistic(values[inside], right[inside], features, never_negative=never_negative)
        predicted[~inside] = fit.predict(values[~inside])
    return losses_of(predicted, right)


def losses_of(predicted: Array, right: Array) -> Array:
    """Negative log likelihood ``[N]`` of probabilities, held within 1e-6 of 0 and 1."""
    held = np.clip(predicted, 1e-6, 1 - 1e-6)
    return np.asarray(-(right * np.log(held) + (1 - right) * np.log1p(-held)))


def smallest_that_helps(losses: Mapping[Choice, Array]) -> Choice:
    """Of choices, from the least to the most, the last that betters the one taken before it beyond chance.

    Args:
        losses: of each choice, on the same rows ``[N]``.
    """
    best, *later = losses
    for choice in later:
        gain = losses[best] - losses[choice]
        if gain.mean() > NEEDED_ERRORS * gain.std() / math.sqrt(len(gain)):
            best = choice
    return best
