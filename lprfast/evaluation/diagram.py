"""The reliability diagram. Needs matplotlib, which comes with ``lprfast[report]``."""

from __future__ import annotations

import importlib.util
import io
from pathlib import Path

from lprfast.evaluation.reliability import Calibration

FORMATS = (".png", ".svg", ".pdf")


class DiagramError(Exception):
    """The diagram cannot be drawn; the message says what to do."""


def check_diagram(path: Path) -> None:
    """Says early whether a diagram can be drawn to ``path``.

    Raises:
        DiagramError: matplotlib is missing, or the file's ending is none of ``FORMATS``.
    """
    if path.suffix.lower() not in FORMATS:
        raise DiagramError(f"{path}: expected a file that ends in {', '.join(FORMATS)}")
    if importlib.util.find_spec("matplotlib") is None:
        raise DiagramError(
            "the reliability diagram needs matplotlib, which is not installed: pip install 'lprfast[report]'"
        )


def draw_reliability(calibrated: Calibration, raw: Calibration | None, suffix: str) -> bytes:
    """Draws accuracy over confidence, one point per bin with its interval, the diagonal beside.

    Args:
        calibrated: of the confidences as answered.
        raw: of those before calibration, drawn in gray, or None.
        suffix: one of ``FORMATS``, in any case.

    Returns:
        The file's content.
    """
    # The object interface: no window system, and no state that would outlive this call.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.add_subplot(
        xlim=(0, 1), ylim=(0, 1), aspect="equal", xlabel="mean confidence", ylabel="share that is right"
    )
    axes.plot([0, 1], [0, 1], color="black", linewidth=0.8, linestyle="--")
    series = [("raw", raw, "0.6")] if raw else []
    for name, values, color in [*series, ("confidence", calibrated, "C0")]:
        if values is None:
            continue
        x = [one.confidence for one in values.bins]
        y = [one.accuracy for one in values.bins]
        # Rounding can leave an end of the interval on the wrong side of the share by a last bit.
        below = [max(0.0, one.accuracy - one.low) for one in values.bins]
        above = [max(0.0, one.high - one.accuracy) for one in values.bins]
        axes.errorbar(x, y, [below, above], fmt="o-", color=color, markersize=4, linewidth=1, capsize=2,
                      label=f"{name}: ECE {values.ece:.3f}, {values.n} crops")  # fmt: skip
    axes.legend(loc="upper left", frameon=False)
    content = io.BytesIO()
    figure.savefig(content, format=suffix.lower().removeprefix("."), dpi=150)
    return content.getvalue()
