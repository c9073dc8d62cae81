"""Metrics, intervals and guards."""

from lprfast.evaluation.bootstrap import Interval, cluster_bootstrap, exact_interval
from lprfast.evaluation.confusions import Confusion, align, confusion
from lprfast.evaluation.guard import ShiftFinding, below_chance, find_shift, positional_accuracy, trained_on
from lprfast.evaluation.metrics import Score, edit_distance, fold, normalize, parse_fold, score
from lprfast.evaluation.posteriors import (
    CachedCrop,
    CachedReads,
    CachedTrack,
    PosteriorsError,
    load_posteriors,
    save_posteriors,
)
from lprfast.evaluation.reliability import Calibration, ReliabilityBin, calibration
from lprfast.evaluation.report import (
    Negatives,
    NegativeSample,
    Rates,
    Report,
    Sample,
    Settings,
    VehicleSample,
    make_report,
    uncovered_symbols,
)

__all__ = [
    "CachedCrop",
    "CachedReads",
    "CachedTrack",
    "Calibration",
    "Confusion",
    "Interval",
    "NegativeSample",
    "Negatives",
    "PosteriorsError",
    "Rates",
    "ReliabilityBin",
    "Report",
    "Sample",
    "Score",
    "Settings",
    "ShiftFinding",
    "VehicleSample",
    "align",
    "below_chance",
    "calibration",
    "cluster_bootstrap",
    "confusion",
    "edit_distance",
    "exact_interval",
    "find_shift",
    "fold",
    "load_posteriors",
    "make_report",
    "normalize",
    "parse_fold",
    "positional_accuracy",
    "save_posteriors",
    "score",
    "trained_on",
    "uncovered_symbols",
]
