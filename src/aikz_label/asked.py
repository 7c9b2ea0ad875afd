"""What callers ask for, made into what the pipelines take; their mistakes are found before a file is touched."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from aikz_label import profile
from aikz_label.adapters import Order
from aikz_label.checked import clean
from aikz_label.config import Config, load_config
from aikz_label.errors import InvalidLabel, SigningError, UsageError
from aikz_label.joining import Believing
from aikz_label.label import Label
from aikz_label.limits import Limits
from aikz_label.texts import check_languages
from aikz_label.trust import TrustList, load_trust_lists
from aikz_label.values import replace

if TYPE_CHECKING:
    from aikz_label.signing import SigningKey
    from aikz_label.trust.timestamping import Authority

Moment: TypeAlias = "datetime | str"
Trust: TypeAlias = "str | Path | TrustList | Sequence[str | Path | TrustList]"

_TSA_FAILURE = ("fail", "without")
_NOTICE = ("auto", "data", "none")


def order_for(
    label: Label,
    languages: Sequence[str] | str,
    notice: str,
    reason: str,
    profile_name: str,
    settings: Config,
    caps: Limits,
) -> Order:
    """Everything the adapter needs, the caller's mistakes found first.

    Raises:
        UsageError: An argument cannot be right.
        InvalidLabel: Nobody is responsible, or the reason is no text for people.
    """
    numbers = profile.load_profile(profile_name)
    if not isinstance(label, Label):
        raise UsageError("The label is not a Label.", hint='Label(origin="created", …)')
    check_choice("notice", notice, _NOTICE)
    reason = clean(reason, "the reason") if reason.strip() else ""
    if (notice == "none") != bool(reason):
        raise UsageError(
            "A file without a notice needs a reason, and only such a file.",
            hint="--notice none --notice-reason 'shown by the player'",
        )
    if label.responsible is None:
        if settings.responsible is None:
            raise InvalidLabel(
                "Nobody is declared responsible for this file.",
                code="no-responsible",
                hint="Run `aikz-label init`, or set Label.responsible.",
            )
        label = replace(label, responsible=settings.responsible)
    if label.system is None and settings.system is not None:
        label = replace(label, system=settings.system)
    chosen = check_languages(languages or settings.languages or numbers.languages)
    return Order(
        label,
        chosen,
        numbers,
        notice,
        reason,
        caps,
        voices=settings.voices,
        spoken=settings.spoken,
    )


def check_choice(name: str, value: object, words: Sequence[str]) -> None:
    """One of a few words.

    Raises:
        UsageError: It is none of them.
    """
    if value not in words:
        raise UsageError(f"{name} {value!r} is not one of: {', '.join(words)}.")


def settings_of(config: str | Path | Config | None) -> Config:
    """The configuration that a caller means."""
    if isinstance(config, Config):
        return config
    return load_config(Path(config) if config else None)


def open_signer(
    signer: str | SigningKey = "", config: str | Path | Config | None = None
) -> SigningKey:
    """Open a signer once, for many calls of `mark`: a password is asked for, and a device logged in to, only here.

    Args:
        signer: Signer URI, relative to the current folder; the configuration's when empty.
        config: A configuration or the path of one; the user's own when `None`.

    Raises:
        SigningError: There is no usable signer.
        OSError: A file cannot be read.
    """
    from aikz_label.signing import SigningKey, load_signing_key  # noqa: PLC0415

    if isinstance(signer, SigningKey):
        return signer
    uri, settings = signer, settings_of(config)
    base = settings.folder
    if uri:
        base = Path.cwd()
    elif not settings.signer:
        raise SigningError(
            "There is no signing identity.",
            code="no-identity",
            hint="Run `aikz-label init`, or name one with --signer.",
        )
    return load_signing_key(uri or settings.signer, base)


def authority_for(url: str, failure: str, settings: Config) -> Authority | None:
    """Whom to ask for a time-stamp; one value for each file, because it remembers what went wrong.

    Raises:
        UsageError: The address or the policy cannot be right.
    """
    url, failure = url or settings.tsa, failure or settings.tsa_failure
    check_choice("tsa_failure", failure, _TSA_FAILURE)
    if not url or url == "none":
        return None
    from aikz_label.trust import der, network  # noqa: PLC0415
    from aikz_label.trust.timestamping import Authority  # noqa: PLC0415

    if not network.check_url(url):
        raise UsageError(
            f"{url!r} is not the address of an authority for time-stamps.",
            hint="Use an http or https URL; its documents name it.",
        )
    try:
        der.encode_oid(settings.tsa_policy or "1.2")
    except der.Malformed:
        raise UsageError(
            f"tsa_policy {settings.tsa_policy!r} is no object identifier.", hint="Such as 1.2.3.4."
        ) from None
    return Authority(url, settings.tsa_policy, optional=failure == "without")


def believing(
    trust: Trust | None, config: str | Path | Config | None, at: Moment | None, ocsp: str
) -> Believing:
    """Whom to believe, as of when, and whom to ask; the caller's mistakes found.

    Raises:
        UsageError: The time or the address of the responder cannot be right.
        TrustError: A trust list does not hold.
    """
    if ocsp:
        from aikz_label.trust.network import check_url  # noqa: PLC0415  # TLS, which most need not load

        if not check_url(ocsp):
            raise UsageError(
                f"{ocsp!r} is not the address of an OCSP responder.",
                hint="Use an http or https URL; the authority's documents name it.",
            )
    return Believing(trust_lists(trust, config), moment(at), ocsp)


def moment(at: Moment | None) -> datetime | None:
    """A time from what a caller gives; a date alone means its end, UTC.

    Raises:
        UsageError: It is none.
    """
    if isinstance(at, str):
        try:
            at = datetime.fromisoformat(f"{at}T23:59:59Z" if len(at) == 10 else at)
        except ValueError:
            raise UsageError(
                f"{at!r} is not a time.", hint="Use ISO 8601, such as 2026-11-25T12:00:00Z."
            ) from None
    if at is not None and at.tzinfo is None:
        raise UsageError("The time to check as of needs its time zone.", hint="Add Z for UTC.")
    return at.astimezone(UTC) if at is not None else None


def trust_lists(trust: Trust | None, config: str | Path | Config | None) -> tuple[TrustList, ...]:
    """The lists that a caller names, or those of the configuration."""
    if trust is None:
        return settings_of(config).trust
    if isinstance(trust, str | Path | TrustList):
        trust = (trust,)
    return tuple(
        listed
        for item in trust
        for listed in ((item,) if isinstance(item, TrustList) else load_trust_lists(Path(item)))
    )
