"""Object storage: a real S3 server on loopback, and what goes wrong between it and us."""

from __future__ import annotations

import http.client
import http.server
import io
import json
import threading
from collections import Counter
from pathlib import Path
from typing import ClassVar

import pytest

from aikz_label import Label, mark, verify_many
from aikz_label.cli import main
from aikz_label.files import storage
from support import encoded, missing, picture

try:
    import boto3
    import obstore  # noqa: F401
    from moto.server import ThreadedMotoServer
except ModuleNotFoundError as error:
    REASON = f"the package {error.name} (dependency group scale)"
else:
    REASON = ""

pytestmark = [
    pytest.mark.timeout(180),
    # of the S3 server and its client, not of ours
    pytest.mark.filterwarnings(
        "ignore::DeprecationWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
    ),
]
BUCKET = "uploads"


class Trouble(http.server.BaseHTTPRequestHandler):
    """Between the client and the server: passes everything on, but for keys whose name says what goes wrong."""

    server_port = 0
    seen: ClassVar[Counter[str]] = Counter()
    swap = staticmethod(lambda key: None)
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.answer()

    def do_HEAD(self):
        self.answer()

    def answer(self):
        key = self.path.partition("?")[0].rpartition("/")[2]
        self.seen[key] += 1
        if "throttled-for-ever" in key or ("throttled" in key and self.seen[key] <= 2):
            self.send_response(503)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if "forbidden" in key:
            self.send_response(403)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if "swapped" in key and self.seen[key] == 2:
            self.swap(key)
        self.pass_on(cut="cut" in key and self.seen[key] > 1)

    def pass_on(self, *, cut):
        upstream = http.client.HTTPConnection("127.0.0.1", self.server_port)
        upstream.request(self.command, self.path, headers=dict(self.headers))
        response = upstream.getresponse()
        body = response.read()
        self.send_response(response.status)
        for name, value in response.getheaders():
            if name.lower() not in {
                "connection",
                "transfer-encoding",
                "server",
                "date",
                "content-length",
            }:
                self.send_header(name, value)
        length = response.getheader("Content-Length", "0") if self.command == "HEAD" else len(body)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)
        upstream.close()
        if cut:
            self.close_connection = True

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def server():
    if REASON:
        missing(REASON)
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    port = moto.get_host_and_port()[1]
    handler = type("Handler", (Trouble,), {"server_port": port, "seen": Counter()})
    proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=proxy.serve_forever, daemon=True)
    thread.start()
    yield port, proxy.server_address[1], handler
    proxy.shutdown()
    proxy.server_close()
    thread.join()
    moto.stop()


@pytest.fixture
def bucket(server, monkeypatch):
    """A bucket; the client's environment leads to the trouble in front of it."""
    port, front, handler = server
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{front}",
        "AWS_ALLOW_HTTP": "true",
    }.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{port}", region_name="us-east-1")
    client.create_bucket(Bucket=BUCKET)
    handler.seen.clear()
    storage._store.cache_clear()
    yield client
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
        for found in page.get("Contents", ()):
            client.delete_object(Bucket=BUCKET, Key=found["Key"])
    client.close()


@pytest.fixture(scope="module")
def plain() -> bytes:
    return encoded(picture(size=(64, 48)), "png")


@pytest.fixture(scope="module")
def marked(config) -> bytes:
    small = encoded(picture(size=(320, 240)), "jpeg")
    return mark(small, None, Label(origin="created"), config=config).data


def put(client, key, data):
    client.put_object(Bucket=BUCKET, Key=key, Body=data)
    return f"s3://{BUCKET}/{key}"


def test_objects_are_verified_like_files(bucket, plain, marked, config, tmp_path):
    names = {
        "a.png": plain,
        "b/c.jpg": marked,
        "d Әә+&.jpg": marked[:-4000],
        "empty": b"",
        "x.txt": b"text\n",
    }
    uris = [put(bucket, key, data) for key, data in names.items()]
    paths = []
    for number, data in enumerate(names.values()):
        (tmp_path / str(number)).write_bytes(data)
        paths.append(str(tmp_path / str(number)))
    there = list(verify_many(uris, config=config, jobs=2))
    here = list(verify_many(paths, config=config, jobs=2))
    assert [report.path for report in there] == uris
    assert [report.at("") for report in there] == [report.at("") for report in here]


def test_one_request_for_a_small_object(bucket, server, marked):
    uri = put(bucket, "one.jpg", marked)
    list(verify_many([uri], jobs=1))
    assert server[2].seen["one.jpg"] == 1


def test_a_large_object_is_read_in_ranges(bucket, config):
    import random

    data = random.Random(1).randbytes(9_000_000)
    uri = put(bucket, "large", data)
    with storage.open_object(uri) as (stream, size, _):
        assert size == len(data)
        assert stream.read() == data
        stream.seek(-10, io.SEEK_END)
        assert stream.read() == data[-10:]
        for at in (8_999_990, 5, 4_194_300, 1_048_570):
            stream.seek(at)
            assert stream.read(20) == data[at : at + 20]


