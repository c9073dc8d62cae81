"""Metrics, intervals and guards."""

from lprfast.evaluation.bootstrap import Interval, cluster_bootstrap, exact_interval, upper_bound
from lprfast.evaluation.breakdown import BY, Group, breakdown
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
from lprfast.evaluation.rates import Rates, Settings, rates
from lprfast.evaluation.reliability import Calibration, ReliabilityBin, calibration
from lprfast.evaluation.report import Negatives, Report, make_report, uncovered_symbols
from lprfast.evaluation.samples import NegativeSample, Sample, Traits, VehicleSample
from lprfast.evaluation.selective import Coverage, Selective, selective

__all__ = [
    "BY",
    "CachedCrop",
    "CachedReads",
    "CachedTrack",
    "Calibration",
    "Confusion",
    "Coverage",
    "Group",
    "Interval",
    "NegativeSample",
    "Negatives",
    "PosteriorsError",
    "Rates",
    "ReliabilityBin",
    "Report",
    "Sample",
    "Score",
    "Selective",
    "Settings",
    "ShiftFinding",
    "Traits",
    "VehicleSample",
    "align",
    "below_chance",
    "breakdown",
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
    "rates",
    "save_posteriors",
    "score",
    "selective",
    "trained_on",
    "uncovered_symbols",
    "upper_bound",
]
