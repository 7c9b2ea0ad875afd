"""Time-stamps (RFC 3161) while signing: asked for by us, on behalf of the engine.

The engine asks an authority itself and tells nobody why it failed, cannot ask for a policy, and follows redirects. So it is
given the address of a relay on this machine, which lives as long as one signature takes; the relay asks the authority,
looks at the answer, and remembers what was wrong with it.
"""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

from aikz_label.trust import der, network
from aikz_label.values import dataclass, field

_QUERY, _REPLY = "application/timestamp-query", "application/timestamp-reply"
_MAX_QUERY = 64 * 1024
_GRANTED = (0, 1)
_FAILURES = {
    0: "it does not know the hash algorithm",
    2: "it does not accept such a request",
    5: "it finds the data malformed",
    14: "its clock is not available",
    15: "it does not offer the policy that was asked for",
    16: "it does not know an extension of the request",
    17: "it does not give additional information",
    25: "it has an internal failure",
}


@dataclass(frozen=True, slots=True)
class Authority:
    """Whom to ask for time-stamps, for one file.

    Attributes:
        url: Its address, http or https.
        policy: Object identifier of the policy to ask for; its own default when empty.
        seconds: How long it may take.
        optional: Sign without a time-stamp when there is none to be had.
        problems: Why there was none, filled while signing.
    """

    url: str
    policy: str = ""
    seconds: float = network.TIMEOUT
    optional: bool = False
    problems: list[str] = field(default_factory=list, compare=False)

    def stamp(self, query: bytes) -> bytes:
        """Ask for a time-stamp.

        Args:
            query: A time-stamp query, DER.

        Returns:
            The answer, DER: granted, and over what was asked.

        Raises:
            network.NoAnswer: There is none that can be used.
        """
        try:
            asked = _with_policy(query, self.policy) if self.policy else query
            answer = network.post(self.url, asked, _QUERY, _REPLY, self.seconds)
            _check(answer, asked)
        except (der.Malformed, IndexError):
            raise network.NoAnswer("its answer is damaged") from None
        return answer


def _check(answer: bytes, query: bytes) -> None:
    """Whether an answer grants what was asked; who signed it is found out when the finished file is verified."""
    status, *token = der.parse(answer).expect(der.SEQUENCE).children()
    code, *rest = status.children()
    if code.integer() not in _GRANTED or not token:
        raise network.NoAnswer(_refusal(rest))
    imprint = next(item for item in der.parse(query).children() if item.tag == der.SEQUENCE)
    if imprint.whole not in token[0].content:
        raise network.NoAnswer("its answer is about something else")


def _refusal(rest: list[der.Item]) -> str:
    """The failure bits in words; its own text is not passed on."""
    bits = next((item.content[1:] for item in rest if item.tag == der.BIT_STRING), b"")
    named = [text for bit, text in _FAILURES.items() if _is_set(bits, bit)]
    return " and ".join(named) or "it refused without a reason"


def _is_set(bits: bytes, number: int) -> bool:
    place, bit = divmod(number, 8)
    return place < len(bits) and bool(bits[place] & 0x80 >> bit)


def _with_policy(query: bytes, policy: str) -> bytes:
    """The query with a policy, which stands after the imprint."""
    version, imprint, *rest = der.parse(query).expect(der.SEQUENCE).children()
    others = b"".join(item.whole for item in rest if item.tag != der.OID)
    return der.encode(der.SEQUENCE, version.whole + imprint.whole + der.encode_oid(policy) + others)


@contextlib.contextmanager
def relay(authority: Authority) -> Iterator[str]:
    """A loopback address where the engine gets its time-stamps, until the block ends."""
    path = f"/{secrets.token_urlsafe(16)}"  # nobody else on this machine can use it

    class Handler(BaseHTTPRequestHandler):
        """Answers one kind of request at one path."""

        timeout = 5

        def do_POST(self) -> None:
            """Ask the authority."""
            length = self.headers.get("Content-Length", "")
            if self.path != path or not length.isdecimal() or int(length) > _MAX_QUERY:
                self.send_error(404)
                return
            try:
                answer = authority.stamp(self.rfile.read(int(length)))
            except network.NoAnswer as problem:
                authority.problems.append(str(problem))
                self.send_error(502)
                return
            self.send_response(200)
            self.send_header("Content-Type", _REPLY)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}{path}"
        finally:
            server.shutdown()
            thread.join()
