"""What the engine works in: settings without a network, and quiet from signals."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from aikz_label.engine.library import c2pa, version
from aikz_label.errors import EngineError
from aikz_label.manifest.answers import TRUST_URI
from aikz_label.trust import TrustKind, TrustList, of_kind
from aikz_label.trust.certificates import CLAIM_SIGNING, EMAIL_PROTECTION

ANY = "application/octet-stream"  # keeps the engine from looking into a file
# Types by the name that the engine knows its reader and writer of the same structure by.
_KNOWN_AS = {"video/3gpp": "video/mp4", "video/x-msvideo": "video/avi"}


def known_as(mime: str) -> str:
    """A canonical media type as the engine calls it."""
    return _KNOWN_AS.get(mime, mime)


@lru_cache(maxsize=16)
def context(
    process: int,  # noqa: ARG001  # part of the key
    trust: tuple[TrustList, ...],
    *,
    verify_after_sign: bool = True,
    look_up: bool = True,
) -> c2pa.Context:
    """A context that believes these lists; one is kept for each set of them, and process.

    Raises:
        EngineError: The engine is too old, or does not take its settings.
    """
    version()
    kinds = {TrustKind.SIGNERS: "manifest", TrustKind.TIME: "tsa"}  # it knows no others
    anchors = [
        {
            "trust_kind": kinds[listed.kind],
            "trust_uri": f"{TRUST_URI}{index}",
            "trust_anchors": listed.pem,
        }
        for index, listed in of_kind(trust, *kinds)
    ]
    settings: dict[str, Any] = {
        "version": 1,
        "builder": {"thumbnail": {"enabled": False}},
        "verify": {
            "remote_manifest_fetch": False,
            "ocsp_fetch": False,
            "verify_after_sign": verify_after_sign,
            "verify_trust": look_up,
        },
        "core": {"allowed_network_hosts": [], "backing_store_memory_threshold_in_mb": 16},
        # the purposes of a whole context count, those of an anchor do not
        "trust": {"trust_config": f"{EMAIL_PROTECTION}\n{CLAIM_SIGNING}", "anchors": anchors},
    }
    try:
        return c2pa.Context.from_dict(settings)
    except c2pa.C2paError as error:
        raise EngineError(
            "The C2PA engine does not accept its settings.", code="engine-settings"
        ) from error


@contextmanager
def signals_wait() -> Iterator[None]:
    """Hold back Ctrl-C and termination while the engine calls back into Python.

    An exception raised inside such a callback is swallowed there: the run would go on as if nobody had asked it to stop.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived: list[int] = []
    waiting = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in waiting}
    ours = {number: handler for number, handler in before.items() if callable(handler)}
    for number in ours:
        signal.signal(number, lambda got, _: arrived.append(got))
    try:
        yield
    finally:
        for number, handler in ours.items():
            signal.signal(number, handler)
        if arrived:
            signal.raise_signal(arrived[0])


def kind(error: c2pa.C2paError) -> str:
    """`Verify` of `Verify: unexpected end of file`: the engine names its errors only so."""
    name = type(error).__name__.removeprefix("_C2pa")
    return name if name != "C2paError" else str(error).partition(":")[0][:40]
