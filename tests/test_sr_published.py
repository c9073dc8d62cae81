"""Published weights of SR networks: names and shapes, written down from the descriptions of the files."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
import torch
from test_sr_networks import small
from torch import Tensor

from training.sr.checkpoint import load_weights, read_weights
from training.sr.models import build_model, swinir


def conv(name: str, outputs: int, inputs: int, size: int = 3) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (outputs, inputs, size, size), f"{name}.bias": (outputs,)}


def dense(name: str, outputs: int, inputs: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def norm(name: str) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (180,), f"{name}.bias": (180,)}


def published_esrgan() -> dict[str, tuple[int, ...]]:
    """RRDB_ESRGAN_x4 and its relatives: RRDBNet with 23 blocks."""
    shapes = conv("conv_first", 64, 3)
    for block, inner, k in itertools.product(range(23), (1, 2, 3), (1, 2, 3, 4, 5)):
        shapes |= conv(f"body.{block}.rdb{inner}.conv{k}", 64 if k == 5 else 32, 64 + 32 * (k - 1))
    for name in ("conv_body", "conv_up1", "conv_up2", "conv_hr"):
        shapes |= conv(name, 64, 64)
    return shapes | conv("conv_last", 3, 64)


def published_swinir(groups: int = 6, layers: int = 6) -> dict[str, tuple[int, ...]]:
    """classicalSR_DF2K_s64w8_SwinIR-M_x4: trained on patches of 64, in windows of 8."""
    shapes = {**conv("conv_first", 180, 3), **norm("patch_embed.norm"), **norm("norm")}
    for group in range(groups):
        for k in range(layers):
            block = f"layers.{group}.residual_group.blocks.{k}"
            shapes |= {**norm(f"{block}.norm1"), **norm(f"{block}.norm2")}
            shapes |= {**dense(f"{block}.attn.qkv", 540, 180), **dense(f"{block}.attn.proj", 180, 180)}
            shapes |= {**dense(f"{block}.mlp.fc1", 360, 180), **dense(f"{block}.mlp.fc2", 180, 360)}
            shapes[f"{block}.attn.relative_position_bias_table"] = (225, 6)
            shapes[f"{block}.attn.relative_position_index"] = (64, 64)
            if k % 2:
                shapes[f"{block}.attn_mask"] = (64, 64, 64)
        shapes |= conv(f"layers.{group}.conv", 180, 180)
    shapes |= {**conv("conv_after_body", 180, 180), **conv("conv_before_upsample.0", 64, 180)}
    return {
        **shapes,
        **conv("upsample.0", 256, 64),
        **conv("upsample.2", 256, 64),
        **conv("conv_last", 3, 64),
    }


def test_names_and_shapes_of_the_published_esrgan() -> None:
    with torch.device("meta"):
        model = build_model("esrgan", 4, 3)
        weights = {name: torch.empty(shape) for name, shape in published_esrgan().items()}
    load_weights(model, weights, "esrgan")
    del weights["body.22.rdb3.conv5.bias"]
    with pytest.raises(ValueError, match=r"body\.22\.rdb3\.conv5\.bias: expected \(64,\), got nothing"):
        load_weights(model, weights, "esrgan")


def test_names_and_shapes_of_the_published_swinir() -> None:
    with torch.device("meta"):
        ours = {name: tuple(v.shape) for name, v in build_model("swinir", 4, 3).state_dict().items()}
    tables = ("attn_mask", "relative_position_index")
    assert ours == {name: shape for name, shape in published_swinir().items() if not name.endswith(tables)}


def test_a_published_swinir_file_loads_with_its_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small(monkeypatch, swinir, GROUPS=1, LAYERS=2)
    weights: dict[str, Tensor] = {
        name: torch.full(shape, 0.01) for name, shape in published_swinir(1, 2).items()
    }
    for name in weights:
        if name.endswith("relative_position_index"):
            weights[name] = swinir.relative_index()
    assert sum(name.endswith("attn_mask") for name in weights) == 1
    torch.save({"params": weights}, tmp_path / "swinir.pth")
    model = build_model("swinir", 4, 3)
    load_weights(model, read_weights(tmp_path / "swinir.pth"), "swinir")
    assert all(float(p.detach().min()) == float(p.detach().max()) for p in model.parameters())
