"""A key that must not be found anywhere: outputs, reports, errors with every variable, logs, files, command lines."""

from __future__ import annotations

import base64
import logging
import os
import subprocess
import sys
import textwrap
import traceback
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

import pki
from aikz_label import Label, identity, mark
from aikz_label.config import Config, load_config
from aikz_label.errors import LabelError
from aikz_label.identity import authority
from aikz_label.identity.certifying import Subject
from aikz_label.label import Responsible
from aikz_label.signing import load_signing_key
from support import PHOTO

SECRET = "canary-password-7f3a"


@pytest.fixture
def canary(tmp_path):
    """A signer, and every form in which its key could show up."""
    party = pki.root().issue()
    party.write(tmp_path)
    number = party.key.private_numbers().private_value
    raw = number.to_bytes(32)
    text = b"".join(party.key_pem.splitlines()[1:-1])
    middle = text[44:84]
    return party, (
        middle,
        raw,
        raw.hex().encode(),
        str(number).encode(),
        base64.b64encode(raw),
        SECRET.encode(),
    )


def clean(data, forms):
    data = data.encode() if isinstance(data, str) else data
    return not any(form in data for form in forms)


def everything(error):
    """An error as a collector of errors would send it: with its causes, and the variables of every frame."""
    shown, seen = [repr(error), str(error.__dict__)], [error]
    while seen:
        one = seen.pop()
        stack = traceback.TracebackException.from_exception(one, capture_locals=True).stack
        shown += [str(frame.locals) for frame in stack if frame.filename != __file__]
        seen += [cause for cause in (one.__cause__, one.__context__) if cause is not None]
    return "".join(shown)


def failures(folder, party):
    """Every way to fail with the key in hand."""
    damaged = party.key_pem.replace(b"\n", b"!\n", 2)
    bundle = pkcs12.serialize_key_and_certificates(
        b"x", party.key, party.certificate, None,
        serialization.BestAvailableEncryption(SECRET.encode()),
    )  # fmt: skip
    other = pki.root().issue()
    expired = pki.root().issue(key=party.key, days=(-9, -8))
    bare = pki.root().issue(key=party.key, without=["extendedKeyUsage"])
    files = {
        "damaged.pem": damaged + party.pem.encode(),
        "cut.pem": party.key_pem[:150] + party.pem.encode(),
        "no-chain.pem": party.key_pem,
        "mismatch.pem": party.key_pem + other.pem.encode(),
        "expired.pem": party.key_pem + expired.pem.encode(),
        "bare.pem": party.key_pem + bare.pem.encode(),
        "broken-chain.pem": party.key_pem + party.pem.encode() + other.pem.encode(),
        "locked.p12": bundle,
        "locked.pem": pki.key_pem(party.key, SECRET.encode()) + other.pem.encode(),
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
        (folder / name).chmod(0o600)
    (folder / "loose.pem").write_bytes(party.key_pem + party.pem.encode())
    (folder / "loose.pem").chmod(0o644)
    (folder / "wrong").write_text(SECRET + "x")
    (folder / "wrong").chmod(0o600)
    yield from (f"file:{name}" for name in files)
    yield from ("file:loose.pem", "file:locked.p12?password=env:CANARY")
    yield from ("file:locked.p12?password=file:wrong", "file:locked.pem?password=env:CANARY")
    yield "exec:false?chain=mismatch.pem"


def test_no_error_shows_it(canary, tmp_path, monkeypatch, caplog):
    party, forms = canary
    monkeypatch.setenv("CANARY", SECRET)
    monkeypatch.chdir(tmp_path)
    caplog.set_level(logging.DEBUG)
    config = Config(tmp_path, responsible=Responsible(name="T", role="owner"))
    works = 0
    for uri in failures(tmp_path, party):
        try:
            load_signing_key(uri, tmp_path)
            works += 1
        except LabelError as error:
            shown = everything(error)
        else:
            continue
        assert clean(shown, forms), uri
        assert "'uri'" in shown or "'path'" in shown or "'data'" in shown  # variables are there
        with pytest.raises(LabelError):
            mark(PHOTO, tmp_path / "out.jpg", Label(origin="created"), signer=uri, config=config)
    assert works == 2  # the bundle with the right password, and a program that has yet to fail
    assert clean(caplog.text, forms)
    assert not (tmp_path / "out.jpg").exists()


def test_a_signer_at_work_does_not_show_it(canary, tmp_path, monkeypatch):
    """Nor when the disk is full, the engine refuses the file, or the signature goes wrong."""
    _, forms = canary
    monkeypatch.chdir(tmp_path)
    config = Config(tmp_path, responsible=Responsible(name="T", role="owner"))
    key = load_signing_key("file:signer.pem", tmp_path)
    assert clean(repr(key), forms)

    class Full:
        def write(self, data):
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="space") as error:
        mark(PHOTO, Full(), Label(origin="created"), signer=key, config=config)
    assert clean(everything(error.value), forms)
    result = mark(PHOTO, None, Label(origin="created"), signer=key, config=config)
    assert clean(result.data, forms)
    assert clean(result.report.to_json() + repr(result.report), forms)
    wrong = key.__class__(key.algorithm, pki.root().issue().pem.encode(), key.expires, key=key.key)
    with pytest.raises(LabelError) as refused:
        mark(PHOTO, None, Label(origin="created"), signer=wrong, config=config)
    assert clean(everything(refused.value), forms)


