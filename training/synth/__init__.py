"""Synthetic plates: crops with their texts, endless and reproducible."""

from training.synth.charset import CHARSET
from training.synth.generator import PlateGenerator, Sample
from training.synth.tracks import FIT_MIXES, MIXES, TrackMix, draw_track

__all__ = ["CHARSET", "FIT_MIXES", "MIXES", "PlateGenerator", "Sample", "TrackMix", "draw_track"]
