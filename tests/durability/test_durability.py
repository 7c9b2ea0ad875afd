"""Whatever happens to the process, the disk or the source: the destination is whole and labelled, or it is not there."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from aikz_label import Label, LabelError, Refused, mark, verify
from aikz_label.config import Config
from aikz_label.errors import SourceError
from aikz_label.files import open_source
from aikz_label.files.output import atomic_output
from aikz_label.label import Origin
from aikz_label.report import Verdict
from support import PHOTO

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(os.name != "posix", reason="signals and limits are those of POSIX"),
]

KILLS = 25
SEED = 20261124
PHOTO_HASH = hashlib.sha256(PHOTO.read_bytes()).hexdigest()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where results go; nothing else is ever in it."""
    made = tmp_path / "results"
    made.mkdir()
    return made


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "photo.jpg"
    shutil.copy(PHOTO, path)
    return path


@pytest.fixture
def command(identity_folder: Path) -> list[str]:
    """`aikz-label mark`, still without files."""
    settings = identity_folder / "aikz-label.toml"
    return [
        sys.executable,
        "-m",
        "aikz_label",
        "mark",
        "--config",
        str(settings),
        "--origin",
        "created",
    ]


def run(arguments: list[str | Path], **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*map(str, arguments)], capture_output=True, text=True, check=False, timeout=120, **options
    )


def intact(source: Path) -> bool:
    return hashlib.sha256(source.read_bytes()).hexdigest() == PHOTO_HASH


def labelled(path: Path, config: Config) -> bool:
    return verify(path, config=config).verdict is Verdict.LABELLED


# --- kill -9 ----------------------------------------------------------------------------------------------------------