def test_a_bucket_is_walked_and_continued(
    bucket, plain, marked, config, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    for number in range(30):
        put(bucket, f"in/{number}.png", plain)
    put(bucket, "in/deep/m.jpg", marked)
    put(bucket, "out/other.png", plain)
    command = [
        "verify",
        f"s3://{BUCKET}/in/",
        "--journal",
        "run.jsonl",
        "--config",
        str(config.path),
    ]
    assert main(command) == 1

    def uris():
        lines = map(json.loads, Path("run.jsonl").read_text().splitlines())
        return [line["uri"] for line in lines if "uri" in line]

    assert sorted(uris()) == sorted(
        [*(f"s3://{BUCKET}/in/{n}.png" for n in range(30)), f"s3://{BUCKET}/in/deep/m.jpg"]
    )
    put(bucket, "in/3.png", marked)  # changed
    put(bucket, "in/new.png", plain)
    assert main([*command, "--resume"]) == 1
    assert sorted(uris()[31:]) == [f"s3://{BUCKET}/in/3.png", f"s3://{BUCKET}/in/new.png"]
    capsys.readouterr()
    main(["verify", f"s3://{BUCKET}/in/", "-g", "*.jpg", "--json", "--config", str(config.path)])
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["verdict"] == "labelled"


@pytest.fixture(scope="module")
def beside(config) -> tuple[bytes, bytes]:
    """A picture whose format has no place for a marker, and its sidecar."""
    result = mark(
        encoded(picture(size=(320, 240)), "bmp"), None, Label(origin="created"), config=config
    )
    return result.data, result.sidecar


@pytest.mark.parametrize("name", ["a.bmp.c2pa", "a.c2pa"])
def test_a_sidecar_is_found_beside_its_object(bucket, server, beside, marked, config, name):
    data, store = beside
    uris = [
        put(bucket, "s/a.bmp", data),
        put(bucket, "s/b.jpg", marked),
        put(bucket, "s/c.bmp", data),
    ]
    put(bucket, f"s/{name}", store)
    put(bucket, "s/c.bmp.c2pa", store[:-100])
    found, inside, damaged = verify_many(uris, config=config)
    assert found.verdict == "labelled"
    assert found.evidence.marker.carrier == "sidecar"
    assert inside.verdict == "labelled"
    assert server[2].seen["b.jpg.c2pa"] == 0  # no request for what is not needed
    assert damaged.verdict == "invalid"


def test_a_sidecar_that_cannot_be_read_is_not_taken_for_a_missing_one(bucket, beside, config):
    data, store = beside
    uri = put(bucket, "cut.bmp", data)  # comes with one request, which is passed on whole
    put(bucket, "cut.bmp.c2pa", store + bytes(5_000_000))  # needs two
    (report,) = verify_many([uri], config=config, deadline=30)
    assert report.reason.code == "unreadable.sidecar-not-read"


def test_sidecars_of_a_listing_are_no_files(bucket, beside, config, capsys):
    data, store = beside
    keys = {
        "l/a.bmp": data,
        "l/a.bmp-x": data,
        "l/a.bmp.c2pa": store,
        "l/a.bmp0": data,
        "l/z.c2pa": store,
    }
    for key, content in keys.items():
        put(bucket, key, content)
    main(["verify", f"s3://{BUCKET}/l/", "--json", "--config", str(config.path)])
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(row["path"].rpartition("/")[2], row["verdict"]) for row in rows] == [
        ("a.bmp", "labelled"),
        ("a.bmp-x", "unmarked"),
        ("a.bmp0", "unmarked"),
        ("z.c2pa", "unreadable"),
    ]


def test_trouble(bucket, plain, marked, config):
    """Throttling is waited for; what stays away is not opened; nothing of it is taken for the file's fault."""
    keys = ["throttled.jpg", "forbidden.jpg", "vanished.jpg"]
    uris = [put(bucket, key, marked) for key in keys]
    bucket.delete_object(Bucket=BUCKET, Key="vanished.jpg")
    good, no, gone = verify_many([*uris], config=config, deadline=30)
    assert good.verdict == "labelled"
    assert [dict(r.reason.args)["why_word"] for r in (no, gone)] == ["no-permission", "not-found"]
    (nowhere,) = verify_many(["s3://no-such-bucket-here/x"], config=config)
    assert nowhere.reason.code == "unreadable.not-opened"


def test_throttled_for_ever_costs_a_row(bucket, plain, marked, config):
    uris = [put(bucket, "throttled-for-ever.jpg", marked), put(bucket, "after.jpg", marked)]
    late, after = verify_many(uris, jobs=1, config=config, deadline=4)
    assert late.reason.code in {"unreadable.not-opened", "unreadable.deadline"}
    assert after.verdict == "labelled"


def test_a_connection_that_breaks_is_no_damaged_file(bucket, config):
    big = encoded(picture(size=(1800, 1200)), "png")
    big += bytes(5_000_000)
    uri = put(bucket, "cut.png", big)
    (report,) = verify_many([uri], config=config, deadline=20)
    assert report.reason.code in {"unreadable.not-opened", "unreadable.deadline"}


def test_an_object_that_is_replaced_meanwhile(bucket, server, config):
    big = encoded(picture(size=(1800, 1200)), "png") + bytes(5_000_000)
    server[2].swap = staticmethod(lambda key: put(bucket, key, big[::-1]))
    uri = put(bucket, "swapped.png", big)
    (report,) = verify_many([uri], config=config, deadline=20)
    assert report.reason.code == "unreadable.changed"


def test_without_the_package(monkeypatch, capsys, tmp_path, config):
    (tmp_path / "obstore.py").write_text("raise ModuleNotFoundError(name='obstore')")
    monkeypatch.syspath_prepend(str(tmp_path))
    (report,) = verify_many(["s3://bucket/key"], jobs=1, config=config)
    assert report.reason.code == "unreadable.missing-package"
    assert "aikz-label[storage]" in report.reason.text("en")


@pytest.mark.parametrize(
    ("uri", "parts"),
    [
        ("s3://b/k/e y.png", ("s3://b", "k/e y.png")),
        ("s3://b/", ("s3://b", "")),
        ("s3://b", ("s3://b", "")),
        ("gs://b/x", ("gs://b", "x")),
        ("az://account/container/k/e", ("az://account/container", "k/e")),
        ("az://account/container/", ("az://account/container", "")),
    ],
)
def test_parts_of_a_uri(uri, parts):
    assert storage._parts(uri) == parts
