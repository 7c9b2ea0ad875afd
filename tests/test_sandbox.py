"""Whatever a file does to the process that reads it, the others do not notice, and nothing is left behind."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import struct
import subprocess
import sys
import threading
import time
import zlib
from pathlib import Path

import pytest

import hostile_plugin
from aikz_label import Verdict, batch, profile, rules, verify
from aikz_label.batch import Verifier, read_row, verify_many, verify_rows
from aikz_label.batch.journal import Journal
from aikz_label.batch.marking import mark_rows
from aikz_label.batch.recorded import Recorded
from aikz_label.errors import SandboxError, UsageError
from aikz_label.report import Evidence, columns, message
from aikz_label.sandbox import pace, pool, slot, work
from aikz_label.sandbox.marking import Marking
from aikz_label.sandbox.nursery import Beside
from aikz_label.sandbox.sketching import Sketching
from hostile_plugin import hostile
from support import encoded, picture

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.skipif(os.name != "posix", reason="isolation is made of what POSIX offers"),
]


@pytest.fixture(scope="session")
def plugin(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("plugin")
    hostile_plugin.install(folder)
    return folder


@pytest.fixture
def files(tmp_path, plugin, monkeypatch):
    """Makes hostile files, in a process whose children know the plug-in."""
    monkeypatch.syspath_prepend(str(plugin))

    def make(*kinds: str) -> list[str]:
        paths = []
        for number, kind in enumerate(kinds):
            path = tmp_path / f"{number}-{kind.partition(' ')[0]}"
            path.write_bytes(hostile(kind))
            paths.append(str(path))
        return paths

    return make


@pytest.fixture(scope="module")
def good(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("good") / "good.png"
    path.write_bytes(encoded(picture(size=(64, 48)), "png"))
    return str(path)


def codes(reports):
    return [report.reason.code.removeprefix("unreadable.") for report in reports]


def children_of(process: int) -> set[int]:
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[1]) == process and fields[0] != "Z":
                found.add(int(stat.parent.name))
    return found


def family_of(process: int) -> set[int]:
    found, todo = set(), [process]
    while todo:
        new = children_of(todo.pop()) - found
        found |= new
        todo += new
    return found


def alive(process: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except OSError:
        return False


def until(condition, seconds=15.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


# --- one row each ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "code", "word"),
    [
        ("segfault", "crashed", "SIGSEGV"),
        ("abort", "crashed", "SIGABRT"),
        ("killed", "crashed", "SIGKILL"),
        ("signalled 40", "crashed", "signal 40"),
        ("leave 3", "crashed", "exit 3"),
        ("bomb", "memory", "1024"),
        ("recursion", "crashed", "RecursionError"),
        ("error \x1b[2J\u202e", "crashed", "RuntimeError"),
        ("hang", "deadline", "1.5"),
        ("spin", "deadline", "1.5"),
        ("forge", "crashed", "not understood"),
        ("print-garbage", "verdict.unmarked", ""),
        ("nothing", "verdict.unmarked", ""),
    ],
)
def test_a_hostile_file_costs_its_own_row(files, good, kind, code, word):
    (path,) = files(kind)
    deadline = 1.5 if code == "deadline" else 30
    reports = list(verify_many([good, path, good], jobs=1, deadline=deadline))
    assert codes(reports) == ["verdict.unmarked", code, "verdict.unmarked"]
    assert [report.path for report in reports] == [good, path, good]
    text = reports[1].reason.text("en")
    assert word in text
    assert text.isprintable()
    json.loads(reports[1].to_json())


SAID = '"reason":{"code":"verdict.unmarked"},"evidence":{}'


@pytest.mark.parametrize(
    "answer",
    [
        '{"failed":"no.such"}',
        f'{{"verdict":"labelled",{SAID},"report":5}}',
        f'{{"verdict":"labelled",{SAID},"size":1{"0" * 20}}}',
        f'{{"verdict":"labelled",{SAID},"ms":1{"0" * 400}}}',
        f'{{"verdict":"labelled",{SAID},"error":{{"a":{"[" * 500}{"]" * 500}}}}}',
        '{"verdict":"labelled","reason":{"code":"verdict.unmarked"},"evidence":{"problem":{"code":"no.such"}}}',
    ],
)
def test_answers_that_nobody_gives(files, good, tmp_path, answer):
    """Whatever a child that was taken over says can be reported, in a table as well."""
    rows = list(verify_rows([*files(f"forge {answer}"), good], work.Verifying(), jobs=1))
    numbers = profile.load_profile("kz")
    reports = [row.report(numbers) for row in rows]
    assert codes(reports) == ["crashed", "verdict.unmarked"]
    assert all(report.to_json() for report in reports)
    with Journal(tmp_path / "journal", {"profile": "kz"}) as journal:
        for row in rows:
            journal.add(row)


@pytest.mark.parametrize("value", ["9e15", '"é"', '"\U0001f600"', "-9e15", "{}", "1e400"])
def test_whatever_is_answered_fits_a_line_of_the_journal(tmp_path, value):
    """Written again, a number or a letter may take several times its room."""
    room = slot._MAX_ANSWER + slot._BLOCK
    said = f'{{"x":[{",".join([value] * (room // (len(value.encode()) + 1)))}]}}'
    answer = {"verdict": "labelled", "reason": {"code": "verdict.labelled"}}
    row = read_row("a" * 60_000, {**answer, "evidence": json.loads(said)})
    with Journal(tmp_path / "journal", {"profile": "kz"}) as journal:
        journal.add(row)
    recorded = Recorded.open(tmp_path / "journal")
    assert [one.evidence for one in recorded.rows()] == [row.evidence]
    assert not recorded.damage.count


def test_an_answer_is_of_the_file_that_was_asked_for(files, good):
    """What a library prints on the channel of the answers never becomes a row, be it of the file behind."""
    said = f'{{"verdict":"labelled",{SAID}}}'
    paths = [good, *files(f"say {said}"), good, good]
    reports = list(verify_many(paths, jobs=1))
    assert [report.path for report in reports] == paths
    assert codes(reports) == [
        "verdict.unmarked",
        "crashed",
        "verdict.unmarked",
        "verdict.unmarked",
    ]


@pytest.mark.parametrize("kind", ["segfault", "hang", "killed", "bomb"])
def test_the_file_behind_a_hostile_one_has_its_own_time_and_row(files, good, kind):
    """The child has it already; it is not begun, and another child takes it up."""
    paths = files(kind, "slow 0.7", "slow 0.7", kind, "nothing")
    rows = list(verify_rows(paths, work.Verifying(), jobs=1, ordered=True, deadline=1.2))
    assert [row.opened for row in rows] == [True] * 5
    assert [str(row.verdict) for row in rows] == [
        "unreadable",
        "unmarked",
        "unmarked",
        "unreadable",
        "unmarked",
    ]


@pytest.mark.parametrize("kind", ["segfault", "hang", "killed", "bomb"])
def test_seven_files_behind_a_hostile_one_have_their_own_time_and_row(
    files, good, monkeypatch, kind
):
    """The child has all eight when it dies; together they take longer than one of them may."""
    monkeypatch.setattr(pace, "_LEAST", 8)
    paths = [*files(kind, *["slow 0.3"] * 7), good]
    taken = []

    def sources():
        for path in paths:
            taken.append(path)
            yield path

    rows = verify_rows(sources(), work.Verifying(), jobs=1, ordered=True, deadline=1.2)
    first = next(rows)
    assert len(taken) >= 8
    found = [first, *rows]
    assert [row.uri for row in found] == paths
    assert [str(row.verdict) for row in found] == ["unreadable", *["unmarked"] * 8]


def test_a_long_answer_that_nobody_fetched_in_time_is_not_late(good, monkeypatch):
    """Read in several pieces by a caller who was away for longer than the file might take."""
    monkeypatch.setattr(slot, "_GRACE", 0.2)
    monkeypatch.setattr(slot, "_BLOCK", 64)
    reports = verify_many([good, good, good], jobs=1, deadline=0.8)
    found = [next(reports)]
    time.sleep(1.5)
    found += reports
    assert codes(found) == ["verdict.unmarked"] * 3


@pytest.mark.parametrize(
    "answer",
    [
        '{"verdict":"labelled"}',
        f'{{"verdict":"labelled",{SAID},"warnings":5}}',
        f'{{"verdict":"labelled",{SAID},"warnings":[{{}}]}}',
        '{"refused":5}',
        '{"refused":{"kind":"Refused","message":"x"}}',
        '{"refused":{"kind":"OSError","errno":"x"}}',
    ],
)
def test_answers_that_nobody_gives_when_marking(files, good, tmp_path, label, config, answer):
    """They cost their own file, whose destination is not called empty when it is not."""
    evil, target = files(f"forge {answer}")[0], tmp_path / "evil.out"
    target.write_bytes(b"of somebody else")
    pairs = [(evil, target), (evil, tmp_path / "none"), (good, tmp_path / "good.png")]
    order = Marking(label, config, notice="none", notice_reason="x", overwrite=True)
    rows = list(mark_rows(pairs, order, jobs=1))
    assert [row.error and row.error.code for row in rows] == ["crashed", "crashed", None]
    assert "before it is verified" in str(rows[0].error)
    assert "Nothing was written" in str(rows[1].error)
    assert verify(tmp_path / "good.png", config=config).marker.intact


@pytest.mark.parametrize(
    "change",
    [
        lambda row: None,
        lambda row: row[:-1],
        lambda row: [*row, ""],
        lambda row: [5, *row[1:]],
        lambda row: [row[0], "good", *row[2:]],
        lambda row: [True if value == 7 else value for value in row],
        lambda row: [1 << 63 if value == 7 else value for value in row],
        lambda row: [10**400 if value == 1.5 else value for value in row],
        lambda row: [float("nan") if value == 1.5 else value for value in row],
        lambda row: [["a", 5] if value == [] else value for value in row],
        lambda row: ["a" * 25_000 if value == "kz/1" else value for value in row],
    ],
)
def test_columns_that_nobody_gives(change):
    report = rules.judge(Evidence(), profile.load_profile("kz"))
    row = columns.values(columns.Facts("a", 7, ms=1.5), report)
    assert columns.checked("a", row) == row
    with pytest.raises(ValueError):  # it has no words
        columns.checked("a", change(row))


def test_columns_that_would_act_on_a_terminal():
    report = rules.judge(Evidence(), profile.load_profile("kz"))
    row = columns.values(columns.Facts("a", state="\x1b[2J"), report)
    at = row.index("\\u001b[2J")
    changed = [*row[:at], "\x1b[2J\u202e", *row[at + 1 :]]
    assert columns.checked("\x1b", changed)[at] == "\\u001b[2J\\u202e"
    assert columns.checked("\x1b", changed)[0] == "\\u001b"


def test_a_picture_that_cannot_be_drawn_small_costs_no_child(tmp_path):
    """Pillow's own limit is an error of its own kind, and its decoders raise many others."""
    wide = encoded(picture(size=(64, 48)), "png").replace(
        struct.pack(">II", 64, 48), struct.pack(">II", 30_000, 30_000), 1
    )
    ihdr = wide[12:29]
    (tmp_path / "bomb").write_bytes(wide.replace(wide[29:33], struct.pack(">I", zlib.crc32(ihdr))))
    (tmp_path / "cut").write_bytes(encoded(picture(size=(64, 48)), "png")[:60])
    for name in ("bomb", "cut"):
        assert Sketching()({"uri": str(tmp_path / name)}).get("jpeg", "") == ""


