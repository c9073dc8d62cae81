"""Adversarial training with the reader's loss, in the form of LPSRGAN (Pan et al., Neurocomputing, 2024).

    L_G = pixel + lambda CTC(reader(SR), text) + adversarial * mean (D(SR) - 1)^2
    L_D = (mean (D(HR) - 1)^2 + mean D(SR)^2) / 2                        (least squares, Mao et al., 2017)

The reader is a loss of the generator and not the discriminator. Differences: the published discriminator is a
UNet3+, this a U-Net that judges every pixel, with spectral norms (Schonfeld et al., 2020; Real-ESRGAN); the
published perceptual VGG term is left out, since its weights are not ours to give.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

from training.sr.losses.reading import ReadingLoss
from training.sr.losses.terms import Batch, mean_inside
from training.sr.reader import FrozenReader

ADVERSARIAL_WEIGHT = 0.005


def _conv(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> nn.Module:
    return spectral_norm(nn.Conv2d(inputs, outputs, kernel, stride, 1, bias=False))


class Discriminator(nn.Module):
    """``[N, C, h, w]`` to how true each pixel looks, ``[N, 1, h, w]``; trained towards 1 and 0."""

    def __init__(self, channels: int, features: int = 32) -> None:
        super().__init__()
        f = features
        self.first = nn.Conv2d(channels, f, 3, padding=1)
        self.down = nn.ModuleList([_conv(f, 2 * f, 4, 2), _conv(2 * f, 4 * f, 4, 2)])
        self.up = nn.ModuleList([_conv(4 * f, 2 * f), _conv(2 * f, f)])
        self.last = nn.Conv2d(f, 1, 3, padding=1)

    def forward(self, images: Tensor) -> Tensor:
        x = _leaky(self.first(images))
        seen = []
        for layer in self.down:
            seen.append(x)
            x = _leaky(layer(x))
        for layer in self.up:
            shortcut = seen.pop()
            x = functional.interpolate(x, shortcut.shape[2:], mode="bilinear", align_corners=False)
            x = _leaky(layer(x)) + shortcut
        out: Tensor = self.last(x)
        return out


def _leaky(x: Tensor) -> Tensor:
    return functional.leaky_relu(x, 0.2)


class AdversarialLoss(ReadingLoss):
    """The generator's loss; ``learn`` is the discriminator's step, with an optimiser of its own.

    ``features``: of the discriminator's first layer.
    """

    def __init__(
        self,
        reader: FrozenReader,
        channels: int,
        adversarial: float = ADVERSARIAL_WEIGHT,
        lr: float = 1e-4,
        weight: float | None = None,
        ratio: float = 1.0,
        pixel: str = "l1",
        features: int = 32,
    ) -> None:
        super().__init__(reader, weight, ratio, pixel)
        self.adversarial = adversarial
        self.discriminator = Discriminator(channels, features)
        self.optimizer = torch.optim.Adam(self.discriminator.parameters(), lr, betas=(0.5, 0.999))

    def forward(self, upscaled: Tensor, batch: Batch) -> Tensor:
        total = super().forward(upscaled, batch)
        self.discriminator.requires_grad_(False)
        believed = self._distance(upscaled, 1.0, batch)
        self.discriminator.requires_grad_(True)
        self.parts["adversarial"] = float(believed.detach())
        return torch.add(total, self.adversarial * believed)

    def learn(self, upscaled: Tensor, batch: Batch) -> None:
        true = self._distance(batch.high, 1.0, batch)
        false = self._distance(upscaled.detach(), 0.0, batch)
        self.optimizer.zero_grad(set_to_none=True)
        loss = (true + false) / 2
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        self.parts["discriminator"] = float(loss.detach())

    def _distance(self, images: Tensor, told: float, batch: Batch) -> Tensor:
        """Mean squared distance of the discriminator's opinion from ``told``, where there is an image."""
        return mean_inside((self.discriminator(images) - told).square(), batch.sizes)

    def get_extra_state(self) -> dict[str, object]:
        """The optimiser's state, so that a checkpoint of the loss is whole."""
        return {"optimizer": self.optimizer.state_dict()}

    def set_extra_state(self, state: dict[str, dict[str, object]]) -> None:
        self.optimizer.load_state_dict(state["optimizer"])
