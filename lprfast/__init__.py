"""lprfast: licence plate crops in, one plate per vehicle out, with a probability.

import lprfast
reader = lprfast.PlateReader()
reader.read(crop).text              # one crop: uint8 [H, W] or [H, W, 3], BGR unless color= says otherwise
reader.read_track(crops).text       # 15-20 crops of one vehicle, voted
"""

try:
    from lprfast import _core
except ImportError as error:
    if error.name not in (None, "lprfast._core", "lprfast") or "_core" not in str(error):
        raise
    raise ImportError(
        "lprfast's compiled module is missing. In a checkout, install the package first: "
        "pip install -c constraints.txt -e '.[test]' to develop it, or pip install . to use it (from another "
        "folder than the checkout)."
    ) from None

from lprfast._core import ModelError, OrtError
from lprfast.ctc import CtcHypothesis, CtcRead, CtcReads, ctc_beam, ctc_greedy, ctc_score
from lprfast.data.images import ImageError, load_image
from lprfast.model import ModelContract
from lprfast.prepare import prepare
from lprfast.reader import PlateReader
from lprfast.results import (
    Alternative,
    Conflict,
    Contribution,
    PlateMatch,
    PlateRead,
    PlateVote,
    Quality,
)
from lprfast.sr_contract import SrContract
from lprfast.streaming import TrackVoter
from lprfast.super_resolution import SuperResolver, UpscaledCrop
from lprfast.track_event import TrackEvent
from lprfast.voting import read_from_text, vote

__version__: str = _core.version

__all__ = [
    "Alternative",
    "Conflict",
    "Contribution",
    "CtcHypothesis",
    "CtcRead",
    "CtcReads",
    "ImageError",
    "ModelContract",
    "ModelError",
    "OrtError",
    "PlateMatch",
    "PlateRead",
    "PlateReader",
    "PlateVote",
    "Quality",
    "SrContract",
    "SuperResolver",
    "TrackEvent",
    "TrackVoter",
    "UpscaledCrop",
    "__version__",
    "ctc_beam",
    "ctc_greedy",
    "ctc_score",
    "load_image",
    "prepare",
    "read_from_text",
    "vote",
]