def test_a_state_that_is_no_text(tmp_path):
    row = batch.Row("a", Verdict.UNMARKED, message("verdict.unmarked"), {}, 1, "\ud800")
    with Journal(tmp_path / "journal", {"profile": "kz"}) as journal:
        journal.add(row)
    assert list(Recorded.open(tmp_path / "journal").rows()) == [row]


@pytest.mark.parametrize("kind", ["deaf", "dribble"])
def test_a_child_without_its_timer_is_stopped_by_its_parent(files, good, monkeypatch, kind):
    monkeypatch.setattr(slot, "_GRACE", 0.5)
    monkeypatch.setattr(slot, "_MAX_ANSWER", 1 << 40)
    reports = list(verify_many([*files(kind), good], jobs=1, deadline=1))
    assert codes(reports) == ["deadline", "verdict.unmarked"]


def test_a_file_too_large_to_write(files, good, monkeypatch):
    small = batch.Walls(file_size=32 * 1024 * 1024)
    monkeypatch.setattr(batch, "WALLS", small)
    reports = list(verify_many([*files("write-without-end"), good], jobs=1))
    assert codes(reports)[1] == "verdict.unmarked"
    assert reports[0].verdict is Verdict.UNREADABLE


def test_somebody_else_killing_a_child_costs_nothing(files, tmp_path, good):
    paths = files(f"killed-once {tmp_path / 'flag'}")
    assert codes(verify_many([*paths, good], jobs=1)) == ["verdict.unmarked"] * 2


