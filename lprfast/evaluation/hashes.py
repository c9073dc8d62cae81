"""Which file a figure is of."""

from __future__ import annotations

import hashlib
from pathlib import Path


def file_sha256(path: str | Path) -> str | None:
    """SHA-256 of a file's content in hexadecimal; None where there is no such file (a model from bytes).

    Raises:
        OSError: it cannot be read.
    """
    file = Path(path)
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else None
