"""The command line as people meet it: transcripts, exit codes, streams."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from aikz_label import Verdict, verify
from aikz_label.cli import main
from support import BIN, encoded, picture

SENTENCE = "proves nothing about the origin"


def run(*arguments, data=b"", **environment):
    """The real program in a process of its own."""
    command = [sys.executable, "-m", "aikz_label", *map(str, arguments)]
    env = {**os.environ, **environment}
    return subprocess.run(
        command, input=data, capture_output=True, env=env, timeout=120, check=False
    )


@pytest.fixture
def here(tmp_path, monkeypatch, photo, identity_folder):
    """A folder with a photograph, and the identity as the user's own configuration."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "aikz-label").symlink_to(identity_folder)
    work = tmp_path / "work"
    work.mkdir()
    (work / "photo.jpg").write_bytes(photo.read_bytes())
    monkeypatch.chdir(work)
    return work


def test_the_first_session(tmp_path, monkeypatch, photo, capsys):
    """init, mark, verify, as the README shows it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photo.jpg").write_bytes(photo.read_bytes())
    assert main(["init", "--name", "ЖШС «Үлгі»", "--bin", BIN, "--role", "owner"]) == 0
    assert "self-issued" in capsys.readouterr().err
    assert main(["mark", "photo.jpg", "--origin", "created", "--system", "PhotoGen/2.1"]) == 0
    assert capsys.readouterr().out.startswith("photo.labelled.jpg: labelled")
    assert main(["verify", "photo.labelled.jpg"]) == 0
    shown = capsys.readouterr().out
    assert "ЖШС «Үлгі», owner of the system, BIN 051140000004" in shown
    assert "self-issued" in shown
    assert max(map(len, shown.splitlines())) <= 80
    assert main(["init", "--name", "x", "--bin", BIN, "--role", "owner"]) == 2
    assert "never overwritten" in capsys.readouterr().err


@pytest.mark.parametrize("language", ["kk", "ru", "en"])
def test_reports_fit_80_columns_in_every_language(here, capsys, language):
    main(["mark", "photo.jpg", "--origin", "altered", "--imitates", "voice,event"])
    for path in ("photo.labelled.jpg", "photo.jpg"):
        capsys.readouterr()
        main(["verify", path, "--lang", language])
        lines = capsys.readouterr().out.splitlines()
        assert lines
        assert max(map(len, lines)) <= 80


def test_exit_codes(here, capsys):
    assert main(["mark", "photo.jpg", "--origin", "created"]) == 0
    assert main(["verify", "photo.labelled.jpg"]) == 0
    assert main(["verify", "photo.jpg", "photo.labelled.jpg"]) == 1
    assert main(["verify", "photo.jpg", "absent.jpg"]) == 2
    assert main(["verify", "photo.labelled.jpg", "--trust", "photo.jpg"]) == 2
    (here / "x.bin").write_bytes(b"\0\1\2")
    assert main(["mark", "x.bin", "--origin", "created"]) == 1
    assert main(["mark", "absent.png", "--origin", "created"]) == 2
    assert main(["mark", "photo.jpg", "--origin", "created"]) == 2
    assert "exists already" in capsys.readouterr().err
    assert sorted(os.listdir(here)) == ["photo.jpg", "photo.labelled.jpg", "x.bin"]


def test_unmarked_always_says_that_it_proves_nothing(here, capsys):
    for arguments in (["photo.jpg"], ["photo.jpg", "photo.jpg"], ["photo.jpg", "--json"]):
        assert main(["verify", *arguments]) == 1
        shown = " ".join(capsys.readouterr().out.split())
        assert SENTENCE in shown
        assert "authentic" not in shown.replace("does not mean that the file is authentic", "")


def test_a_marker_that_does_not_hold_vouches_for_nothing(here, capsys):
    main(["mark", "photo.jpg", "--origin", "created"])
    data = (here / "photo.labelled.jpg").read_bytes()
    (here / "cut.jpg").write_bytes(data[:30_000])
    capsys.readouterr()
    assert main(["verify", "cut.jpg"]) == 1
    shown = capsys.readouterr().out
    assert "cut.jpg: invalid" in shown
    assert "«Үлгі»" not in shown
    assert "Nothing was found" not in shown


def test_json_is_one_report_per_line(here, capsys):
    main(["mark", "photo.jpg", "--origin", "created", "--json"])
    marked = json.loads(capsys.readouterr().out)
    assert (marked["schema"], marked["verdict"]) == ("aikz-label/report/1", "labelled")
    main(["verify", "--json", "photo.labelled.jpg", "photo.jpg"])
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["path"] for line in lines] == ["photo.labelled.jpg", "photo.jpg"]
    assert all(line.isascii() for line in lines)
    keys = "schema path format verdict reason profile limits marker history notice declared mirrors findings"
    assert list(json.loads(lines[0])) == keys.split()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["mark", "photo.jpg"], "--origin"),
        (["mark", "photo.jpg", "--origin", "fake"], "created"),
        (["mark", "photo.jpg", "--origin", "created", "--imitates", ""], "--imitates is empty"),
        (["mark", "photo.jpg", "--origin", "created", "--imitates", "none,voice"], "combined"),
        (["mark", "photo.jpg", "--origin", "created", "--imitates", "face"], "appearance"),
        (["mark", "photo.jpg", "--origin", "created", "--lang", "de"], "kk, ru, en"),
        (["mark", "photo.jpg", "--origin", "created", "--profile", "eu"], "kz"),
        (["mark", "photo.jpg", "--origin", "created", "--notice", "none"], "reason"),
        (["mark", "photo.jpg", "--origin", "created", "--system", "/1"], "/1"),
        (["mark", "photo.jpg", "--origin", "created", "--signer", "kms:1"], "file:"),
        (["mark", "photo.jpg", "x.jpg", "--origin", "created", "-o", "y.jpg"], "--out-dir"),
        (["mark", "photo.jpg", "--origin", "created", "-o", "-", "--json"], "standard output"),
        (["mark", "-", "--origin", "created"], "-o"),
        (["mark", "photo.jpg", "--origin", "created", "-o", "photo.jpg", "--overwrite"], "source"),
        (["mark", "photo.jpg", "--origin", "created", "-o", "no/where.jpg"], "no folder"),
        (["mark", "--origin", "created"], "nothing to mark"),
        (["verify"], "nothing to verify"),
        (["verify", "-", "photo.jpg"], "alone"),
        (["verify", "photo.jpg", "--resume"], "--journal"),
        (["verify", ".", "--sidecar", "x.c2pa"], "one file's marker"),
        (["verify", ".", "-j", "-1"], "positive"),
        (["verify", "photo.jpg", "--timeout", "-1"], "positive"),
        (["mark", ".", "--origin", "created", "--signer", "file:absent.pem"], "absent.pem"),
        (["init", "--name", "x", "--bin", "1", "--role", "owner", "--dir", "new"], "12 digits"),
        (["init", "--name", "x", "--dir", "new"], "--bin"),
        (["verify", "photo.jpg", "--config", "absent.toml"], "absent.toml"),
        (["verify", "photo.jpg", "--trust", "absent.pem"], "absent.pem"),
        (["verify", "photo.jpg", "--mesure"], "unrecognized"),
        (["verify", "photo.jpg", "--mesure"], "usage: aikz-label verify [-h]"),
        (["trust", "list", "--all"], "usage: aikz-label trust [-h]"),
        (["sign"], "invalid choice"),
        ([], "COMMAND"),
    ],
)
def test_a_mistake_is_a_sentence_and_exit_2(here, arguments, says):
    result = run(*arguments)
    message = result.stderr.decode()
    if arguments[:2] == ["mark", "photo.jpg"] and "/1" in arguments:
        assert result.returncode == 0  # a name may begin with a slash
        return
    assert result.returncode == 2
    assert says in message
    assert "Traceback" not in message
    assert result.stdout == b""
    assert os.listdir(here) == ["photo.jpg"]


def test_standard_streams(here, photo):
    marked = run("mark", "-", "-o", "-", "--origin", "created", data=photo.read_bytes())
    assert marked.returncode == 0, marked.stderr
    checked = run("verify", "-", "--json", data=marked.stdout)
    assert checked.returncode == 0
    assert json.loads(checked.stdout)["verdict"] == "labelled"
    refused = run("mark", "-", "-o", "-", "--origin", "created", data=b"\0\1")
    assert (refused.returncode, refused.stdout) == (1, b"")


def test_out_dir_and_config(here, identity_folder, tmp_path):
    (here / "out").mkdir()
    result = run(
        "mark", "photo.jpg", "--out-dir", "out", "--origin", "created",
        "--config", identity_folder / "aikz-label.toml", XDG_CONFIG_HOME=str(tmp_path / "none"),
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert os.listdir("out") == ["photo.labelled.jpg"]
    nobody = run("mark", "photo.jpg", "--origin", "created", XDG_CONFIG_HOME=str(tmp_path / "none"))
    assert nobody.returncode == 2
    assert b"aikz-label init" in nobody.stderr


def test_a_key_that_others_can_read(here, tmp_path, identity_folder):
    signer = tmp_path / "loose.pem"
    signer.write_bytes((identity_folder / "signer.pem").read_bytes())
    signer.chmod(0o644)
    result = run("mark", "photo.jpg", "--origin", "created", "--signer", f"file:{signer}")
    assert result.returncode == 2
    assert b"chmod 600" in result.stderr
    secret = signer.read_bytes().splitlines()[2]
    assert secret not in result.stderr + result.stdout
    assert os.listdir(here) == ["photo.jpg"]


def test_a_fifo_does_not_hang(here):
    os.mkfifo("pipe.jpg")
    assert run("verify", "pipe.jpg").returncode == 2
    assert run("mark", "pipe.jpg", "--origin", "created").returncode == 2


def test_names_and_signers_cannot_write_to_the_terminal(here, stranger, label):
    from aikz_label import mark

    name = "evil\x1b[2J\n\u202e.png"
    data = mark(encoded(picture(), "png"), None, label, config=stranger).data
    (here / name).write_bytes(data)
    for arguments in ([name], [name, name], [name, "--json"]):
        result = run("verify", *arguments)
        assert result.returncode == 1
        for raw in (b"\x1b", "\u202e".encode(), b"\x9b"):
            assert raw not in result.stdout + result.stderr
    absent = run("verify", "gone\x1b[31m.png")
    assert b"\x1b" not in absent.stderr


def test_colour_only_on_a_terminal(here):
    main(["mark", "photo.jpg", "--origin", "created"])
    assert b"\x1b" not in run("verify", "photo.labelled.jpg").stdout


def test_a_reader_that_goes_away(here):
    main(["mark", "photo.jpg", "--origin", "created"])
    command = [sys.executable, "-m", "aikz_label", "verify", "--json", *["photo.labelled.jpg"] * 50]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.readline()
    process.stdout.close()
    message = process.stderr.read().decode()
    process.stderr.close()
    process.wait(60)
    assert "Traceback" not in message
    assert "Exception" not in message


@pytest.mark.parametrize(
    ("asked", "unbuffered"),
    [
        (["verify", "photo.jpg"], ""),
        (["--help"], ""),
        (["--version"], ""),
        (["verify", "photo.jpg"], "1"),
        (["--version"], "1"),
    ],
)
def test_an_answer_that_does_not_fit_on_the_disk(here, asked, unbuffered):
    """Also one that is so short that it is written at the very end, or at once, before there is a command."""
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    command = [sys.executable, "-c", "from aikz_label.cli import entry; entry()", *asked]
    env = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, env=env, check=False)
    assert done.returncode == 2
    said = "aikz-label: No space left on device. Make room, or name another place. [ENOSPC]\n"
    assert done.stderr.decode() == said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_nothing_half_done(here, photo, number):
    for index in range(40):
        (here / f"{index}.jpg").write_bytes(photo.read_bytes())
    command = [
        sys.executable,
        "-m",
        "aikz_label",
        "mark",
        "--origin",
        "created",
        "--out-dir",
        "out",
    ]
    (here / "out").mkdir()
    process = subprocess.Popen([*command, *[f"{i}.jpg" for i in range(40)]], stderr=subprocess.PIPE)
    while not os.listdir(here / "out"):
        time.sleep(0.02)
    process.send_signal(number)
    message = process.stderr.read().decode()
    process.stderr.close()
    code = process.wait(60)
    assert code == (130 if number == signal.SIGINT else 143)
    assert "Traceback" not in message
    left = os.listdir(here / "out")
    assert 0 < len(left) < 40
    assert all(verify(here / "out" / name).verdict is Verdict.LABELLED for name in left)


def test_a_plain_locale(here):
    result = run(
        "verify", "photo.jpg", "--lang", "kk", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0"
    )
    assert result.returncode == 1
    assert b"Traceback" not in result.stderr
    assert result.stdout


def test_formats_and_doctor(here, capsys):
    assert main(["formats"]) == 0
    table = capsys.readouterr().out
    assert "JPEG" in table
    assert "sidecar on" in table[table.index("DOCX") :]
    assert "C2PA sidecar" not in table
    assert max(map(len, table.splitlines())) <= 80
    assert main(["doctor"]) == 0
    found = capsys.readouterr().out
    assert "self-issued" in found
    # but for the path of the configuration, which is wherever the tests are
    assert max(len(line) for line in found.splitlines() if os.sep not in line) <= 80


@pytest.mark.parametrize(
    "options", [[], ["--profile", "strict", "--at", "2030-01-01"], ["--measure"]]
)
def test_where_nothing_can_be_isolated_the_answer_is_the_same(here, capsys, monkeypatch, options):
    """As on Windows."""
    assert main(["mark", "photo.jpg", "--origin", "created"]) == 0
    capsys.readouterr()
    answers = []
    for isolated in (True, False):
        monkeypatch.setattr("aikz_label.sandbox.nursery.available", lambda known=isolated: known)
        code = main(["verify", "photo.labelled.jpg", "--json", *options])
        answers.append((code, json.loads(capsys.readouterr().out)))
    assert answers[0] == answers[1]


@pytest.mark.parametrize("verb", [["mark", "--origin", "created"], ["verify"]])
def test_a_missing_file_is_named_once(here, capsys, verb):
    """With what to do, and the system's own name for it."""
    assert main([*verb, "missing.jpg"]) == 2
    said = "aikz-label: missing.jpg: No such file or directory. Check the name. [ENOENT]\n"
    assert capsys.readouterr().err == said


