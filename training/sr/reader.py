"""The frozen reader: what a loss asks how an enlarged plate reads, with a gradient to its pixels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from lprfast.model import ModelContract
from training.ocr.align import Aligned, answers_of
from training.ocr.initial import read_initial
from training.ocr.model import build_model
from training.ocr.text import Codec, required_steps

LUMA = (0.299, 0.587, 0.114)  # BT.601


def gray_of(images: Tensor) -> Tensor:
    """``[N, 1 or 3, h, w]`` to the luma ``[N, 1, h, w]``."""
    if images.shape[1] == 1:
        return images
    weights = torch.tensor(LUMA, dtype=images.dtype, device=images.device)
    return (images * weights[:, None, None]).sum(1, keepdim=True)


class FrozenReader(nn.Module):
    """A trained reader whose weights and batch-norm statistics never change.

    A reader with a locator finds the line on its own: that way carries no gradient (``Aligned.forward``
    detaches the corners), but the pixels of the line are weighted sums of the crop's, and these do.
    """

    def __init__(self, model: nn.Module, charset: Sequence[str], size: tuple[int, int]) -> None:
        """``size``: height and width of the input, in pixels."""
        super().__init__()
        self.model = model.requires_grad_(False)
        self.codec = Codec(charset)
        self.size = size
        self.train(False)

    @classmethod
    def load(cls, spec: str) -> FrozenReader:
        """From a checkpoint, an fp32 ONNX file or a bundled model's name.

        Raises:
            ValueError: there is no such model, or it cannot be rebuilt.
        """
        try:
            initial = read_initial(spec)
        except ValueError as error:
            raise ValueError(str(error).replace("--init", "--reader")) from None
        model = build_model(initial.arch, len(initial.charset) + 1, initial.input[0])
        model.load_state_dict(initial.weights)
        return cls(model, initial.charset, initial.input)

    def train(self, mode: bool = True) -> FrozenReader:
        """Stays in evaluation mode whatever is asked; but cuDNN's LSTMs pass no gradient there, and theirs is
        the same in both."""
        super().train(False)
        for module in self.model.modules():
            if isinstance(module, nn.LSTM):
                module.training = True
        return self

    def inputs(self, images: Tensor, sizes: Tensor) -> Tensor:
        """Crops 0-1 ``[N, C, h, w]`` as the reader takes them, ``[N, 1, *size]``; of crop n the upper left
        ``sizes[n]`` (height, width) pixels. As ``lprfast.prepare`` makes them, but with a gradient."""
        gray = gray_of(images) * 255
        crops = [
            functional.interpolate(
                crop[None, :, :height, :width], self.size, mode="bicubic", align_corners=False, antialias=True
            )
            for crop, (height, width) in zip(gray, sizes.tolist(), strict=True)
        ]
        return (torch.cat(crops).clamp(0, 255) - ModelContract.mean) * ModelContract.scale

    def forward(self, images: Tensor, sizes: Tensor) -> Tensor:
        """Log-posteriors ``[N, T, K]`` of crops 0-1 ``[N, C, h, w]`` that fill ``sizes [N, 2]`` of them."""
        return answers_of(self.model(self.inputs(images, sizes)))[0]

    def features(self, images: Tensor, sizes: Tensor) -> Tensor:
        """What the last layer but the head sees, ``[N, D]``."""
        inputs = self.inputs(images, sizes)
        net = self.model
        if isinstance(net, Aligned):
            inputs = net.cut_out(inputs, net(inputs)[1].detach())
            net = net.read
        assert isinstance(net, nn.Sequential)
        return torch.flatten(net[:-1](inputs), 1)

    def ctc(self, log_posteriors: Tensor, texts: Sequence[str]) -> Tensor:
        """CTC loss of each text over its length, ``[N]``; 0 for texts that the reader cannot write."""
        targets, lengths, usable = self.targets(texts, log_posteriors.shape[1])
        steps = torch.full((len(texts),), log_posteriors.shape[1], dtype=torch.int64)
        losses = functional.ctc_loss(
            log_posteriors.transpose(0, 1), targets.to(log_posteriors.device), steps, lengths,
            reduction="none", zero_infinity=True,
        )  # fmt: skip
        lengths = lengths.to(losses.device).clamp(min=1)
        return losses / lengths * usable.to(losses)

    def targets(self, texts: Sequence[str], steps: int) -> tuple[Tensor, Tensor, Tensor]:
        """Classes of all texts joined, their numbers, and which texts can be written in ``steps`` steps."""
        usable = [
            bool(text) and set(text) <= set(self.codec.charset) and required_steps(text) <= steps
            for text in texts
        ]
        classes = [self.codec.encode(text) if ok else [] for text, ok in zip(texts, usable, strict=True)]
        joined = torch.tensor([number for row in classes for number in row], dtype=torch.int64)
        return joined, torch.tensor([len(row) for row in classes]), torch.tensor(usable)

    def read(self, crops: Tensor) -> Iterator[str]:
        """The texts of prepared crops ``[N, 1, *size]`` by best path."""
        with torch.inference_mode():
            for start in range(0, len(crops), 64):
                answers = answers_of(self.model(crops[start : start + 64]))[0]
                yield from self.codec.greedy(answers.float().cpu().numpy())