def test_a_poisoned_child_is_not_held_against_the_next_file(files, good):
    reports = verify_many([*files("poison"), good, good], jobs=1)
    assert codes(reports) == ["verdict.unmarked"] * 3


def test_the_others_are_as_without_the_hostile_ones(files, tmp_path, label, config):
    """Five hostile files among two hundred."""
    from aikz_label import mark

    marked = mark(encoded(picture(size=(320, 240)), "jpeg"), None, label, config=config).data
    plain = encoded(picture(size=(64, 48)), "png")
    kinds = (marked, plain, marked[:-5000], b"", b"hello\n", marked[:9000] + b"x" + marked[9001:])
    innocent = []
    for number in range(195):
        path = tmp_path / f"f{number}"
        path.write_bytes(kinds[number % len(kinds)])
        innocent.append(str(path))
    mixed = list(innocent)
    for place, path in zip(
        (0, 50, 51, 120, 199), files("segfault", "hang", "bomb", "abort", "leave 0"), strict=True
    ):
        mixed.insert(place, path)
    alone = {r.path: r for r in verify_many(innocent, jobs=2, config=config)}
    among = {r.path: r for r in verify_many(mixed, jobs=2, deadline=2, config=config)}
    assert len(among) == 200
    assert {path: among[path] for path in innocent} == alone
    assert {str(report.verdict) for report in alone.values()} >= {"labelled", "invalid", "unmarked"}


