"""What goes wrong on one side of the pipe, said on the other."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from aikz_label import errors
from aikz_label.errors import LabelError, SandboxError
from aikz_label.values import dataclass


@dataclass(frozen=True, slots=True)
class Death:
    """Why a file has no answer.

    Attributes:
        reason: `deadline`, `memory` or `crashed`.
        how: The signal, the exit code or the exception.
        words: The last of what the child printed; untrusted.
    """

    reason: str
    how: str = ""
    words: str = ""


def described(error: Exception) -> dict[str, Any]:
    """An error as JSON: its kind, its words, and what to do about it."""
    return {
        "kind": type(error).__name__,
        "message": str(error)[:1000],
        "code": getattr(error, "code", ""),
        "hint": getattr(error, "hint", ""),
        "errno": getattr(error, "errno", None) or 0,
        "file": os.fsdecode(getattr(error, "filename", None) or ""),
    }


def error_from(answer: Mapping[str, Any]) -> Exception:
    """The error that a child described, as one of ours or of the operating system's."""
    text, number = str(answer.get("message", "")), int(answer.get("errno") or 0)
    kind = vars(errors).get(str(answer.get("kind", "")))
    if isinstance(kind, type) and issubclass(kind, LabelError):
        if kind in {errors.MissingDependency, errors.NotAcceptable}:  # these word themselves
            kind = LabelError
        return kind(text, code=str(answer["code"]), hint=str(answer["hint"]))
    if number:
        return OSError(number, os.strerror(number), str(answer.get("file", "")) or None)
    return SandboxError(f"{answer.get('kind')}: {text}", code="sandbox-start")
