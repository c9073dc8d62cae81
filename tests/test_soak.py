"""Ten thousand calls from eight Python threads: the serial answers, and no growth of memory."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import lprfast

DEMO = Path(lprfast.__file__).parent / "demo_tracks"
THREADS = 8
CALLS = 10_000
ALLOWED_GROWTH_MIB = 5


def resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def some_crops() -> list[npt.NDArray[np.uint8]]:
    """Every second demo crop, in many sizes: each is cut by another border."""
    paths = sorted(DEMO.glob("*/*.png"))[1::2]
    crops = [lprfast.load_image(path) for path in paths]
    return [crop[:, : crop.shape[1] - cut] for cut in range(4) for crop in crops]


def call_from_threads(
    reader: lprfast.PlateReader, crops: list[Any], expected: list[Any], calls: int
) -> list[int]:
    wrong: list[int] = []

    def work(first: int) -> None:
        for i in range(first, calls, THREADS):
            read = reader.read(crops[i % len(crops)])
            if (read.text, read.status, round(read.confidence, 3)) != expected[i % len(crops)]:
                wrong.append(i)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return wrong


def test_ten_thousand_calls_from_eight_threads() -> None:
    reader = lprfast.PlateReader()
    crops = some_crops()
    reads = [reader.read(crop) for crop in crops]
    expected = [(read.text, read.status, round(read.confidence, 3)) for read in reads]
    assert len({read.text for read in reads}) >= 4
    assert call_from_threads(reader, crops, expected, CALLS // 5) == []  # warm-up
    before = resident_mib()
    assert call_from_threads(reader, crops, expected, CALLS) == []
    assert resident_mib() - before <= ALLOWED_GROWTH_MIB