def test_killed_at_random_moments(
    command: list[str], source: Path, folder: Path, config: Config
) -> None:
    out = folder / "out.jpg"
    started = time.monotonic()
    assert run([*command, source, "-o", out]).returncode == 0
    duration = time.monotonic() - started
    out.unlink()
    dice, seen = random.Random(SEED), {"absent": 0, "whole": 0}
    # spread over the whole run and a little past it, at random within equal slices
    for number in range(KILLS):
        delay = duration * 1.1 * (number + dice.random()) / KILLS
        process = subprocess.Popen(
            [*command, str(source), "-o", str(out)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(delay)
        process.kill()
        process.wait()
        assert set(folder.iterdir()) <= {out}, f"stray files after {delay:.3f} of {duration:.3f} s"
        assert intact(source)
        if out.exists():
            assert labelled(out, config), f"torn after {delay:.3f} of {duration:.3f} s"
            out.unlink()
            seen["whole"] += 1
        else:
            seen["absent"] += 1
    assert seen["absent"] >= KILLS // 4, f"the kills came too late to say anything: {seen}"


# Kills itself with SIGKILL at the n-th thing it does to the destination's folder, just before doing it.
SUICIDE = """
import os, signal, sys
folder, left = sys.argv.pop(1), int(sys.argv.pop(1))
def hook(event, arguments):
    global left
    if event in {"open", "os.link", "os.rename", "os.remove"}:
        if any(isinstance(a, (str, bytes, os.PathLike)) and os.fsdecode(a).startswith(folder) for a in arguments):
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(hook)
from aikz_label.cli import entry
entry()
"""


@pytest.mark.parametrize("overwrite", [False, True])
def test_killed_at_every_step_of_publishing(
    command: list[str], source: Path, folder: Path, config: Config, *, overwrite: bool
) -> None:
    """Opening the output, giving it its name, and making the name durable: death at each of them."""
    out, old = folder / "out.jpg", b"what was there before"
    flags = ["--overwrite"] if overwrite else []
    arguments = [*command[3:], str(source), "-o", str(out), *flags]
    outcomes = []
    for step in range(20):
        if overwrite:
            out.write_bytes(old)
        done = run([command[0], "-c", SUICIDE, folder, str(step), *arguments])
        assert intact(source)
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL, done.stderr
        fresh = out.exists() and out.read_bytes() != old
        outcomes.append("new" if fresh else "old")
        assert out.exists() or not overwrite, "an existing destination was lost"
        if fresh:
            assert labelled(out, config)
        # between getting a hidden name and taking the place of the old file there are two names for a whole file
        strays = set(folder.iterdir()) - {out}
        assert len(strays) <= overwrite
        for stray in strays:
            assert labelled(stray, config)
        for path in folder.iterdir():
            path.unlink()
    else:
        pytest.fail("it never finished")
    assert labelled(out, config)
    assert "old" in outcomes
    assert "new" in outcomes
    assert outcomes == sorted(outcomes, reverse=True), "once there, it stays there"


# What `mark` does with a finished file and its sidecar, and a signal at the n-th step of that.
PUBLISH = """
import os, signal, sys
from pathlib import Path
from aikz_label.files import output
folder, left, number, new, store, path, beside = sys.argv[1:]
left = int(left)
new, store = Path(new).read_bytes(), Path(store).read_bytes()
def stop(*_):
    raise SystemExit(3)
signal.signal(signal.SIGTERM, stop)
# what a handler raises inside the hook stops the call itself, which no real signal does: cleaning up must not be cut
steps = {"open", "os.link", "os.rename"} | ({"os.remove"} if int(number) == 9 else set())
def hook(event, arguments):
    global left
    if event in steps:
        if any(isinstance(a, (str, bytes, os.PathLike)) and os.fsdecode(a).startswith(folder) for a in arguments):
            left -= 1
            if left == -1:
                os.kill(os.getpid(), int(number))
sys.addaudithook(hook)
path, beside = Path(path), Path(beside)
with output.companion(beside, path, overwrite=True) as put, output.atomic_output(path, overwrite=True) as out:
    out.write(new)
    put(store, out)
"""


@pytest.fixture(scope="module")
def pairs(config: Config, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Path, Path]]:
    """Two labelled files, each with its sidecar."""
    folder = tmp_path_factory.mktemp("pairs")
    made = []
    for origin in Origin:
        out = folder / f"{origin}.jpg"
        mark(PHOTO, out, Label(origin=origin), config=config, sidecar="always")
        made.append((out, out.with_name(out.name + ".c2pa")))
    return made


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("before", ["nothing", "pair", "file", "sidecar"])
def test_stopped_at_every_step_of_publishing_a_sidecar(
    pairs: list[tuple[Path, Path]],
    folder: Path,
    config: Config,
    before: str,
    number: signal.Signals,
) -> None:
    """A file never has its name before its sidecar has; an old file never passes with a new sidecar."""
    (old, old_beside), (new, new_beside) = pairs
    out, beside = folder / "out.jpg", folder / "out.jpg.c2pa"
    there = {"nothing": {}, "pair": {out: old, beside: old_beside}}
    there |= {"file": {out: old}, "sidecar": {beside: old_beside}}
    outcomes = []
    for step in range(40):
        for path in folder.iterdir():
            path.unlink()
        for path, content in there[before].items():
            shutil.copy(content, path)
        arguments = [folder, step, int(number), new, new_beside, out, beside]
        done = run([sys.executable, "-c", PUBLISH, *arguments])
        if done.returncode == 0:
            break
        assert done.returncode in {-signal.SIGKILL, 3}, done.stderr
        assert all(path.exists() for path in there[before]), "something was lost"
        fresh = out.exists() and out.read_bytes() == new.read_bytes()
        changed = beside.exists() and beside.read_bytes() == new_beside.read_bytes()
        outcomes.append((changed, fresh))
        if fresh:
            assert labelled(out, config)
        elif out.exists() and changed:
            assert verify(out, config=config).verdict is Verdict.INVALID
        if number == signal.SIGTERM:  # both, or what was there before
            assert changed == fresh
            assert set(folder.iterdir()) == ({out, beside} if fresh else set(there[before]))
    else:
        pytest.fail("it never finished")
    assert sorted(folder.iterdir()) == [out, beside]
    assert labelled(out, config)
    middle = {(True, False)} if number == signal.SIGKILL else set()
    assert {(False, False), (True, True)} | middle == set(outcomes) | {(True, True)}
    assert outcomes == sorted(outcomes), "first the sidecar, then the file"


# --- a disk that is full, or cannot be written ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def marked_size(config: Config, tmp_path_factory: pytest.TempPathFactory) -> int:
    out = tmp_path_factory.mktemp("size") / "out.jpg"
    mark(PHOTO, out, Label(origin=Origin.CREATED), config=config)
    return out.stat().st_size


@pytest.fixture
def mount(folder: Path) -> Iterator[Callable[[str], None]]:
    """Put a small file system in memory over the results' folder, where that is allowed."""
    mounted = []

    def put(options: str) -> None:
        program = shutil.which("mount")
        done = run([program, "-t", "tmpfs", "-o", options, "tmpfs", folder]) if program else None
        if done is None or done.returncode:
            pytest.skip("mounting a tmpfs is not allowed here")
        mounted.append(folder)

    yield put
    for path in mounted:
        assert run(["umount", path]).returncode == 0


def assert_io_error(done: subprocess.CompletedProcess[str], words: str) -> None:
    """Exit 2 and one line that names the cause: this is no fault of the file."""
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    (line,) = done.stderr.splitlines()
    assert words in line


@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.99])
def test_file_size_limit(
    command: list[str], source: Path, folder: Path, marked_size: int, share: float
) -> None:
    """Writing stops after a part of the file; SIGXFSZ, which comes with the limit, kills nobody."""
    limit = int(marked_size * share)
    bounded = functools.partial(resource.setrlimit, resource.RLIMIT_FSIZE, (limit, limit))
    done = run([*command, source, "-o", folder / "out.jpg"], preexec_fn=bounded)
    assert_io_error(done, "File too large")
    assert not list(folder.iterdir())
    assert intact(source)


