"""Batches made in worker processes, the same for every trainer."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Any

from torch.utils.data import DataLoader


def endless(dataset: Any, sampler: Any, workers: int, pin: bool) -> Iterator[Any]:
    """What ``dataset`` makes of the sampler's keys, in order whatever the number of workers (0: none).

    Ctrl-C reaches every process of a terminal. The workers ignore it: the training process, which turns it
    into an orderly stop, may still wait for a batch, and ends them itself.
    """
    loader = DataLoader(
        dataset,
        batch_size=None,
        sampler=sampler,
        num_workers=workers,
        multiprocessing_context="spawn" if workers else None,
        prefetch_factor=4 if workers else None,
        pin_memory=pin,
    )
    if not workers:
        yield from loader
        return
    # What is ignored where a process is started is ignored in it from its first moment.
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        made = iter(loader)
    finally:
        signal.signal(signal.SIGINT, handler)
    yield from made