def test_reports_are_those_of_verify(tmp_path, label, config, good):
    from aikz_label import mark

    path = tmp_path / "a.jpg"
    mark(encoded(picture(), "jpeg"), path, label, config=config)
    for measure in (False, True):
        for source in (str(path), good):
            (one,) = verify_many([source], config=config, measure=measure, jobs=1)
            assert one == verify(source, config=config, measure=measure)


# --- order, bounds, mistakes -----------------------------------------------------------------------------------------


def test_order_is_kept_or_not(files):
    paths = files("slow 0.4", "nothing", "nothing", "nothing")
    assert [r.path for r in verify_many(paths, jobs=2)] == paths
    arrived = [r.path for r in verify_many(paths, jobs=2, ordered=False)]
    assert sorted(arrived) == sorted(paths)
    assert arrived[0] != paths[0]


def test_sources_are_taken_as_they_are_needed(good):
    taken = []

    def sources():
        for number in range(10**9):
            taken.append(number)
            yield good

    reports = verify_many(sources(), jobs=2, ordered=False)
    for _ in range(5):
        next(reports)
    reports.close()
    assert len(taken) < 12


def test_nothing_of_a_run_that_was_left_is_in_the_next(files, good):
    """Whether the caller went away or the source failed, with files in flight and a death that nobody believes yet."""
    (crash,) = files("segfault")
    with Verifier(work.Verifying(), jobs=2) as verifier:
        left = verifier.rows([good, crash, good, good, good, good], ordered=True)
        assert next(left).uri == good
        left.close()
        for _ in range(2):
            with pytest.raises(TypeError):
                list(verifier.rows([good, crash, good, None], ordered=True))
            rows = list(verifier.rows(["none", crash, good], ordered=True))
            assert [row.uri for row in rows] == ["none", crash, good]
            assert [str(row.verdict) for row in rows] == ["unreadable", "unreadable", "unmarked"]


