"""How quickly children get through their files, and what follows for their parent.

To be woken for every answer costs the parent more than the answer itself: it takes a processor away from a child and finds
its caches full of that child's file. Where files take milliseconds, each child is given some files more, and the parent
sleeps until about half of those are done. Where files take long, a child has only the next one, so that few wait behind it
while other children are idle.
"""

from __future__ import annotations

import time

from aikz_label.values import dataclass, field

_HORIZON = 0.1  # seconds of work that a child may have in advance
_LEAST, _MOST = 2, 8  # files of one child: the one at hand and the next, or some more
_WEIGHT = 0.25  # of what was seen last


@dataclass(slots=True)
class Pace:
    """Begins as if files took long.

    Attributes:
        seconds: For one file of one child, caller's time included where that is what children wait for.
    """

    seconds: float = _HORIZON
    _since: float = field(default_factory=time.monotonic)

    def note(self, answers: int, children: int) -> None:
        """So many answers came since the last time, of so many children at work."""
        if not answers:
            return
        now = time.monotonic()
        seen = (now - self._since) * children / answers
        self.seconds += _WEIGHT * (seen - self.seconds)
        self._since = now

    @property
    def depth(self) -> int:
        """How many files a child has at most."""
        return max(_LEAST, min(_MOST, int(_HORIZON / max(self.seconds, 1e-6))))

    @property
    def nap(self) -> float:
        """Seconds in which no child runs out of files."""
        return (self.depth - _LEAST) / 2 * min(self.seconds, _HORIZON)
