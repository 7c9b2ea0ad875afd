"""A browser without a window, and what a page in it finds out."""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from support import require_tool


def ask(page: str, folder: Path) -> Any:
    """Show a page, and return what it sends with `fetch('/shown', {method: 'POST', body: JSON})`."""
    browser = require_tool("chromium")
    quiet = "--headless --no-sandbox --disable-gpu --no-first-run --disable-sync --remote-debugging-port=0"
    more = "--disable-background-networking --disable-component-update --autoplay-policy=no-user-gesture-required"
    with _asking(page) as (address, answered, answers):
        process = subprocess.Popen(
            [browser, *quiet.split(), *more.split(), f"--user-data-dir={folder}", address],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            assert answered.wait(120), "the browser does not answer"
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return answers[0]


@contextlib.contextmanager
def _asking(page: str) -> Iterator[Any]:
    """A page served to this machine only, and what it answers."""
    answered, answers = threading.Event(), []

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(page.encode() if self.path == "/" else b"")

        def do_POST(self):
            answers.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()
            answered.set()

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/", answered, answers
        server.shutdown()
