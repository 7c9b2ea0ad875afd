"""The facts about one file, before any judgement: its marker, its notice, and what else it says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from aikz_label.label import Label, Origin
from aikz_label.report.provenance import (
    NOT_CHECKED,
    MarkerState,
    Revocation,
    Signer,
    Step,
    TimeStamp,
)
from aikz_label.texts import Message, escape
from aikz_label.values import dataclass, field


class NoticeState(StrEnum):
    """Whether people can perceive the notice."""

    PERCEIVABLE = "perceivable"
    NOT_PERCEIVABLE = "not-perceivable"
    ABSENT = "absent"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not-applicable"


@dataclass(frozen=True, slots=True)
class Mirror:
    """One unsigned statement in the file's own metadata: a claim, never proof.

    Attributes:
        carrier: Which metadata: `front-matter`, `html`, `text` (the notice itself), `xmp`, `exif`, `iptc`, `png-text`,
            `comment`, `riff`, `ixml`, `id3`, `vorbis`, `aiff`, `mp4`, `matroska` or `pdf-info`.
        name: Property, with the field's usual prefix.
        value: Its value as found: untrusted text.
        origin: What it says about AI: an origin, `True` for "AI was used" without saying how, `False` for a value known
            to mean "not AI", `None` for none of them.
    """

    carrier: str
    name: str
    value: str
    origin: Origin | bool | None = None

    def to_json(self) -> dict[str, str]:
        """The form it has in the report."""
        return {"carrier": self.carrier, "name": self.name, "value": escape(self.value)}


@dataclass(frozen=True, slots=True)
class Measurement:
    """What measuring a notice gave.

    Attributes:
        state: `perceivable`, `not-perceivable` or `unknown`.
        figures: Numbers by name; for pictures `match`, `text_match`, `contrast`, `plate_luminance`, `lost`, `outside`,
            `cap_px`, `icon_cap_px` and `short_side_px`.
        problems: One message per anti-pattern found, such as `notice.too-small`.
    """

    state: NoticeState
    figures: tuple[tuple[str, float], ...] = ()
    problems: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """A notice that nobody recorded, found by searching the content.

    Attributes:
        measurement: Its figures; state `unknown` when the search was given up before its end.
        origin: What it says; `None` when the wording does not tell, or not reliably.
        kind: `badge` or `text`.
    """

    measurement: Measurement
    origin: Origin | None = None
    kind: str = "badge"

    @property
    def there(self) -> bool:
        """A notice was found, perceivable or not."""
        return self.measurement.state in {NoticeState.PERCEIVABLE, NoticeState.NOT_PERCEIVABLE}


@dataclass(frozen=True, slots=True)
class Recoding:
    """That all of a sound was decoded and coded again, since its notice could not be put in otherwise.

    Attributes:
        before: What it was coded with.
        before_kbits: Thousand bits per second of that.
        after: What it is coded with.
        after_kbits: Thousand bits per second of that.
        snr_db: By how many decibels the programme is louder than what this put into it.
    """

    before: str
    before_kbits: float
    after: str
    after_kbits: float
    snr_db: float


@dataclass(frozen=True, slots=True)
class Notice:
    """The notice a marker records.

    Attributes:
        kind: `badge` or `text`, or `none` when the file carries no notice on purpose.
        languages: Languages of the notice, in order.
        wording: Version of the wording.
        profile: Profile it was drawn for.
        placements: Where and how it was placed; the keys belong to the adapter that wrote them.
        figures: What the signer measured.
        reason: Why there is none.
        recoding: How the sound was coded anew for it.
        unspoken: Why it is not spoken too, in a film whose label declares an imitated voice: a word of `word.unspoken-…`.
    """

    kind: str
    languages: tuple[str, ...] = ()
    wording: str = ""
    profile: str = ""
    placements: tuple[Mapping[str, Any], ...] = ()
    figures: tuple[tuple[str, float], ...] = ()
    reason: str = ""
    recoding: Recoding | None = None
    unspoken: str = ""

    @property
    def spoken(self) -> bool:
        """Whether it is, or is also, heard."""
        return any(str(place.get("design")).startswith("spoken/") for place in self.placements)


@dataclass(frozen=True, slots=True)
class Marker:
    """What was read of a marker.

    Attributes:
        state: `trusted`, `untrusted`, `invalid` or `absent`; the judge adds `claimed`.
        carrier: Where it lives: `c2pa` in the file, or `sidecar`.
        problem: Code of the group `marker` that says why it is invalid or absent.
        signer: Names from the certificate.
        trust: Name of the trust list that believed the signer.
        self_issued: That list holds only this machine's own root.
        time_stamp: The time-stamp on the signature, if there is one.
        revocation: What is known about the signer's certificate being called back.
        identity: An identity statement (CAWG) inside it: `unchecked`, `failed`, or empty for none.
        notes: What else is to be said of the signer and the time, in codes of the group `signer`.
        history: Earlier markings, of the files this one was made from, nearest first.
        checked_at: The time it was checked as of, ISO 8601, where the caller named one.
        codes: C2PA status codes, verbatim.
        ours: It holds an `org.aikz.synthetic` assertion.
        label: What it declares, from our assertion or from standard C2PA ones.
        malformed: Our assertion does not follow its schema.
        not_ai: It states an origin that is known not to be AI.
        ai_used: It says that AI was used, and not how.
        metadata: What metadata inside it say beside its actions: where, and which origin.
        notice: The notice it records.
        reserves_training: It declares a reservation against training.
        padding_used: Padding that the binding leaves out holds something, and no digest in our assertion covers it.
    """

    state: MarkerState = MarkerState.ABSENT
    carrier: str = ""
    problem: str = ""
    signer: Signer | None = None
    trust: str = ""
    self_issued: bool = False
    time_stamp: TimeStamp | None = None
    revocation: Revocation = NOT_CHECKED
    identity: str = ""
    notes: tuple[Message, ...] = ()
    history: tuple[Step, ...] = ()
    checked_at: str = ""
    codes: tuple[str, ...] = ()
    ours: bool = False
    label: Label | None = None
    malformed: bool = False
    not_ai: bool = False
    ai_used: bool = False
    metadata: tuple[tuple[str, Origin | bool], ...] = ()
    notice: Notice | None = None
    reserves_training: bool = False
    padding_used: bool = False

    @property
    def signed_at(self) -> str:
        """Time of a trusted time-stamp, ISO 8601; empty without one."""
        found = self.time_stamp
        return found.time if found is not None and found.state == "trusted" else ""

    @property
    def intact(self) -> bool:
        """Signed by somebody, and bound to these bytes."""
        return self.state in {MarkerState.TRUSTED, MarkerState.UNTRUSTED}


@dataclass(frozen=True, slots=True)
class Evidence:
    """Facts about one file, before any judgement.

    Attributes:
        format: Short name of the format; empty when unknown.
        marker: The signed marker; of two, the one that fails, or else the one that is worth more.
        mirrors: Unsigned statements.
        measurement: The notice as measured now; `None` when it was not measured.
        problem: Why nothing can be said, if so (group `unreadable`).
        decoded: The content itself was decoded, not only its structure.
        searched: The whole content was searched for a notice that nobody recorded.
        found: The notice that this found; its measurement is also in `measurement`.
        second: The other marker, where a file carries one and has a sidecar too.
    """

    format: str = ""
    marker: Marker = field(default_factory=Marker)
    mirrors: tuple[Mirror, ...] = ()
    measurement: Measurement | None = None
    problem: Message | None = None
    decoded: bool = False
    searched: bool = False
    found: Found | None = None
    second: Marker | None = None
