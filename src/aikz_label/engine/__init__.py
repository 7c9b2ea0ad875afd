"""The C2PA engine: signs, reads and validates. No other package imports `c2pa`, and its exceptions never leave this one.

Measured behaviour that it relies on (c2pa-python 0.38.1):

* the library is looked for in the current folder first, so its place is said beforehand;
* the default context fetches remote manifests and OCSP answers, so three switches turn the network off;
* default thumbnails cost ten times the signing and can abort the interpreter, so they are off;
* the engine's own word `Valid` means "intact, signed by anybody"; only `Trusted` is trusted;
* a damaged marker often surfaces as an exception rather than as `Invalid`;
* a context does not survive a fork, so contexts are kept per process.
"""

from __future__ import annotations

from aikz_label.engine.context import ANY
from aikz_label.engine.library import FLOOR, version
from aikz_label.engine.reading import read, read_unbound
from aikz_label.engine.signing import Parent, sign, sign_detached
from aikz_label.manifest.reading import Reading

__all__ = [
    "ANY",
    "FLOOR",
    "Parent",
    "Reading",
    "read",
    "read_unbound",
    "sign",
    "sign_detached",
    "version",
]
