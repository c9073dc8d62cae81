"""Distances of embeddings under one run's encoder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from test_sr_losses import make_reader
from test_sr_training import SMALL

from training import train_sr
from training.sr import distances as module
from training.sr.checkpoint import load_checkpoint, network_of
from training.sr.reader import FrozenReader

FLAGS = ["--arch", "espcn", "--steps", "1", "--no-export", *SMALL]

pytestmark = pytest.mark.usefixtures("process_as_it_was")


def test_one_encoder_looks_at_all_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(FrozenReader, "load", classmethod(lambda cls, spec: make_reader()))
    plain, pecl = tmp_path / "plain", tmp_path / "pecl"
    assert train_sr.main([*FLAGS, "--out", str(plain)]) == 0
    assert train_sr.main([*FLAGS, "--loss", "pecl", "--embedding", "8", "--out", str(pecl)]) == 0
    capsys.readouterr()
    assert module.main([str(plain), str(pecl), "--encoder-of", str(pecl)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in said] == ["plain", "pecl"]

    encoder, config = module.encoder_of(pecl)
    batch = module.held_out_patches(config)
    assert batch.high.shape == (2, 1, 32, 32)
    with torch.inference_mode():
        upscaled = network_of(load_checkpoint(plain / "last.pt"))(batch.low).clamp(0, 1)
        u, v = (encoder.embed(images, batch).numpy() for images in (upscaled, batch.high))
    u, v = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in (u, v))
    l1, l2 = np.abs(u - v).sum(1).mean(), np.sqrt(((u - v) ** 2).sum(1)).mean()
    assert said[0] == f"plain: l1 {l1:.3f}, l2 {l2:.3f}"
    assert l1 > 0

    assert module.main([str(pecl), "--encoder-of", str(plain)]) == 2
    assert "plain: expected a run of --loss pecl" in capsys.readouterr().err
    assert module.main([str(tmp_path / "none"), "--encoder-of", str(pecl)]) == 2
    assert "none" in capsys.readouterr().err
