"""The engine's library: which one is loaded, and from where."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from aikz_label.errors import EngineError

__all__ = ["FLOOR", "c2pa", "version"]

# Older native libraries verify signatures wrongly: CVE-2026-95633, CVE-2026-103294, CVE-2026-100119.
FLOOR = (0, 91, 1)
_VARIABLE = "C2PA_LIBRARY_NAME"
_NAMES = ("libc2pa_c.so", "libc2pa_c.dylib", "c2pa_c.dll")


@contextmanager
def _named() -> Iterator[None]:
    """Say which file the library is, unless the environment names one by its whole path.

    Otherwise it is looked for in the current folder first, and that may be full of uploads.
    """
    before = os.environ.get(_VARIABLE, "")
    if Path(before).is_absolute():
        yield
        return
    os.environ[_VARIABLE] = _beside_its_package()
    try:
        yield
    finally:
        del os.environ[_VARIABLE]
        if before:
            os.environ[_VARIABLE] = before


def _beside_its_package() -> str:
    found = find_spec("c2pa")
    for folder in (found and found.submodule_search_locations) or ():
        for name in _NAMES:
            path = Path(folder, "libs", name).absolute()
            if path.is_file():
                return str(path)
    raise EngineError(
        "The C2PA engine is not installed, or lacks its library.",
        code="engine-library",
        hint="pip install --force-reinstall 'c2pa-python>=0.38.1,<0.39'",
    )


with _named():
    import c2pa  # noqa: TID251  # this is the one module that may


def version() -> str:
    """Version of the native library.

    Raises:
        EngineError: It is older than the floor.
    """
    text: str = c2pa.sdk_version()
    numbers = tuple(int(part) for part in text.partition("-")[0].split(".")[:3] if part.isdigit())
    if numbers < FLOOR:
        raise EngineError(
            f"The C2PA engine {text} is too old: it accepts signatures that are not valid.",
            code="engine-too-old",
            hint="pip install --upgrade 'c2pa-python>=0.38.1,<0.39'",
        )
    return text
