"""The one place that opens a connection, and only to a host that the caller named: time-stamps and OCSP.

No redirects are followed, nothing is sent twice, answers are bounded in size and time.
"""

from __future__ import annotations

import http.client
import socket
import time
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlsplit

TIMEOUT = 15.0
_MAX_BYTES = 1024 * 1024
_BLOCK = 16 * 1024


class NoAnswer(Exception):
    """There was no usable answer; the text says why, without the server's own words."""


def check_url(url: str) -> bool:
    """Whether a URL is one that may be asked: http or https, with a host, and without a password in it."""
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in {"http", "https"} and bool(parts.hostname) and "@" not in parts.netloc
        )
    except ValueError:
        return False


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The caller named this host and no other."""

    def redirect_request(self, *_: Any) -> None:
        """Follow nothing."""


def post(url: str, data: bytes, kind: str, accept: str, seconds: float = TIMEOUT) -> bytes:
    """Send something, and return the answer.

    Args:
        url: Where to, http or https.
        data: What to send.
        kind: Its media type.
        accept: Media type of the answer.
        seconds: How long all of it may take.

    Raises:
        NoAnswer: There is none, or it is not of that type, or too long.
    """
    if not check_url(url):
        raise NoAnswer("the address is not an http or https URL")
    until = time.monotonic() + seconds
    headers = {"Content-Type": kind, "Accept": accept, "User-Agent": "aikz-label"}
    request = urllib.request.Request(url, data=data, headers=headers, method="POST")  # noqa: S310
    opener = urllib.request.build_opener(_NoRedirect)
    try:
        with opener.open(request, timeout=seconds) as response:
            found = response.headers.get_content_type()
            if found != accept:
                raise NoAnswer("it answered with another type of content")
            return _read(response, until)
    except urllib.error.HTTPError as error:
        with error:
            raise NoAnswer(f"it answered with HTTP status {error.code}") from None
    except TimeoutError:
        raise NoAnswer(f"it did not answer within {seconds:g} seconds") from None
    except urllib.error.URLError as error:
        raise NoAnswer(_why(error.reason, seconds)) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NoAnswer(_why(error, seconds)) from None


def _read(response: Any, until: float) -> bytes:
    data = b""
    while block := response.read1(_BLOCK):
        data += block
        if len(data) > _MAX_BYTES:
            raise NoAnswer("its answer is too long")
        if time.monotonic() > until:
            raise TimeoutError
    return data


def _why(reason: object, seconds: float) -> str:
    if isinstance(reason, TimeoutError):
        return f"it did not answer within {seconds:g} seconds"
    if isinstance(reason, ConnectionRefusedError):
        return "the connection was refused"
    if isinstance(reason, socket.gaierror):
        return "its name was not found"
    return f"the connection failed ({type(reason).__name__})"
