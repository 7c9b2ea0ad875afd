"""Every error of aikz-label, one tree.

    LabelError
    ├─ UsageError (ValueError)           an argument that cannot be right
    │  └─ InvalidLabel                   a label, a responsible party or a BIN that does not hold
    ├─ ConfigError (ValueError)          the configuration file is missing a value or has a wrong one
    ├─ SourceError (OSError)             a path that cannot be read as a regular file
    ├─ OutputExists (FileExistsError)    the destination is there already
    ├─ SigningError                      key, certificate or signer URI; never holds key material
    ├─ TrustError (ValueError)           a trust list that is not a trust list
    ├─ EngineError (RuntimeError)        the C2PA engine installed here is missing or too old
    ├─ SandboxError (RuntimeError)       the child processes that look at files cannot be run
    ├─ JournalError (OSError)            a journal that cannot be started, continued or read
    ├─ MissingDependency (ImportError)   a format needs an optional package
    ├─ Refused (ValueError)              this file cannot be marked without damage or doubt
    └─ NotAcceptable                     raised only by Report.raise_for_verdict()

Verifying content never raises: a hostile file gives a report. These are callers' mistakes, and `mark` refusing.
Errors of the operating system (`FileNotFoundError`, `PermissionError`, a full disk) pass through untouched.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as typing says, without the 5 ms of importing it
if TYPE_CHECKING:
    from aikz_label.report import Report


class LabelError(Exception):
    """Base of everything raised here.

    Attributes:
        code: Stable, machine-readable name of the reason.
        hint: What to do about it, one sentence; may be empty.
    """

    default_code = "error"

    def __init__(self, message: str, *, code: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.hint = hint

    def __str__(self) -> str:
        return self.message


class UsageError(LabelError, ValueError):
    """An argument that cannot be right."""

    default_code = "usage"


class InvalidLabel(UsageError):
    """A label or a responsible party that cannot be declared as it stands."""

    default_code = "invalid-label"


class ConfigError(LabelError, ValueError):
    """The configuration file is missing a value or has a wrong one."""

    default_code = "config"


class SourceError(LabelError, OSError):
    """A path that cannot be read as a regular file."""

    default_code = "source"


class OutputExists(LabelError, FileExistsError):
    """The destination is there already and nobody said to overwrite it."""

    default_code = "output-exists"


class SigningError(LabelError):
    """The signer cannot be used: its URI, key, certificate or dates."""

    default_code = "signing"


class TrustError(LabelError, ValueError):
    """A trust list that cannot be read as certificates."""

    default_code = "trust"


class EngineError(LabelError, RuntimeError):
    """The C2PA engine installed here cannot be used."""

    default_code = "engine"


class SandboxError(LabelError, RuntimeError):
    """The child processes that look at files cannot be run here, or all of them fail."""

    default_code = "sandbox"


class JournalError(LabelError, OSError):
    """A journal that cannot be started, continued or read."""

    default_code = "journal"


class MissingDependency(LabelError, ImportError):
    """A format needs a package that is not installed."""

    default_code = "missing-dependency"

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(
            f"{what} needs the extra {extra!r}.", hint=f"pip install 'aikz-label[{extra}]'"
        )


class Refused(LabelError, ValueError):
    """This file is not marked: doing so would damage it, or the result could not be vouched for.

    Nothing is left at the destination; `code` is one of the reason codes listed in the documentation.
    """

    default_code = "refused"


class NotAcceptable(LabelError):
    """Raised only by `Report.raise_for_verdict()`.

    Attributes:
        report: The report whose verdict is not `labelled`.
    """

    default_code = "not-acceptable"

    def __init__(self, report: Report) -> None:
        super().__init__(f"{report.path or 'file'}: {report.verdict} ({report.reason.code})")
        self.report = report
