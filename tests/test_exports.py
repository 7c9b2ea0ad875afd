"""A journal in every form: nothing from a file can act on who reads it."""

from __future__ import annotations

import csv
import html.parser
import io
import json
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from aikz_label import profile, rules
from aikz_label.batch import Row
from aikz_label.batch.journal import Journal, options_of
from aikz_label.batch.recorded import Recorded
from aikz_label.cli import main
from aikz_label.exports import tables
from aikz_label.label import Label, Origin, Responsible, System
from aikz_label.report import Evidence, Marker, MarkerState, Mirror, Notice, Signer, message
from aikz_label.report.columns import COLUMNS
from aikz_label.sandbox import wire
from aikz_label.sandbox.work import Verifying
from naughty import NAUGHTY, raw_characters
from support import missing, require_tool

NUMBERS = profile.load_profile("kz")


def row(uri: str, evidence: Evidence, **facts) -> Row:
    report = rules.judge(evidence, NUMBERS)
    return Row(uri, report.verdict, report.reason, wire.dump(evidence), **facts)


def marker(text: str, state=MarkerState.TRUSTED) -> Marker:
    """A marker whose signer says this everywhere it can."""
    return Marker(
        state=state,
        carrier="c2pa",
        signer=Signer(text, text, text, text),
        trust=text,
        codes=(text, f"x.{text}"),
        ours=True,
        label=Label(
            origin="created",
            created=datetime(2026, 11, 25, tzinfo=UTC),
            system=System("PhotoGen", "2.1"),
            responsible=Responsible(name="ЖШС «Үлгі» <b>&", role="owner", bin="051140000004"),
        ),
        notice=Notice("badge", ("kk",), text, text, ({"x": text},), (("contrast", 21.0),), text),
    )


def hostile_rows():
    for number, text in enumerate(NAUGHTY):
        mirrors = (Mirror(text, text, text, Origin.CREATED),)
        yield row(f"{number}/{text}", Evidence("jpeg", marker(text), mirrors=mirrors), size=1)
        yield row(
            f"m{number}", Evidence("png", Marker(), mirrors=mirrors), detail=text, sha256="0" * 64
        )
        problem = message("unreadable.crashed", how=text)
        yield row(f"p{number}{text}", Evidence(text, problem=problem), detail=text, state=text)


