"""What tests of several files lean on."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest


@pytest.fixture
def process_as_it_was() -> Iterator[None]:
    """A training sets torch's threads and what signals do; afterwards both are as they were."""
    import torch

    threads = torch.get_num_threads()
    handlers = [(number, signal.getsignal(number)) for number in (signal.SIGINT, signal.SIGTERM)]
    yield
    torch.set_num_threads(threads)
    for number, handler in handlers:
        signal.signal(number, handler)