def test_a_late_file_does_not_let_the_others_pile_up(files, good, monkeypatch):
    monkeypatch.setattr(pool, "_AHEAD", 3)
    taken = []

    def sources():
        yield from files("slow 1")
        for _ in range(50):
            taken.append(1)
            yield good

    reports = verify_many(sources(), jobs=2)
    next(reports)
    assert len(taken) <= 3 + 2 * 8
    assert len(list(reports)) == 50


@pytest.mark.parametrize("wrong", [{"jobs": -1}, {"deadline": 0}, {"profile_name": "eu"}])
def test_mistakes_of_the_caller_raise(good, wrong):
    with pytest.raises(UsageError):
        list(verify_many([good], **wrong))


def test_what_cannot_be_opened(tmp_path, good):
    (tmp_path / "link").symlink_to(good)
    os.mkfifo(tmp_path / "fifo")
    names = ["absent", "link", "fifo", ".", "nul\0byte", "x" * 300, "-"]
    reports = list(verify_many([str(tmp_path / name) for name in names], jobs=1))
    assert codes(reports) == ["not-opened"] * 7
    words = [dict(report.reason.args)["why_word"] for report in reports]
    assert words == [
        "not-found",
        "a-link",
        "not-a-file",
        "not-a-file",
        "not-a-file",
        "not-found",
        "not-found",
    ]


def test_names_longer_than_a_pipe(good):
    """Of which no two fit into the channel to a child; a list of names may hold such."""
    names = ["Ә" * 30_000, "x" * 60_000, good, "Ә" * 30_000, "ғ" * 30_000, good]
    reports = list(verify_many(names, jobs=1, deadline=5))
    assert [report.path for report in reports] == names
    assert codes(reports) == ["not-opened", "not-opened", "verdict.unmarked"] * 2


def test_a_name_behind_one_that_fills_the_pipe(good):
    """The child has read nothing yet, and there is no room for more."""
    with Verifier(work.Verifying(), jobs=1, deadline=5) as verifier:
        assert len(list(verifier.rows([good]))) == 1
        child = verifier._pool._slots[0]._process
        os.kill(child, signal.SIGSTOP)
        threading.Timer(0.5, os.kill, (child, signal.SIGCONT)).start()
        rows = list(verifier.rows(["a" * 107_000, good], ordered=True))
    assert [str(row.verdict) for row in rows] == ["unreadable", "unmarked"]


@pytest.mark.parametrize(
    "name",
    ["a\nb", "\x1b[2J", "\u202egpj.exe", os.fsdecode(b"\xff\xfe"), "-rf", "=1+1", "Әәғ Ққңөұ.png"],
)
def test_names_of_every_kind(tmp_path, monkeypatch, good, name):
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(Path(good).read_bytes())
    (report,) = verify_many([name], jobs=1)
    assert (report.verdict, report.path) == (Verdict.UNMARKED, name)
    assert report.to_json().isascii()