@pytest.mark.parametrize("overwrite", [False, True])
def test_full_disk(
    command: list[str], source: Path, folder: Path, mount: Callable[[str], None], *, overwrite: bool
) -> None:
    mount("size=100k")
    out, old = folder / "out.jpg", b"what was there before"
    if overwrite:
        out.write_bytes(old)
    done = run([*command, source, "-o", out, *(["--overwrite"] if overwrite else [])])
    assert_io_error(done, "No space left on device")
    assert [path.read_bytes() for path in folder.iterdir()] == ([old] if overwrite else [])
    assert intact(source)


def test_full_standard_output(command: list[str], source: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*command, str(source), "-o", "-"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert "No space left on device" in done.stderr
    assert intact(source)


def test_full_disk_in_process_is_an_os_error(
    source: Path, folder: Path, config: Config, label: Label, mount: Callable[[str], None]
) -> None:
    mount("size=100k")
    with pytest.raises(OSError, match="No space left"):
        mark(source, folder / "out.jpg", label, config=config)
    assert not list(folder.iterdir())


def test_disk_that_is_just_large_enough(
    command: list[str], source: Path, folder: Path, config: Config, mount: Callable[[str], None]
) -> None:
    mount("size=300k")
    assert run([*command, source, "-o", folder / "out.jpg"]).returncode == 0
    assert [path.name for path in folder.iterdir()] == ["out.jpg"]
    assert labelled(folder / "out.jpg", config)


def test_read_only_file_system(
    command: list[str], source: Path, folder: Path, mount: Callable[[str], None]
) -> None:
    mount("ro,size=300k")
    done = run([*command, source, "-o", folder / "out.jpg"])
    assert_io_error(done, "Read-only file system")
    assert intact(source)


def test_read_only_folder(command: list[str], source: Path, folder: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip(
            "root may write everywhere; see the read-only file system and the file as a folder"
        )
    folder.chmod(0o555)
    done = run([*command, source, "-o", folder / "out.jpg"])
    folder.chmod(0o755)
    assert_io_error(done, "Permission denied")
    assert not list(folder.iterdir())
    assert intact(source)


@pytest.mark.parametrize("parent", ["regular-file", "missing"])
def test_destination_without_a_folder(
    command: list[str], source: Path, folder: Path, parent: str
) -> None:
    (folder / "regular-file").write_bytes(b"text")
    done = run([*command, source, "-o", folder / parent / "out.jpg"])
    assert_io_error(done, f"There is no folder {folder / parent}.")
    assert [path.name for path in folder.iterdir()] == ["regular-file"]
    assert (folder / "regular-file").read_bytes() == b"text"
    assert intact(source)


# --- interruption -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 128 + signal.SIGTERM)]
)
@pytest.mark.parametrize("after", [0.0, 0.05, 0.1, 0.2, 0.3])
def test_interrupted_between_and_inside_files(
    command: list[str],
    tmp_path: Path,
    folder: Path,
    config: Config,
    number: signal.Signals,
    code: int,
    after: float,
) -> None:
    sources = [tmp_path / f"{index}.jpg" for index in range(12)]
    for path in sources:
        shutil.copy(PHOTO, path)
    process = subprocess.Popen(
        [*command, "--out-dir", str(folder), *map(str, sources)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not list(folder.iterdir()) and process.poll() is None:
        assert time.monotonic() < deadline, "nothing was ever written"
        time.sleep(0.005)
    time.sleep(after)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == code, errors
    assert "Traceback" not in errors
    assert "Exception ignored" not in errors
    written = sorted(folder.iterdir())
    assert 1 <= len(written) < len(sources), "it was to be interrupted in the middle"
    assert {path.name for path in written} <= {f"{path.stem}.labelled.jpg" for path in sources}
    assert all(labelled(path, config) for path in written)
    assert all(map(intact, sources))


# Sends itself a signal inside the n-th call that the engine makes into Python: an exception raised there would be lost.
INSIDE = """
import os, signal, sys
number, left = int(sys.argv.pop(1)), int(sys.argv.pop(1))
def watch(frame, event, argument):
    global left
    if event == "call" and frame.f_code.co_name.endswith("_callback") and "c2pa" in frame.f_code.co_filename:
        left -= 1
        if left == 0:
            sys.setprofile(None)
            os.kill(os.getpid(), number)
sys.setprofile(watch)
"""
MARKING = INSIDE + "from aikz_label.cli import entry\nentry()"
VERIFYING = (  # the command verifies in a child, which no signal of the terminal reaches
    INSIDE
    + """
from aikz_label import verify
try:
    print(verify(sys.argv[1], config=sys.argv[2]).verdict)
except KeyboardInterrupt:
    sys.exit(130)
"""
)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 128 + signal.SIGTERM)]
)
@pytest.mark.parametrize("call", [1, 10, 30, 60])
def test_interrupted_inside_the_engine_while_marking(
    command: list[str], source: Path, folder: Path, number: int, code: int, call: int
) -> None:
    arguments = [*command[3:], source, "-o", folder / "out.jpg"]
    done = run([command[0], "-c", MARKING, str(int(number)), str(call), *arguments])
    assert done.returncode == code, done.stderr
    assert "Exception ignored" not in done.stderr
    assert not list(folder.iterdir())
    assert intact(source)


