"""Evidence with what every clause asks of it, worked out once."""

from __future__ import annotations

from aikz_label.formats import FORMATS
from aikz_label.label import Label
from aikz_label.profile import Profile
from aikz_label.report import Evidence, Found, How, MarkerState, Message, Mirror, NoticeState
from aikz_label.values import dataclass

_VERBS = {
    "text": "written",
    "spoken": "spoken",
    "stamp": "stamped",
}  # of a notice that nobody recorded, by its kind


@dataclass(frozen=True, slots=True)
class Seen:
    """The notice as far as it is known."""

    state: NoticeState
    how: How = How.NONE
    figures: tuple[tuple[str, float], ...] = ()
    problems: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """Evidence with what every clause asks of it.

    Attributes:
        evidence: The facts.
        state: What the marker is worth; `claimed` when there are only unsigned statements.
        label: What an intact marker declares.
        claims: Unsigned statements about AI, where nothing signed declares an origin.
        notice: The notice as far as it is known.
        drawn: A notice that nobody recorded and that was found: the picture's own unsigned statement.
        aloud: A film that imitates a voice must say its notice too, by the profile.
    """

    evidence: Evidence
    state: MarkerState
    label: Label | None
    claims: tuple[Mirror, ...]
    notice: Seen
    drawn: Found | None
    aloud: bool = False

    @property
    def verb(self) -> str:
        """How the notice came there that nobody recorded."""
        kind = self.drawn.kind if self.drawn is not None else ""
        return _VERBS.get(kind, "drawn")

    @property
    def textual(self) -> bool:
        """The file is a text."""
        return self.family == "text"

    @property
    def family(self) -> str:
        """Family of the format; empty when unknown."""
        row = FORMATS.get(self.evidence.format)
        return row.family if row is not None else ""

    @property
    def ai_used(self) -> bool:
        """An intact marker says that AI was used, and not how."""
        return self.label is None and self.evidence.marker.intact and self.evidence.marker.ai_used

    @property
    def unsettled(self) -> bool:
        """Nothing the file says counts: its marker does not hold, or it cannot be read."""
        return self.state is MarkerState.INVALID or self.evidence.problem is not None


def case_of(evidence: Evidence, profile: Profile) -> Case:
    """What the clauses are judged by."""
    marker, state = evidence.marker, evidence.marker.state
    label = marker.label if marker.intact and not marker.malformed else None
    claims: tuple[Mirror, ...] = ()
    if label is None and state is not MarkerState.INVALID:
        claims = tuple(m for m in evidence.mirrors if m.origin)
    if claims and state is MarkerState.ABSENT:
        state = MarkerState.CLAIMED
    found = evidence.found
    drawn = found if found is not None and found.there and evidence.problem is None else None
    notice = _notice(evidence, profile)
    return Case(evidence, state, label, claims, notice, drawn, profile.film.voice_aloud)


def _notice(evidence: Evidence, profile: Profile) -> Seen:
    """Measured beats attested; attested counts only from a trusted signer of exactly these bytes."""
    measured, record = evidence.measurement, evidence.marker.notice
    if measured is not None:
        seen = measured.state not in {NoticeState.UNKNOWN, NoticeState.NOT_APPLICABLE}
        how = How.MEASURED if seen else How.NONE
        return Seen(measured.state, how, measured.figures, measured.problems)
    if record is None:
        return Seen(NoticeState.UNKNOWN)
    if record.kind == "none":
        return Seen(NoticeState.ABSENT)
    if evidence.marker.state is not MarkerState.TRUSTED:
        return Seen(NoticeState.UNKNOWN)
    row = FORMATS.get(evidence.format)
    problems = profile.problems(
        record.kind,
        dict(record.figures),
        film=row is not None and row.family == "video",
        spoken=record.spoken,
    )
    state = NoticeState.NOT_PERCEIVABLE if problems else NoticeState.PERCEIVABLE
    return Seen(state, How.ATTESTED, record.figures, problems)
