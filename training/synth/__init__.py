"""Synthetic plates: crops with their texts, endless and reproducible."""

from training.synth.charset import CHARSET
from training.synth.generator import PlateGenerator, Sample
from training.synth.tracks import draw_track

__all__ = ["CHARSET", "PlateGenerator", "Sample", "draw_track"]