@pytest.fixture(scope="module")
def journal(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("journal") / "run.jsonl"
    with Journal(path, options_of(Verifying())) as writer:
        for one in hostile_rows():
            writer.add(one)
    return path


@pytest.fixture
def report(journal, tmp_path, capsys):
    """Makes one form of the journal, as text."""

    def make(form: str, *arguments: str) -> str:
        out = tmp_path / f"out.{form}"
        assert main(["report", str(journal), "--to", form, "-o", str(out), *arguments]) == 0
        return out.read_text(encoding="utf-8")

    return make


# --- nothing acts ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["kk", "ru", "en"])
@pytest.mark.parametrize("form", ["summary", "csv", "html", "sarif"])
def test_no_raw_characters_in_any_form(report, form, language):
    text = report(form, "--lang", language)
    assert raw_characters(text) == []
    assert len(text) > 500


def test_the_journal_itself_is_ascii(journal):
    data = journal.read_bytes()
    assert data.isascii()
    assert raw_characters(data.decode()) == []


def test_rows_come_back_as_they_were(journal):
    back = list(Recorded.open(journal).rows())
    assert back == list(hostile_rows())
    assert back[0].report(NUMBERS).evidence == wire.load(Evidence, back[0].evidence)


def test_no_cell_is_a_formula(report):
    for line in csv.reader(io.StringIO(report("csv"))):
        assert len(line) == len(COLUMNS)
        for cell in line:
            assert not cell.lstrip(' "').startswith(("=", "+", "-", "@", "\t", "\uff1d")), cell


ELEMENTS = {
    *(
        "html",
        "head",
        "meta",
        "title",
        "style",
        "script",
        "body",
        "header",
        "main",
        "h1",
        "p",
        "div",
        "span",
        "b",
        "br",
    ),
    *("label", "select", "option", "button", "input", "output", "details", "summary", "small"),
    *("dl", "dt", "dd", "ul", "li", "table", "tbody", "tr", "td"),
}
ATTRIBUTES = {
    *(
        "lang",
        "charset",
        "name",
        "content",
        "http-equiv",
        "class",
        "id",
        "value",
        "type",
        "placeholder",
    ),
    *("aria-label", "aria-pressed", "data-s", "data-hint", "data-format", "data-reason"),
}


class Markup(html.parser.HTMLParser):
    """Which elements and attributes a page really has."""

    def __init__(self):
        super().__init__()
        self.tags, self.attributes, self.scripts, self.depth = set(), set(), 0, []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.scripts += tag == "script"
        self.attributes |= {name for name, _ in attrs}
        if tag not in {"meta", "input", "img", "br"}:
            self.depth.append(tag)

    def handle_endtag(self, tag):
        assert self.depth.pop() == tag


def test_a_page_has_only_its_own_markup(report):
    page = Markup()
    page.feed(report("html"))
    assert page.depth == []
    assert page.scripts == 2
    assert page.tags == ELEMENTS
    assert page.attributes == ATTRIBUTES


def test_a_page_names_no_other_place(small, capsys):
    main(["report", str(small), "--to", "html"])
    page = capsys.readouterr().out
    policy = re.search(r'content="(default-src[^"]+)"', page)[1]
    assert policy.startswith(
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-"
    )
    assert "http" not in page.replace("http-equiv", "").replace("http://cv.iptc.org", "")
    script = page.rpartition("<script>")[2].partition("</script>")[0]
    assert not re.search(r"fetch|XMLHttp|innerHTML|eval|import\(|document\.write|location", script)


# --- and it is right -------------------------------------------------------------------------------------------------


@pytest.fixture
def small(tmp_path):
    """Five files, one of each verdict, and a sixth that was verified twice."""
    path = tmp_path / "small.jsonl"
    good = Marker(
        state=MarkerState.TRUSTED, carrier="c2pa", signer=Signer("Y", "Y", "1", "es256"), trust="local", self_issued=True,
        ours=True, label=marker("x").label,
        notice=Notice("badge", ("kk",), "kz-1", "kz/1", ({},), tuple({
            "match": 1.0, "text_match": 1.0, "contrast": 21.0, "cap_px": 90.0, "icon_cap_px": 90.0, "short_side_px": 100.0,
        }.items())),
    )  # fmt: skip
    with Journal(path, options_of(Verifying())) as writer:
        writer.add(row("a.jpg", Evidence("jpeg", good), size=7, state="1"))
        writer.add(row("b.jpg", Evidence("jpeg", Marker(MarkerState.INVALID, "c2pa", "altered"))))
        writer.add(row("c.png", Evidence("png")))
        writer.add(
            row("d.png", Evidence("png", mirrors=(Mirror("xmp", "x", "y", Origin.ALTERED),)))
        )
        writer.add(row("e", Evidence(problem=message("unreadable.deadline", seconds=10))))
        writer.add(row("c.png", Evidence("png", Marker(MarkerState.INVALID, "c2pa", "altered"))))
    return path


def test_the_newer_row_counts(small, capsys):
    assert main(["report", str(small)]) == 0
    printed = capsys.readouterr().out
    numbers = dict(re.findall(r"^(\w+) +(\d+)$", printed, re.MULTILINE))
    assert numbers == {
        "labelled": "1",
        "incomplete": "1",
        "invalid": "2",
        "unreadable": "1",
        "total": "5",
    }
    assert "within … seconds" in printed
    assert max(map(len, printed.splitlines())) <= 80


def test_csv_says_what_the_reports_say(small, capsys):
    main(["report", str(small), "--to", "csv"])
    records = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [(r["uri"], r["verdict"]) for r in records] == [
        ("a.jpg", "labelled"), ("b.jpg", "invalid"), ("d.png", "incomplete"), ("e", "unreadable"), ("c.png", "invalid"),
    ]  # fmt: skip
    assert (records[0]["origin"], records[0]["signer"], records[0]["self_issued"]) == (
        "created",
        "Y",
        "true",
    )
    assert records[1]["signer"] == ""
    assert "kz.22.2.bound" in records[1]["failed"]


def test_sarif_has_a_result_for_whatever_is_not_labelled(small, capsys):
    main(["report", str(small), "--to", "sarif"])
    log = json.loads(capsys.readouterr().out)
    (run,) = log["runs"]
    assert log["version"] == "2.1.0"
    known = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    found = {}
    for result in run["results"]:
        assert result["ruleId"] in known
        place = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        found.setdefault(place, result["level"])
    assert found == {"b.jpg": "error", "c.png": "error", "d.png": "warning", "e": "warning"}


def test_parquet_has_a_fixed_schema(small, tmp_path):
    try:
        from pyarrow import parquet
    except ModuleNotFoundError:
        missing("the package pyarrow (extra arrow)")
    out = tmp_path / "out.parquet"
    assert main(["report", str(small), "--to", "parquet", "-o", str(out)]) == 0
    table = parquet.read_table(out)
    assert table.schema.equals(tables.schema())
    assert table.column_names == [column.name for column in COLUMNS]
    assert table.column("verdict").to_pylist() == [
        "labelled",
        "invalid",
        "incomplete",
        "unreadable",
        "invalid",
    ]
    assert main(["report", str(small), "--to", "parquet"]) == 2
    assert main(["report", str(small), "--to", "parquet", "-o", str(out)]) == 2


def test_a_page_lists_the_worst_first_and_says_what_it_leaves_out(small, tmp_path):
    out = tmp_path / "r.html"
    main(["report", str(small), "--to", "html", "-o", str(out), "--limit", "3", "--lang", "ru"])
    page = out.read_text(encoding="utf-8")
    assert re.findall(r'<details class="(\w+)"', page) == ["invalid", "invalid", "incomplete"]
    assert "3 из 5 файлов" in page
    assert '<html lang="ru">' in page


def test_damaged_lines_are_told(small, tmp_path, capsys):
    with small.open("ab") as stream:
        stream.write(b'{"uri": "x"}\nnonsense\n{"torn')
    assert main(["report", str(small)]) == 0
    assert "3 damaged lines" in capsys.readouterr().err
    out = tmp_path / "r.html"
    main(["report", str(small), "--to", "html", "-o", str(out), "--lang", "en"])
    assert "3 damaged lines" in out.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "content", [b"", b"x", b"{}\n", b"\xff\n", b'{"schema":"aikz-label/journal/1","options":{}}\n']
)
def test_what_is_no_journal(tmp_path, content, capsys):
    path = tmp_path / "x"
    path.write_bytes(content)
    assert main(["report", str(path)]) == 2
    assert "not a journal" in capsys.readouterr().err


