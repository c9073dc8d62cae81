"""What a terminal takes: how wide it is, and text that is safe on it."""

from __future__ import annotations

import os
import shutil
import sys
import unicodedata


def output_width() -> int | None:
    """Columns of the output: ``$COLUMNS``, else the terminal's width; None for a file or pipe."""
    if sys.stdout.isatty():
        return shutil.get_terminal_size().columns
    wish = os.environ.get("COLUMNS", "")
    return int(wish) or None if wish.isascii() and wish.isdigit() else None


def printable(text: str) -> str:
    """Text that is safe on a terminal: control characters and undecodable bytes become escapes."""
    shown = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(
        symbol if unicodedata.category(symbol)[0] != "C" else symbol.encode("unicode_escape").decode("ascii")
        for symbol in shown
    )