def test_more_descriptors_than_select_can_take(good):
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 3000:
        pytest.skip("this system allows few descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (3000, hard))
    opened = [os.open(os.devnull, os.O_RDONLY) for _ in range(2000)]
    try:
        assert codes(verify_many([good] * 3, jobs=2)) == ["verdict.unmarked"] * 3
    finally:
        for descriptor in opened:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_descriptors_and_children_are_given_back(files, good):
    paths = [good, *files("segfault", "nothing")]
    list(verify_many(paths, jobs=2))
    before, family = len(os.listdir("/proc/self/fd")), children_of(os.getpid())
    for _ in range(3):
        list(verify_many(paths, jobs=2))
        reports = verify_many(paths, jobs=2)
        next(reports)
        reports.close()
    assert len(os.listdir("/proc/self/fd")) == before
    assert children_of(os.getpid()) == family


def test_a_recycled_child(good, monkeypatch):
    monkeypatch.setattr(slot, "RECYCLE", 2)
    assert codes(verify_many([good] * 7, jobs=1)) == ["verdict.unmarked"] * 7


# --- the breaker -----------------------------------------------------------------------------------------------------


def test_hostile_files_in_a_row_do_not_stop_a_batch(files, good):
    paths = [*files(*["segfault"] * 50), good]
    assert codes(verify_many(paths, jobs=2)) == ["crashed"] * 50 + ["verdict.unmarked"]


BROKEN_ENGINE = """
import os
sdk_version = lambda: "0.99.0"
class C2paError(Exception): pass
class Context:
    from_dict = staticmethod(dict)
class Reader:
    def __init__(self, *_, **__): os.abort()
"""


def broken(folder: Path, program: str) -> None:
    """An engine in a folder of modules, its library where it is looked for."""
    (folder / "c2pa" / "libs").mkdir(parents=True)
    (folder / "c2pa" / "libs" / "libc2pa_c.so").touch()
    (folder / "c2pa" / "__init__.py").write_text(program)


def test_a_broken_installation_invents_no_rows(good, tmp_path, monkeypatch):
    """An engine whose native code dies of everything."""
    broken(tmp_path, BROKEN_ENGINE)
    monkeypatch.syspath_prepend(str(tmp_path))
    for many in (3, 40):
        seen = []
        with pytest.raises(SandboxError) as caught:
            seen.extend(verify_many([good] * many, jobs=2))
        assert caught.value.code == "sandbox-broken"
        assert seen == []


def test_children_that_cannot_start(good, monkeypatch):
    monkeypatch.setattr(work, "setup", lambda _: {"work": "Nonsense", "options": {}})
    with pytest.raises(SandboxError):
        list(verify_many([good], jobs=1))


def test_an_engine_that_is_not_there(good, tmp_path, monkeypatch):
    broken(tmp_path, "raise ImportError('no such library')")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(SandboxError, match="no such library"):
        list(verify_many([good], jobs=1))


def test_an_interpreter_that_cannot_start(good, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    with pytest.raises(SandboxError) as caught:
        list(verify_many([good], jobs=1))
    assert caught.value.code == "sandbox-start"


# --- parents and children --------------------------------------------------------------------------------------------

PROGRAM = """
import sys
from aikz_label.batch import verify_many
for report in verify_many(sys.argv[1:], jobs=2, deadline=60):
    print(report.reason.code, flush=True)
"""


def start(plugin, *arguments, **options):
    environment = os.environ | {"PYTHONPATH": str(plugin)}
    return subprocess.Popen(
        [sys.executable, *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **options,
    )


@pytest.mark.parametrize("how", ["api", "cli", "one"])
def test_children_die_with_their_parent(files, plugin, tmp_path, how):
    """Killed while one child sits in native code: nobody is left."""
    paths = files(f"spin {tmp_path / 'pid'}", f"spin {tmp_path / 'pid2'}")
    program = {
        "api": ["-c", PROGRAM, *paths],
        "cli": ["-m", "aikz_label", "verify", "--timeout", "60", *paths],
        "one": ["-m", "aikz_label", "verify", "--timeout", "60", paths[0]],
    }[how]
    process = start(plugin, *program)
    until((tmp_path / "pid").exists)
    until(lambda: len(family_of(process.pid)) >= (1 if how == "one" else 2))
    family = family_of(process.pid)
    process.kill()
    process.communicate()
    until(lambda: not any(map(alive, family)), 5)


def test_killed_workers_lose_nothing(plugin, good):
    """Children, and the nursery among them, are killed again and again from outside."""
    process = start(plugin, "-c", PROGRAM, *[good] * 1500)
    assert process.stdout is not None
    dice, killed, rows = random.Random(20261125), 0, []
    for line in process.stdout:
        rows.append(line.decode().strip())
        # not by the clock: a file whose child is killed four times is blamed, and children may be slow to start
        if len(rows) % 75 == 0 and (family := sorted(family_of(process.pid))):
            time.sleep(0.02 * dice.random())
            with contextlib.suppress(ProcessLookupError):
                os.kill(dice.choice(family), signal.SIGKILL)
                killed += 1
    _, err = process.communicate(timeout=100)
    assert process.returncode == 0, err
    assert rows == ["verdict.unmarked"] * 1500
    assert killed >= 5


THREADS = r"""
import ctypes, pathlib, re, threading
from aikz_label.sandbox import nursery
nursery._use_one_arena()
threading.stack_size(256 * 1024)
libc, gate = ctypes.CDLL(None), threading.Barrier(9)
def size():
    return int(re.search(r"VmSize:\s+(\d+)", pathlib.Path("/proc/self/status").read_text())[1])
def work():
    libc.malloc(100_000)
    gate.wait()
    gate.wait()
before = size()
for _ in range(8):
    threading.Thread(target=work, daemon=True).start()
gate.wait()
print(size() - before)
gate.wait()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="an arena for each thread is glibc's way")
def test_threads_share_what_memory_there_is():
    """Eight arenas would take half of what a child may have."""
    environment = {key: value for key, value in os.environ.items() if key != "MALLOC_ARENA_MAX"}
    command = [sys.executable, "-c", THREADS]
    out = subprocess.run(command, capture_output=True, env=environment, check=True)
    assert int(out.stdout) < 64 * 1024


COLLECTING = r"""
import gc
from aikz_label.sandbox import nursery
gc.set_threshold(50_000)
nursery._import_everything()
print(gc.get_threshold()[0])
"""


def test_children_look_for_garbage_as_often_as_ever():
    """What the command line sets while it imports is not for those who hold pictures."""
    out = subprocess.run([sys.executable, "-c", COLLECTING], capture_output=True, check=True)
    assert int(out.stdout) == 700


def test_the_nursery_is_replaced(good):
    nursery = Beside()
    rows = verify_rows([good] * 6, work.Verifying(), jobs=1, nursery=nursery)
    next(rows)
    os.kill(nursery._process, signal.SIGKILL)
    assert [row.reason.code for row in rows] == ["verdict.unmarked"] * 5


def test_a_hostile_folder_is_not_searched_for_modules(tmp_path, monkeypatch, good):
    """Uploads may be called json.py."""
    for name in ("json", "sitecustomize", "aikz_label", "socket"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('taken over')")
    monkeypatch.chdir(tmp_path)
    assert codes(verify_many([good], jobs=1)) == ["verdict.unmarked"]


def test_a_profile_is_the_one_asked_for(good):
    (row,) = verify_rows([good], work.Verifying(digest=True), jobs=1)
    assert row.report(profile.load_profile("kz")).profile == "kz/1"
    assert len(row.sha256) == 64
    assert row.size == Path(good).stat().st_size


def test_children_take_every_option_of_the_two_verbs():
    """Whoever gives a verb a new parameter gives it to many files too."""
    import dataclasses
    import inspect

    import aikz_label

    for verb, order, other in (
        (aikz_label.mark, Marking, {"source", "destination", "progress", "caps"}),
        (aikz_label.verify, work.Verifying, {"source", "config"}),
    ):
        fields = {field.name for field in dataclasses.fields(order)}
        if "believing" in fields:  # whom to believe, as of when, and whom to ask, in one value
            fields |= {"trust", "at", "ocsp"}
        assert set(inspect.signature(verb).parameters) - other <= fields
    many = inspect.signature(verify_many).parameters
    alone = set(inspect.signature(aikz_label.verify).parameters)
    assert alone - {"source", "sidecar"} <= set(many)
