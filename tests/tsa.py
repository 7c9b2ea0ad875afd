"""An authority for time-stamps on the loopback interface: `openssl ts` behind HTTP, with faults on request."""

from __future__ import annotations

import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pki
from support import require_tool

SETTINGS = """[tsa]
default_tsa=own
[own]
serial={folder}/serial
signer_cert={folder}/tsa.pem
certs={folder}/chain.pem
signer_key={folder}/key.pem
signer_digest=sha256
default_policy=1.2.3.4.1
other_policies=1.2.3.4.2
digests=sha256,sha384,sha512
accuracy=secs:1
ordering=no
tsa_name=no
ess_cert_id_chain=no
ess_cert_id_alg=sha256
"""


class LocalTsa:
    """Answers until it is closed.

    Attributes:
        url: Where.
        root: Whom to believe for its time-stamps.
        mode: What to do: `work`, or a fault such as `status-500`, `garbage`, `redirect`, `silent`, `wrong-type`, `long`.
        queries: What it was asked.
    """

    def __init__(self, folder: Path, *, faketime: str = "", **options) -> None:
        self.openssl = require_tool("openssl")
        self.folder, self.faketime = folder, faketime
        self.root = options.pop("root", None) or pki.root("TSA root", organisation="Clock")
        options = {"purposes": [pki.TIME_STAMPING], "organisation": "Clock"} | options
        self.signer = self.root.issue("Clock TSA", **options)
        (folder / "key.pem").write_bytes(self.signer.key_pem)
        (folder / "tsa.pem").write_text(self.signer.pem)
        (folder / "chain.pem").write_text(self.root.pem)
        (folder / "serial").write_text("01\n")
        (folder / "tsa.cnf").write_text(SETTINGS.format(folder=folder))
        self.mode = "work"
        self.queries: list[bytes] = []
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        )
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/tsr"

    def answer(self, query: bytes) -> bytes:
        with self._lock:  # one serial number after the other
            (self.folder / "query").write_bytes(query)
            command = [self.openssl, "ts", "-reply", "-config", "tsa.cnf", "-section", "own"]
            command += ["-queryfile", "query", "-out", "reply"]
            if self.faketime:
                command = [require_tool("faketime"), "-f", self.faketime, *command]
            subprocess.run(command, cwd=self.folder, check=True, capture_output=True)
            return (self.folder / "reply").read_bytes()

    def reply(self, query: bytes) -> tuple[str, int, bytes]:
        """Type, status and body for the mode."""
        reply = "application/timestamp-reply"
        if self.mode == "work":
            return reply, 200, self.answer(query)
        if self.mode == "stale":  # an answer to another question
            return reply, 200, self.answer(query.replace(query[30:50], bytes(20)))
        return {
            "garbage": (reply, 200, b"\x30\x03abc"),
            "wrong-type": ("text/html", 200, b"<h1>Log in</h1>"),
            "long": (reply, 200, b"\x30" * 3_000_000),
            "redirect": (reply, 302, b""),
            "status-500": (reply, 500, b"<script>"),
        }[self.mode]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(tsa: LocalTsa) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            query = self.rfile.read(int(self.headers["Content-Length"]))
            tsa.queries.append(query)
            if tsa.mode == "silent":
                threading.Event().wait(3)
                return
            kind, status, body = tsa.reply(query)
            self.send_response(status)
            if status == 302:
                self.send_header("Location", tsa.url.replace("/tsr", "/other"))
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    return Handler
