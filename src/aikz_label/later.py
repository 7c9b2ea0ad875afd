"""A module that is imported when something of it is first used: for large ones that few files need.

Type checkers are shown the module itself:

    if TYPE_CHECKING:
        import numpy as np
    else:
        np = Later("numpy")
"""

from __future__ import annotations

from importlib import import_module
from typing import Any


class Later:
    """Stands for a module; what was taken from it once is kept here."""

    def __init__(self, name: str) -> None:
        self.__name__ = name

    def __getattr__(self, name: str) -> Any:
        value = getattr(import_module(self.__name__), name)
        setattr(self, name, value)
        return value
