"""JSON: one key beside the others, only on request; a marker only beside the file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from aikz_label.adapters.text.document import Document
from aikz_label.errors import Refused
from aikz_label.label import Origin
from aikz_label.notice import wording

KEY = "ai_disclosure"
_EMPTY = re.compile(r"\s*\}")


class Json(Document):
    """A document whose outermost value is an object, for the notice; any, for the marker."""

    form = "key"
    repeats = False
    on_request = True

    def start(self) -> int:
        """See `Document.start`: inside the outermost object."""
        return self.text.find("{") + 1

    def compose(self, origin: Origin, languages: Iterable[str]) -> str:
        """See `Document.compose`."""
        said = {language: wording.sentence(origin, language) for language in languages}
        pair = f"{json.dumps(KEY)}: {json.dumps(said, ensure_ascii=False)}"
        at = self.start()
        at += len(pair) if self.text.startswith(pair, at) else 0
        return pair if _EMPTY.match(self.text, at) else f"{pair}, "

    def check_place(self) -> None:
        """See `Document.check_place`."""
        try:
            found = json.loads(self.text)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict) or KEY in found:
            raise Refused(
                "There is no object to write the notice into, or it has a notice already.",
                code="no-place-for-notice",
                hint="Show it where the data are offered: --notice none --notice-reason TEXT.",
            )
