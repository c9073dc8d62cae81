"""Encoders of PECL: images to unit vectors ``[N, d]``."""

from __future__ import annotations

import copy
import math
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.sr.losses.terms import Batch
from training.sr.reader import FrozenReader

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_DEVIATION = (0.229, 0.224, 0.225)
EPSILON = 1e-8


class BasicBlock(nn.Module):
    """Two 3x3 convolutions around a shortcut, which is projected where the shape changes."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample: nn.Module | None = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        inner = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        shortcut = x if self.downsample is None else self.downsample(x)
        return torch.relu(shortcut + inner)


class ResNet18(nn.Module):
    """ResNet-18 (He et al., 2016) with a last layer of size ``d``; names as in the public ImageNet files.

    Takes ``[N, 3, h, w]`` in 0-1. 11,176,512 parameters before the last layer.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, d: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        widths = (64, 64, 128, 256, 512)
        for k in range(1, 5):
            first = BasicBlock(widths[k - 1], widths[k], 1 if k == 1 else 2)
            self.add_module(f"layer{k}", nn.Sequential(first, BasicBlock(widths[k], widths[k], 1)))
        self.fc = nn.Linear(512, d)
        for name, values in (("mean", IMAGENET_MEAN), ("deviation", IMAGENET_DEVIATION)):
            self.register_buffer(name, torch.tensor(values)[:, None, None], persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        x = torch.relu(self.bn1(self.conv1((images - self.mean) / self.deviation)))
        x = functional.max_pool2d(x, 3, 2, 1)
        for k in range(1, 5):
            x = self.get_submodule(f"layer{k}")(x)
        out: Tensor = self.fc(x.mean((2, 3)))
        return out

    def load_imagenet(self, path: Path) -> None:
        """Takes all but the last layer from a public ResNet-18 file (``fc`` has another size here).

        Raises:
            ValueError: the file cannot be read or lacks a layer.
        """
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
            kept = {key: value for key, value in state.items() if not key.startswith("fc.")}
            missing, unknown = self.load_state_dict(kept, strict=False)
        except Exception as error:  # torch names no error type for a broken file
            raise ValueError(f"--encoder-weights {path}: expected a ResNet-18 state dict: {error}") from None
        if unknown or set(missing) != {"fc.weight", "fc.bias"}:
            raise ValueError(f"--encoder-weights {path}: expected the layers of ResNet-18")


class Encoder(nn.Module):
    """Images to unit vectors. Frozen, it stays in evaluation mode and learns nothing."""

    def __init__(self, frozen: bool) -> None:
        super().__init__()
        self.frozen = frozen

    def freeze(self) -> None:
        """To be called once the weights are in place."""
        if self.frozen:
            self.requires_grad_(False)
            self.train(False)

    def train(self, mode: bool = True) -> Encoder:
        super().train(mode and not self.frozen)
        return self

    def embed(self, images: Tensor, batch: Batch) -> Tensor:
        """``[N, d]``, of any length."""
        raise NotImplementedError

    def forward(self, images: Tensor, batch: Batch) -> Tensor:
        """Unit vectors ``[N, d]``; of a zero vector the answer is zero, not NaN."""
        return functional.normalize(self.embed(images, batch), dim=1, eps=EPSILON)


class ResNetEncoder(Encoder):
    """The plate paper's: ResNet-18 with its last layer replaced by one of size d (eq. 15, 16).

    The paper does not say whether it is trained. Without ``weights`` it starts from random ones.
    """

    def __init__(self, d: int, frozen: bool = True, weights: Path | None = None) -> None:
        super().__init__(frozen)
        self.net = ResNet18(d)
        if weights is not None:
            self.net.load_imagenet(weights)
        self.freeze()

    def embed(self, images: Tensor, batch: Batch) -> Tensor:
        out: Tensor = self.net(images.expand(-1, 3, -1, -1))
        return out


class ReaderEncoder(Encoder):
    """The reader's trunk, then a fixed random projection to d (Johnson and Lindenstrauss): distances stay.

    ``frozen=False`` trains a copy, so that the reader that judges stays as it is; the copy's batch norms keep
    their statistics, and where it looks for the line does not change.
    """

    projection: Tensor

    def __init__(self, reader: FrozenReader, d: int, frozen: bool = True) -> None:
        super().__init__(frozen)
        # A checkpoint leaves out what is called a reader, which is a file of its own; a trained copy is kept.
        self.reader = reader if frozen else None
        self.trunk = None if frozen else copy.deepcopy(reader)
        if self.trunk is not None:
            self.trunk.model.requires_grad_(True)
        size = reader.features(torch.zeros(1, 1, 8, 32), torch.tensor([[8, 32]])).shape[1]
        generator = torch.Generator().manual_seed(0)
        matrix = torch.randn(size, d, generator=generator) / math.sqrt(size)
        self.register_buffer("projection", matrix, persistent=False)
        self.freeze()

    def embed(self, images: Tensor, batch: Batch) -> Tensor:
        reader = self.reader or self.trunk
        assert reader is not None
        return reader.features(images, batch.sizes) @ self.projection
