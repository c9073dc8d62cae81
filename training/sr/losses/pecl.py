"""PECL, the plate paper's loss: pixels and embeddings (Sendjasni and Larabi, eq. 14-19).

``u`` and ``v`` are unit vectors in R^d of the enlarged and of the true image, ``D = |u - v|`` (L1 or L2).

* ``as_printed`` (eq. 17): ``max(m - D, 0)^2`` with m = 2. This is the term for *different* things of Hadsell,
  Chopra and LeCun (2006): its descent drives the enlarged image's embedding **away** from the true one's. In
  L1, where D reaches 2 sqrt(d), it is zero and dead once D >= 2; in L2, where D <= 2, it repels for ever. The
  paper's words say the opposite. Only for comparison.
* ``pull``: ``D^2 / E0^2``. E0 is the mean D of independent random unit vectors, ``2 sqrt(d / pi)`` in L1 and
  ``sqrt(2)`` in L2: embeddings that have nothing in common cost about 1 for every d. Nothing is said of the
  gradient at the pixels, which depends on the encoder; ``balanced`` weighs by that.
* ``pull_push``: pull, and ``mean_j max(m - D(v_i, v_j), 0)^2 / E0^2`` over the plates j of the batch with
  **another text** (patches of one plate are no negatives). The push holds the true images' embeddings apart:
  it shapes an encoder that is trained and never the enlarged image. m is E0 / 2.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from training.sr.losses.encoders import Encoder
from training.sr.losses.terms import Batch, GradientBalance, SrLoss, pixel_loss

CONTRASTIVE = ("as_printed", "pull", "pull_push")
WEIGHTINGS = ("fixed", "balanced", "clipped_learnable", "uncertainty")
METRICS = ("l1", "l2")
PRINTED_MARGIN = 2.0
LOG_VARIANCES = (-6.0, 6.0)  # bounds: log L goes to minus infinity with L


class Pecl(SrLoss):
    """``w_p * pixel + w_c * contrastive`` (eq. 19).

    ``weighting``:

    * ``fixed``: w_c = ``weight``, w_p = 1 - w_c;
    * ``balanced``, ours and not the paper's: w_p = 1 and w_c such that the second gradient at the enlarged
      image is ``ratio`` times as long as the first (``GradientBalance``). With a fixed weight a random
      encoder drowns the pixels, and each of d, metric and form changes how much;
    * ``clipped_learnable``, as printed: w_p is learnt and cut to 0-1, w_c = 1 - w_p. Since dL/dw_p is the
      difference of the two losses, it runs to the end that multiplies the **smaller** one; with
      ``as_printed`` that is a total of zero and no gradient for the network;
    * ``uncertainty`` (Kendall, Gal and Cipolla, 2018): ``sum_i exp(-s_i) / 2 * L_i + s_i / 2`` with learnt,
      bounded s.
    """

    def __init__(
        self,
        encoder: Encoder,
        d: int,
        contrastive: str = "pull",
        weighting: str = "fixed",
        metric: str = "l1",
        margin: float | None = None,
        weight: float = 0.5,
        pixel: str = "mse",
        ratio: float = 1.0,
    ) -> None:
        super().__init__()
        self.encoder, self.d = encoder, d
        self.contrastive, self.weighting, self.metric = contrastive, weighting, metric
        self.margin = default_margin(contrastive, metric, d) if margin is None else margin
        self.weight, self.pixel = weight, pixel
        if weighting == "balanced":
            self.balance = GradientBalance(ratio)
        elif weighting == "clipped_learnable":
            warnings.warn("clipped_learnable: the weight runs to 0 or 1", stacklevel=2)
            self.pixel_share = nn.Parameter(torch.tensor(0.5))
        elif weighting == "uncertainty":
            self.log_variances = nn.Parameter(torch.zeros(2))

    def forward(self, upscaled: Tensor, batch: Batch) -> Tensor:
        first = pixel_loss(self.pixel, upscaled, batch)
        if self.weighting == "fixed" and self.weight == 0:
            self.note(pixel=first, w_pixel=1.0, w_contrast=0.0)
            return first
        u, v = self.encoder(upscaled, batch), self.encoder(batch.high, batch)
        second = contrast(u, v, self.contrastive, self.metric, self.margin, batch.texts)
        if self.weighting == "balanced":
            self.balance(first, second, upscaled)
        w_pixel, w_contrast = self.weights()
        apart = distance(u, v, self.metric).mean()
        self.note(pixel=first, contrast=second, distance=apart, w_pixel=w_pixel, w_contrast=w_contrast)
        return self.weighed(first, second)

    def weighed(self, pixel: Tensor, contrastive: Tensor) -> Tensor:
        """The two terms by the weighting that was chosen."""
        if self.weighting in ("fixed", "balanced"):
            w_pixel, w_contrast = self.weights()
            return w_pixel * pixel + w_contrast * contrastive
        if self.weighting == "clipped_learnable":
            return self.pixel_share * pixel + (1 - self.pixel_share) * contrastive
        held = self.log_variances.clamp(*LOG_VARIANCES)
        terms = torch.stack([pixel, contrastive])
        return (0.5 * torch.exp(-held) * terms + 0.5 * held).sum()

    def weights(self) -> tuple[float, float]:
        """The factors of the pixel and of the contrastive term as they are now."""
        if self.weighting == "fixed":
            return 1 - self.weight, self.weight
        if self.weighting == "balanced":
            return 1.0, self.balance.value()
        if self.weighting == "clipped_learnable":
            share = float(self.pixel_share.detach())
            return share, 1 - share
        first, second = (0.5 * torch.exp(-self.log_variances.detach().clamp(*LOG_VARIANCES))).tolist()
        return first, second

    def trained(self) -> Iterable[nn.Parameter]:
        return (parameter for parameter in self.encoder.parameters() if parameter.requires_grad)

    def learnt_weights(self) -> Iterable[nn.Parameter]:
        return self.parameters(recurse=False)

    @torch.no_grad()
    def learn(self, upscaled: Tensor, batch: Batch) -> None:
        """Cuts the learnt weight to 0-1, as the paper has it."""
        if self.weighting == "clipped_learnable":
            self.pixel_share.clamp_(0, 1)


def expected_distance(metric: str, d: int) -> float:
    """E0: the mean distance of independent random unit vectors in R^d, for large d."""
    return 2 * math.sqrt(d / math.pi) if metric == "l1" else math.sqrt(2)


def default_margin(contrastive: str, metric: str, d: int) -> float:
    """2 as the paper has it; half the mean distance for ``pull_push``."""
    return PRINTED_MARGIN if contrastive == "as_printed" else expected_distance(metric, d) / 2


def distance(u: Tensor, v: Tensor, metric: str) -> Tensor:
    """L1 or L2 over the last axis; the gradient at 0 is 0, not NaN."""
    out: Tensor = torch.linalg.vector_norm(u - v, ord=1 if metric == "l1" else 2, dim=-1)
    return out


def contrast(u: Tensor, v: Tensor, form: str, metric: str, margin: float, texts: Sequence[str]) -> Tensor:
    """The contrastive term, a scalar; see the head of this file."""
    apart = distance(u, v, metric)
    if form == "as_printed":
        return (margin - apart).clamp(min=0).square().mean()
    unit = expected_distance(metric, u.shape[1]) ** 2
    pulled = apart.square().mean() / unit
    return pulled if form == "pull" else pulled + push(v, metric, margin, texts) / unit


def push(v: Tensor, metric: str, margin: float, texts: Sequence[str]) -> Tensor:
    """``mean_i mean_{j in N(i)} max(m - D(v_i, v_j), 0)^2``; N(i): plates of another text."""
    others = negatives(texts).to(v.device)
    short = (margin - distance(v[:, None], v[None, :], metric)).clamp(min=0).square() * others
    return (short.sum(1) / others.sum(1).clamp(min=1)).mean()


def negatives(texts: Sequence[str]) -> Tensor:
    """bool ``[N, N]``: whether j is another plate than i. A text that is not known is like every other."""
    return torch.tensor([[bool(a and b) and a != b for b in texts] for a in texts], dtype=torch.bool)
