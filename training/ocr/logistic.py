"""Logistic regression with few features: what the calibration of confidences is fitted by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FOLDS = 5
RIDGE = 1.0

Array = NDArray[np.float64]


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


def fit_logistic(values: Array, right: Array, features: Sequence[str], ridge: float = RIDGE) -> Fit:
    """Maximum likelihood with an L2 penalty on the weights of the standardised features.

    The weight of ``logit_confidence`` is never negative: where the best one is, it is 0 and the rest fitted
    without it, which is the optimum under that bound.

    Args:
        values: ``[N, F]``.
        right: ``[N]``, 0 or 1.
        features: names of the columns.
        ridge: ``ridge / 2 * sum of squared weights`` is added to the summed loss.
    """
    free = np.ones(len(features), bool)
    weights, bias = _newton(values, right, ridge)
    if "logit_confidence" in features and weights[features.index("logit_confidence")] < 0:
        free[features.index("logit_confidence")] = False
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


def held_out_losses(values: Array, right: Array, features: Sequence[str], seed: int) -> Array:
    """Negative log likelihood of each row ``[N]``, by a fit on the other ``FOLDS - 1`` folds."""
    folds = np.random.default_rng(seed).permutation(len(right)) % FOLDS
    predicted = np.empty(len(right))
    for fold in range(FOLDS):
        inside = folds != fold
        predicted[~inside] = fit_logistic(values[inside], right[inside], features).predict(values[~inside])
    held = np.clip(predicted, 1e-6, 1 - 1e-6)
    return np.asarray(-(right * np.log(held) + (1 - right) * np.log1p(-held)))
