"""The notice people hear: a signal and a sentence in each language. It knows samples, nothing of containers.

    mark    script → Meter (the programme) → plan → compose → the adapter puts it before the programme, or Mixer over it
    verify  measure, where a record says what to listen for; search, where nobody does

Samples are `float32`, planar `(channels, n)`, full scale 1.0; a layout has the name that FFmpeg gives it.
"""

from aikz_label.notice.sound.composing import (
    DESIGN,
    KIND,
    MAX_RATE,
    MIN_RATE,
    Composed,
    Script,
    compose,
    is_short,
    script,
)
from aikz_label.notice.sound.decoding import decode
from aikz_label.notice.sound.layouts import Samples
from aikz_label.notice.sound.loudness import Loudness, Meter
from aikz_label.notice.sound.measuring import Listening, measure
from aikz_label.notice.sound.mixing import Mixer
from aikz_label.notice.sound.planning import plan
from aikz_label.notice.sound.searching import search
from aikz_label.notice.sound.standing import standing
from aikz_label.profile.sound import LISTENED

__all__ = [
    "DESIGN",
    "KIND",
    "LISTENED",
    "MAX_RATE",
    "MIN_RATE",
    "Composed",
    "Listening",
    "Loudness",
    "Meter",
    "Mixer",
    "Samples",
    "Script",
    "compose",
    "decode",
    "is_short",
    "measure",
    "plan",
    "script",
    "search",
    "standing",
]