@pytest.mark.parametrize("call", [1, 5, 10])
def test_interrupted_inside_the_engine_while_verifying(
    command: list[str], source: Path, folder: Path, config: Config, label: Label, call: int
) -> None:
    """An interruption is never turned into a verdict."""
    out = folder / "out.jpg"
    mark(source, out, label, config=config)
    done = run([command[0], "-c", VERIFYING, str(int(signal.SIGINT)), str(call), out, command[5]])
    assert done.returncode == 130, done.stdout + done.stderr
    assert done.stdout == ""
    assert "Exception ignored" not in done.stderr


# --- the source changes -----------------------------------------------------------------------------------------------


@contextlib.contextmanager
def changing(path: Path) -> Iterator[None]:
    """Somebody else keeps appending to a file."""
    stop = threading.Event()

    def write() -> None:
        with path.open("ab", buffering=0) as stream:
            while not stop.is_set():
                stream.write(b"\0")
                time.sleep(0.001)

    size = path.stat().st_size
    writer = threading.Thread(target=write)
    writer.start()
    try:
        while path.stat().st_size == size:
            time.sleep(0.001)
        yield
    finally:
        stop.set()
        writer.join()


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.write_bytes(path.read_bytes() + b"\0"),
        lambda path: path.write_bytes(path.read_bytes()[:-1]),
        lambda path: path.write_bytes(bytes(path.stat().st_size)),
        lambda path: os.utime(path, ns=(0, 0)),
    ],
    ids=["longer", "shorter", "rewritten", "touched"],
)
def test_open_source_notices_a_change(change: Callable[[Path], object], source: Path) -> None:
    with pytest.raises(SourceError) as caught, open_source(source) as stream:
        assert stream.read(3) == b"\xff\xd8\xff"
        change(source)
    assert caught.value.code == "source-changed"


