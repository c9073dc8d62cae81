"""Where a run's weights come from: another run's checkpoint, an exported file or a bundled model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from lprfast.models import model_path
from training.ocr.checkpoint import averaged_model, load_checkpoint
from training.ocr.config import Config
from training.ocr.from_onnx import network_from_onnx
from training.ocr.labels import label_file_name
from training.ocr.text import Codec


@dataclass(frozen=True)
class Initial:
    """Trained weights and what they belong to.

    Attributes:
        name: of the model, or of the checkpoint's run.
        arch, input, charset: of the network; ``input`` is (height, width) in pixels.
        weights: its state dict.
        data: label files that it learnt from, by folder and name.
        folded: whether its batch norms hold no statistics and want ``calibrate``.
    """

    name: str
    arch: str
    input: tuple[int, int]
    charset: tuple[str, ...]
    weights: dict[str, Tensor]
    data: tuple[str, ...]
    folded: bool


def read_initial(spec: str) -> Initial:
    """Reads the model that ``--init`` names: a checkpoint, an ONNX file, or a bundled model by its name.

    Raises:
        ValueError: there is no such model, or it cannot be trained further; the message says why.
    """
    path = _find(spec)
    return _from_onnx(path) if path.suffix == ".onnx" else _from_checkpoint(path)


def _find(spec: str) -> Path:
    path = Path(spec)
    if path.is_file() or path.suffix in (".pt", ".onnx"):
        return path
    try:
        bundled = model_path(spec)
    except ValueError as error:
        raise ValueError(f"--init {spec}: expected a checkpoint or an ONNX file: {error}") from None
    # The model that reads may be int8; its fp32 original then lies beside it.
    twin = bundled.with_name(f"{spec}-fp32.onnx")
    return twin if twin.is_file() else bundled


def _from_onnx(path: Path) -> Initial:
    model, contract = network_from_onnx(path)
    data = tuple(str(entry) for entry in contract.training.get("data", ()) if entry != "synthetic")
    size = (contract.input_height, contract.input_width)
    arch = str(contract.training["arch"])
    return Initial(contract.name, arch, size, contract.charset, model.state_dict(), data, folded=True)


def _from_checkpoint(path: Path) -> Initial:
    state = load_checkpoint(path)
    config = Config.from_dict(state["config"])
    weights = averaged_model(state).state_dict()
    data = tuple(dict.fromkeys([*map(label_file_name, config.data), *config.init_data]))
    charset = tuple(state["charset"])
    return Initial(config.name, config.arch, config.input, charset, weights, data, folded=False)


def load_weights(model: nn.Module, config: Config, codec: Codec, initial: Initial) -> None:
    """Copies trained weights; symbols of both charsets keep their classes' weights.

    Raises:
        ValueError: the weights are of another architecture, or do not fit the run's input size.
    """
    if config.arch != initial.arch:
        raise ValueError(f"--init: the model is of the architecture {initial.arch!r}; choose the same")
    old = Codec(initial.charset)
    shared = [symbol for symbol in codec.charset if symbol in old.charset]
    into = [0, *(codec.encode(symbol)[0] for symbol in shared)]
    from_ = [0, *(old.encode(symbol)[0] for symbol in shared)]
    for name, value in model.state_dict().items():
        source = initial.weights[name]
        if ".classify." in name:
            value[into] = source[from_].to(value.device)
        elif value.shape == source.shape:
            value.copy_(source)
        else:
            had, wanted = ("x".join(map(str, size)) for size in (initial.input, config.input))
            raise ValueError(
                f"--init: the weights of {name} are for inputs of {had} and do not fit --input {wanted}; "
                f"leave --input out or train from the start"
            )


@torch.no_grad()
def calibrate(model: nn.Module, batches: Iterable[Tensor]) -> None:
    """Gives every batch norm the statistics of ``batches`` (images ``[N, 1, h, w]``), its answer unchanged.

    A batch norm that a file held folded is the identity: it adds a bias and no more. In training it would
    suddenly normalise, and the network answer nonsense. So mean m and variance v of what it sees are
    measured, and its map ``a x + b`` written as ``a sqrt(v + eps) * (x - m) / sqrt(v + eps) + (b + a m)``:
    in training, too, it then does what it does here.
    """
    norms = [module for module in model.modules() if isinstance(module, _BatchNorm)]
    sums: dict[nn.Module, Tensor] = {}
    sums |= {norm: torch.zeros(3, norm.num_features, dtype=torch.float64) for norm in norms}

    def measure(norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        x = inputs[0].double().transpose(0, 1).flatten(1).cpu()
        sums[norm] += torch.stack([torch.full((len(x),), x.shape[1]), x.sum(1), (x * x).sum(1)])

    hooks = [norm.register_forward_pre_hook(measure) for norm in norms]
    training = model.training
    model.eval()
    for images in batches:
        model(images)
    model.train(training)
    for hook in hooks:
        hook.remove()
    for norm in norms:
        count, total, squares = sums[norm]
        mean = total / count
        _restate(norm, mean, (squares / count - mean**2).clamp(min=0))


def _restate(norm: _BatchNorm, mean: Tensor, variance: Tensor) -> None:
    assert norm.running_mean is not None
    assert norm.running_var is not None
    weight, bias, old_mean, old_variance = (
        tensor.double().cpu() for tensor in (norm.weight, norm.bias, norm.running_mean, norm.running_var)
    )
    slope = weight / (old_variance + norm.eps).sqrt()
    norm.weight.copy_(slope * (variance + norm.eps).sqrt())
    norm.bias.copy_(bias + slope * (mean - old_mean))
    norm.running_mean.copy_(mean)
    norm.running_var.copy_(variance)