def test_thumbnails_on_request(tmp_path, monkeypatch, photo, config):
    monkeypatch.chdir(tmp_path)
    Path("a.jpg").write_bytes(photo.read_bytes())
    Path("b.txt").write_text("no picture")
    main(["verify", "a.jpg", "b.txt", "--journal", "run.jsonl", "--config", str(config.path)])
    main(["report", "run.jsonl", "--to", "html", "-o", "with.html", "--thumbnails"])
    pictures = re.findall(
        r'<img alt="" src="data:image/jpeg;base64,([^"]+)">', Path("with.html").read_text()
    )
    assert len(pictures) == 1
    assert len(pictures[0]) < 20_000


# Clicks on everything there is, and writes what it sees into the page.
HARNESS = """
<script>
const seen = () => [...document.querySelectorAll("details")].filter((n) => !n.hidden).length;
const log = [seen()];
document.querySelector(".totals button[value=invalid]").click(); log.push(seen());
byId("reason").value = "marker.altered"; byId("reason").dispatchEvent(new Event("change")); log.push(seen());
document.querySelector(".totals button[value=invalid]").click(); log.push(seen());
byId("reason").value = ""; byId("reason").dispatchEvent(new Event("change"));
byId("search").value = "D.PNG"; byId("search").dispatchEvent(new Event("input")); log.push(seen());
byId("language").value = "kk"; byId("language").dispatchEvent(new Event("change"));
dispatchEvent(new Event("beforeprint")); log.push(document.querySelectorAll("details[open]").length);
dispatchEvent(new Event("afterprint")); log.push(document.querySelectorAll("details[open]").length);
document.title = "log " + log + " " + document.documentElement.lang + " " + byId("count").textContent;
</script>
"""


def browse(page: Path, tmp_path: Path, *flags: str) -> subprocess.CompletedProcess:
    command = [
        require_tool("chromium"), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync", "--enable-logging=stderr",
        f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=2000", *flags, f"file://{page}",
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.timeout(300)
def test_the_page_works_in_a_browser(small, tmp_path):
    out = tmp_path / "r.html"
    main(["report", str(small), "--to", "html", "-o", str(out), "--lang", "en"])
    strict = browse(out, tmp_path, "--dump-dom")
    assert "Refused" not in strict.stderr
    assert "Uncaught" not in strict.stderr
    page = out.read_text(encoding="utf-8")
    loose = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
    (tmp_path / "driven.html").write_text(
        loose.replace("</body>", HARNESS + "</body>"), encoding="utf-8"
    )
    driven = browse(tmp_path / "driven.html", tmp_path, "--dump-dom")
    assert "<title>log 5,2,2,2,1,5,0 kk 1</title>" in driven.stdout, driven.stderr
    assert "жарамсыз" in driven.stdout
