"""Small pictures of many files, for a page: drawn by children, for the files may be hostile."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator

from aikz_label.batch import DEADLINE, Name, absolute, folder, pool_for
from aikz_label.sandbox.pool import Pool
from aikz_label.sandbox.sketching import Sketching

_MAX_SKETCH = 64 * 1024
_BASE64 = re.compile(r"/9j/[A-Za-z0-9+/]+=*").fullmatch  # of a JPEG


def sketches(sources: Iterable[Name]) -> Iterator[tuple[str, str]]:
    """Sources with a small picture of each, a JPEG in base64; without those that have none."""
    here = folder()
    requests = (
        (name, {"uri": absolute(here, name), "deadline": DEADLINE})
        for name in (os.fspath(source) for source in sources)
    )
    pool: Pool[str] = pool_for(Sketching(), 0, DEADLINE, None)
    with pool:
        for name, answer in pool.run(requests):
            jpeg = answer.get("jpeg") if isinstance(answer, dict) else None
            if isinstance(jpeg, str) and len(jpeg) < _MAX_SKETCH and _BASE64(jpeg):
                yield name, jpeg