def test_an_authority_does_not_show_its_key(tmp_path, monkeypatch):
    made = authority.create(tmp_path / "ca", Subject("Test"))
    pem = (tmp_path / "ca" / "ca-key.pem").read_bytes()
    forms = (b"".join(pem.splitlines()[1:-1])[44:84],)
    issued = made.issue(Subject("Test"))
    inner = b"".join(issued.key.splitlines()[1:-1])[44:84]
    assert clean(repr(issued), (inner,))
    monkeypatch.setattr("aikz_label.identity.certifying.os.fdopen", full)
    for folder in ("new", "other"):
        with pytest.raises(OSError, match="space") as error:
            identity.create(tmp_path / folder, Responsible(name="T", role="owner"))
        shown = everything(error.value)
        assert "PRIVATE KEY" not in shown
        assert list((tmp_path / folder).iterdir()) == []
    (tmp_path / "ca" / "ca-key.pem").write_bytes(pem[:120])
    with pytest.raises(LabelError) as damaged:
        made.issue(Subject("Test"))
    assert clean(everything(damaged.value), forms)


def full(descriptor, *_):
    os.close(descriptor)
    raise OSError(28, "No space left on device")


def run(folder, *arguments, **environment):
    command = [sys.executable, "-X", "dev", "-m", "aikz_label", *map(str, arguments)]
    env = os.environ | {"TMPDIR": str(folder / "tmp"), "PYTHONWARNINGS": "ignore"} | environment
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, check=False)


def test_no_command_shows_it(canary, tmp_path):
    party, forms = canary
    (tmp_path / "tmp").mkdir()
    (tmp_path / "photo.jpg").write_bytes(PHOTO.read_bytes())
    uris = ["file:signer.pem", *failures(tmp_path, party)]
    secret = {tmp_path / uri.partition(":")[2].partition("?")[0] for uri in uris} | {
        tmp_path / "wrong"
    }
    settings = "[responsible]\nname = 'T'\nrole = 'owner'\n"
    (tmp_path / "c.toml").write_text(settings)
    for uri in uris:
        done = run(
            tmp_path, "mark", "photo.jpg", "--origin", "created", "-o", "out.jpg", "--overwrite",
            "--json", "--signer", uri, "--config", "c.toml", CANARY=SECRET,
        )  # fmt: skip
        assert clean(done.stdout + done.stderr, forms), uri
        assert (done.returncode == 0) is (
            uri == "file:signer.pem" or "locked.p12?password=env" in uri
        )
        assert b"Traceback" not in done.stderr
    for path in tmp_path.rglob("*"):
        if path.is_file() and path not in secret:
            assert clean(path.read_bytes(), forms), path


def test_nobody_sees_it_from_outside(canary, tmp_path):
    """While a key is in use: command line, environment and limits of the process, and what it hands to its children."""
    party, forms = canary
    (tmp_path / "photo.jpg").write_bytes(PHOTO.read_bytes())
    body = """
        import os
        from pathlib import Path
        parent = Path("/proc", str(os.getppid()))
        seen = b"".join((parent / name).read_bytes() for name in ("cmdline", "environ", "limits"))
        seen += repr(dict(os.environ)).encode()
        Path("seen").write_bytes(seen)
        raise SystemExit("no")
    """
    watcher = tmp_path / "watch.py"
    watcher.write_text(f"#!{sys.executable}\n{textwrap.dedent(body)}")
    watcher.chmod(0o755)
    (tmp_path / "chain.pem").write_text(party.pem)
    (tmp_path / "c.toml").write_text("[responsible]\nname = 'T'\nrole = 'owner'\n")
    uri = "exec:./watch.py?chain=chain.pem"
    done = run(
        tmp_path, "mark", "photo.jpg", "--origin", "created", "--signer", uri, "--config", "c.toml"
    )
    assert done.returncode == 2
    seen = (tmp_path / "seen").read_bytes()
    assert clean(seen, forms)
    (core,) = [line.split() for line in seen.splitlines() if b"Max core file size" in line]
    assert core[4] == b"0"


def test_workers_get_the_uri_and_never_the_key(identity_folder):
    from aikz_label.sandbox import wire, work
    from aikz_label.sandbox.marking import Marking

    config = load_config(identity_folder / "aikz-label.toml")
    order = Marking(Label(origin="created"), config)
    sent = repr(work.setup(order)) + repr(wire.dump(order))
    pem = (identity_folder / "signer.pem").read_text().splitlines()[1]
    assert pem not in sent
    assert "file:signer.pem" in sent
    assert Path(config.folder) == identity_folder