def test_open_source_reads_the_file_it_opened(source: Path, tmp_path: Path) -> None:
    """Another file moved into its place is neither read nor mistaken for a change."""
    other = tmp_path / "other.jpg"
    other.write_bytes(b"something else")
    with open_source(source) as stream:
        other.replace(source)
        assert hashlib.sha256(stream.read()).hexdigest() == PHOTO_HASH


def test_open_source_passes_the_readers_own_error_on(source: Path) -> None:
    with pytest.raises(ZeroDivisionError), open_source(source):
        source.write_bytes(b"changed too")
        raise ZeroDivisionError


def test_verify_says_that_the_file_changed(source: Path, config: Config) -> None:
    with source.open("ab") as stream:
        stream.write(bytes(50_000_000))  # so that reading takes a while
    with changing(source):
        report = verify(source, config=config)
    assert (report.verdict, report.reason.code) == (Verdict.UNREADABLE, "unreadable.changed")


def test_mark_of_a_changing_source_leaves_nothing(
    source: Path, folder: Path, config: Config, label: Label
) -> None:
    with changing(source), pytest.raises((SourceError, Refused)) as caught:
        mark(source, folder / "out.jpg", label, config=config)
    assert isinstance(caught.value, LabelError)
    assert caught.value.code == "source-changed"
    assert not list(folder.iterdir())


# --- the destination --------------------------------------------------------------------------------------------------


def test_destination_that_appears_meanwhile_is_kept(folder: Path) -> None:
    out = folder / "out.jpg"
    with pytest.raises(FileExistsError), atomic_output(out) as stream:
        stream.write(b"ours")
        out.write_bytes(b"theirs")
    assert [path.read_bytes() for path in folder.iterdir()] == [b"theirs"]


def test_two_processes_one_destination(
    command: list[str], source: Path, folder: Path, config: Config
) -> None:
    """One wins, the others say so, and the winner's file is whole."""
    out = folder / "out.jpg"
    processes = [
        subprocess.Popen(
            [*command, str(source), "-o", str(out)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    errors = [process.communicate(timeout=120)[1] for process in processes]
    assert sorted(process.returncode for process in processes) == [0, 2, 2, 2]
    assert sum("[output-exists]" in text for text in errors) == 3
    assert list(folder.iterdir()) == [out]
    assert labelled(out, config)
