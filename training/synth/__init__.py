"""Synthetic plates: crops with their texts, endless and reproducible."""

from training.synth.charset import CHARSET
from training.synth.generator import PlateGenerator, Sample
from training.synth.tracks import MIXES, TrackMix, draw_track

__all__ = ["CHARSET", "MIXES", "PlateGenerator", "Sample", "TrackMix", "draw_track"]