@pytest.mark.parametrize("name", [".", "..", "/", "out/", ""])
def test_a_destination_that_is_no_file(here, capsys, name):
    """A folder, or the empty value of a variable in a script."""
    assert main(["mark", "photo.jpg", "--origin", "created", "-o", name]) == 2
    said = capsys.readouterr().err
    assert "se --out-dir for a folder." in said
    assert os.listdir(here) == ["photo.jpg"]


def test_doctor_says_what_is_missing(tmp_path):
    result = run("doctor", XDG_CONFIG_HOME=str(tmp_path))
    assert result.returncode == 1
    assert b"aikz-label init" in result.stdout


def test_version_and_help():
    assert run("--version").stdout.startswith(b"aikz-label 0.")
    for command in ([], ["init"], ["mark"], ["verify"], ["formats"], ["doctor"]):
        assert run(*command, "--help").returncode == 0


def test_init_asks_at_a_terminal(tmp_path):
    """Questions only when somebody can answer them."""
    import pty

    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "aikz_label", "init", "--dir", str(tmp_path / "id")]
    process = subprocess.Popen(
        command, stdin=follower, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    os.write(leader, f"ЖШС «Үлгі»\n{BIN}\nholder\n".encode())
    out, err = process.communicate(timeout=60)
    os.close(leader)
    os.close(follower)
    assert process.returncode == 0, err
    assert b"Role (owner or holder)" in err
    assert "holder" in (tmp_path / "id" / "aikz-label.toml").read_text(encoding="utf-8")
    assert b"signer.pem" in out
