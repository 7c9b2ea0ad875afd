"""Marking, as a child is asked for it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aikz_label import api, profile
from aikz_label.config import Config
from aikz_label.errors import LabelError, SigningError
from aikz_label.label import Label
from aikz_label.sandbox import wire
from aikz_label.sandbox.failures import described
from aikz_label.sandbox.work import sample
from aikz_label.values import dataclass, field, fields

if TYPE_CHECKING:
    from aikz_label.signing import SigningKey


@dataclass(frozen=True, slots=True)
class Marking:
    """Options of `mark` for many files; see `aikz_label.mark` for what each means."""

    label: Label
    config: Config
    languages: tuple[str, ...] = ()
    notice: str = "auto"
    notice_reason: str = ""
    when_too_small: str = "refuse"
    pages: str = "all"
    stamp_as: str = "content"
    profile_name: str = profile.DEFAULT
    signer: str = ""
    on_existing: str = "refuse"
    overwrite: bool = False
    sidecar: str = "auto"
    tsa: str = ""
    tsa_failure: str = ""
    as_format: str = ""
    allow_normalise: bool | str = False
    password: str = field(default="", repr=False)
    allow_signed: bool = False
    override_permissions: bool = False
    video_mode: str = "full"
    allow_reencode: bool = False
    spoken: bool = True

    def __call__(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Mark one file; a destination that is not finished has no name, so it goes with this process."""
        try:
            _signer(self.signer, self.config)
        except OSError as error:  # not of the file, but of the key: wrong for all
            unreadable = SigningError(f"{error.filename}: {error.strerror}.", code="signer-file")
            return {"refused": described(unreadable)}
        except LabelError as error:
            return {"refused": described(error)}
        try:
            result = self._mark(Path(request["uri"]), Path(request["target"]), self.on_existing)
        except (LabelError, OSError) as error:
            return {"refused": described(error)}
        return {
            "verdict": str(result.report.verdict),
            "reason": wire.dump(result.report.reason),
            "evidence": wire.dump(result.report.evidence),
            "warnings": list(result.warnings),
        }

    def _mark(self, source: Path | bytes, target: Path | None, on_existing: str) -> api.MarkResult:
        options: dict[str, Any] = {one.name: getattr(self, one.name) for one in fields(self)}
        options |= {"signer": _signer(self.signer, self.config), "on_existing": on_existing}
        return api.mark(source, target, **options)

    def try_sample(self) -> None:
        """Mark the sample anew."""
        self._mark(sample(), None, "replace")


@lru_cache(maxsize=1)
def _signer(uri: str, config: Config) -> SigningKey:
    """Opened once for each child: a token asks for its PIN every time."""
    return api.open_signer(uri, config)
