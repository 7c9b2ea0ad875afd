"""Regenerate the reference pages that repeat the code, or check that they are up to date.

    python tools/generate_docs.py [--check | --pictures]

Writes cli.md, formats.md, clauses.md, errors.md and trust-and-time.md in docs/reference, and the table in README.md.
`--check` writes nothing and fails when a page differs (words only: Python versions wrap the lines of `--help`
differently). `--pictures` redraws docs/pictures/ladder.png, which `--check` leaves alone because Pillow versions differ
by a grey level here and there.
"""

import argparse
import ast
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from PIL import Image

import aikz_label.errors
from aikz_label.adapters.image import modes
from aikz_label.cli import build_parser
from aikz_label.formats import FORMATS
from aikz_label.label import Origin
from aikz_label.notice import badge
from aikz_label.profile import load_profile
from aikz_label.texts import load_data

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "aikz_label"
TARGET = ROOT / "docs" / "reference"
REMARK = "<!-- Made by tools/generate_docs.py from the code; do not edit. -->\n\n"


# --- cli.md ---------------------------------------------------------------------------------------------------------


def cli() -> str:
    parser = build_parser()
    commands = next(action for action in parser._actions if isinstance(action.choices, dict))  # noqa: SLF001
    assert isinstance(commands.choices, dict)
    text = """# Command line

Two verbs, `mark` and `verify`, and commands that serve them. Data go to standard output, messages to standard error.
Nothing here uses the network, but for two options that name a host: `--tsa` and `--ocsp`.

| Exit code | `verify` | `mark` |
|---|---|---|
| 0 | every file is `labelled` | every file was written |
| 1 | at least one file is not `labelled` | at least one file was refused, with a reason code |
| 2 | a mistake in the call, the configuration or the file system | the same |
| 130 | interrupted | interrupted; nothing half-finished is left |

With several files, each is handled and the largest code wins. A file that `mark` wrote can still be `incomplete`,
for example with `--notice none`: read the verdict, not only the exit code. `doctor` exits with 1 when something is
missing that marking needs.

Options can stand before or after the file names. `NO_COLOR` switches colour off; there is none when the output is
not a terminal. See [the report](report.md) for `--json`, and [errors](errors.md) for the code in brackets at the end
of a message.
"""
    text += _help("aikz-label", parser)
    for name, command in commands.choices.items():
        text += _help(f"aikz-label {name}", command)
        for below in command._actions:  # noqa: SLF001
            for inner, sub in below.choices.items() if isinstance(below.choices, dict) else ():
                text += _help(f"aikz-label {name} {inner}", sub)
    return text


def _help(name: str, parser: argparse.ArgumentParser) -> str:
    return f"\n## {name}\n\n```text\n{parser.format_help().rstrip()}\n```\n"


# --- formats.md -----------------------------------------------------------------------------------------------------


def formats() -> str:
    text = """# Formats

A file's format is found from its bytes. Its name and its declared type are never believed.

## Marked and verified

| Format | Name in reports | Media type | Marker | Notice | Mirror |
|---|---|---|---|---|---|
"""
    for row in FORMATS.values():
        if row.supported:
            title = f"{row.title} (extra `{row.extra}`)" if row.extra else row.title
            text += _row(title, f"`{row.name}`", row.mime, row.marker, row.notice, row.mirror)
    text += """
Some variants of these cannot be marked, because that would lose something: see `unsupported-variant` in
[errors](errors.md). They can be verified.

## Recognised, with a sidecar only

`mark` refuses these with `unsupported-format`, unless `--sidecar` puts the marker beside the file, without a notice in it.
`verify` reads that sidecar; without one it answers `unreadable` with the code `unreadable.unsupported-format`.

| Format | Name in reports | Family | Media type |
|---|---|---|---|
"""
    for row in FORMATS.values():
        if not row.supported and row.name != "c2pa":
            text += _row(row.title, f"`{row.name}`", row.family, row.mime)
    return text + "\nTo add one, see [how to add a format](../how-to/add-a-format.md).\n"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"


_BLOCK = re.compile(r"(<!-- formats: [^>]*-->\n)(.*?)(<!-- end of formats -->)", re.DOTALL)


def readme() -> str:
    """The README with the table of formats that can be marked."""
    table = "\n| format | marker | notice | mirror |\n|---|---|---|---|\n"
    for row in FORMATS.values():
        if row.supported:
            title = f"{row.title} (extra `{row.extra}`)" if row.extra else row.title
            table += _row(title, row.marker, row.notice, row.mirror)
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return _BLOCK.sub(lambda found: f"{found[1]}{table}\n{found[3]}", text)


# --- clauses.md -----------------------------------------------------------------------------------------------------

# Groups of codes whose findings belong to one clause; `notice` belongs to two.
GROUPS = {
    "kz.1.4.declared": ("declared",),
    "kz.21.2.marker": ("marker", "signer", "history"),
    "kz.21.2.notice": ("notice",),
    "kz.21.2.unhindered": ("unhindered",),
    "kz.21.3.responsible": ("responsible",),
    "kz.22.1.recognised": ("recognised",),
    "kz.22.2.bound": ("bound",),
    "kz.22.2.unambiguous": ("unambiguous",),
    "kz.23.5.reservation": ("reservation",),
}


def clauses() -> str:
    data, texts = load_data("clauses"), load_data("texts")
    hindering = _hindering()
    text = f"""# Clauses and codes

Every report holds at least one finding for each clause below, in this order. A finding has a status (`pass`,
`fail`, `unknown` or `not-applicable`), a stable code and its sentence in Kazakh, Russian and English. Words in braces
are filled in from the file and escaped. The articles are those of the Law of the Republic of Kazakhstan "On
artificial intelligence" of 17 November 2025, No. 230-VIII (`{data["law"]}`); [the law](../explanation/the-law.md)
says how they are read.
"""
    for clause, content in data["clause"].items():
        text += f"\n## {clause}\n\nArt. {content['article']}\n\n{_languages(content)}"
        for group in GROUPS[clause]:
            names = [n for n in texts[group] if f"{group}.{n}" not in hindering]
            text += "".join(_code(f"{group}.{name}", texts[group][name]) for name in names)
        if clause == "kz.21.2.unhindered":
            for code in hindering:
                group, _, name = code.partition(".")
                text += _code(code, texts[group][name])
    for group, title, words in (
        ("verdict", "Verdict", "The reason, unless it is the message of the finding that decided."),
        ("unreadable", "Unreadable", "The reason of the verdict `unreadable`."),
        ("limits", "Limits", "What a check did not or could not look at."),
    ):
        text += f"\n## {title}\n\n{words}\n"
        text += "".join(_code(f"{group}.{name}", texts[group][name]) for name in texts[group])
    return text


def _hindering() -> list[str]:
    """Codes of the anti-patterns: those that the profile can give."""
    modules = sorted((SOURCE / "profile").glob("*.py"))
    trees = [ast.parse(module.read_text(encoding="utf-8")) for module in modules]
    calls = (n for tree in trees for n in ast.walk(tree) if isinstance(n, ast.Call))
    found = [
        call.args[0].value
        for call in calls
        if isinstance(call.func, ast.Name)
        and call.func.id == "message"
        and isinstance(call.args[0], ast.Constant)
    ]
    return sorted(set(found))


def _code(code: str, content: dict[str, str]) -> str:
    return f"\n### `{code}`\n\n{_languages(content)}"


def _languages(content: dict[str, str]) -> str:
    return "".join(f"- {language}: {content[language]}\n" for language in ("kk", "ru", "en"))


# --- errors.md ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, order=True)
class Raised:
    """One way to raise an error, as it stands in the source."""

    code: str
    message: str
    hint: str


def errors() -> str:
    document = aikz_label.errors.__doc__ or ""
    tree = document[document.index("    LabelError") : document.index("Verifying content")]
    text = f"""# Errors

Verifying content never raises. What raises is a mistake of the caller, and `mark` when it refuses. Errors of the
operating system pass through untouched; the command line names them as the system does, such as `[ENOENT]`.

```text
{_unindented(tree)}
```

Each has a `code`, stable and meant for programs, a `message` and a `hint`. The command line prints message, hint and
`[code]`; a refusal makes it exit with 1, everything else with 2. Words in braces are filled in.
"""
    kinds = _error_classes()
    found = _all_raised(kinds)
    for kind, (default, summary) in kinds.items():
        if found[kind]:
            text += f"\n## {kind}\n\n{summary}\n\n| Code | Message | What to do |\n|---|---|---|\n"
            for one in sorted(found[kind]):
                text += f"| `{one.code or default}` | {_cell(one.message)} | {_cell(one.hint)} |\n"
    text += """
## Problems with the content

When `mark` meets content that cannot be what it claims, it raises `Refused` with one of these codes and the hint
"Check that the file opens in a viewer." `verify` gives the verdict `unreadable` instead, with the same code in the
group `unreadable`.

| Code | Message |
|---|---|
"""
    sentences = load_data("texts")["unreadable"]
    for code in sorted(_media_problems()):
        text += f"| `{code}` | {_cell(sentences[code]['en'])} |\n"
    return text


def _unindented(text: str) -> str:
    return "\n".join(line.removeprefix("    ") for line in text.strip("\n").splitlines()).strip()


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _modules() -> Iterator[tuple[str, ast.Module]]:
    """Each module by its name."""
    for path in sorted(SOURCE.rglob("*.py")):
        if path.name != "testing.py":
            parts = path.relative_to(SOURCE.parent).with_suffix("").parts
            name = ".".join(parts).removesuffix(".__init__")
            yield name, ast.parse(path.read_text(encoding="utf-8"))


def _error_classes() -> dict[str, tuple[str, str]]:
    """Name → default code and first line of the docstring."""
    tree = ast.parse((SOURCE / "errors.py").read_text(encoding="utf-8"))
    classes = {}
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name not in {"LabelError", "NotAcceptable"}:
            codes = (
                n.value.value
                for n in node.body
                if isinstance(n, ast.Assign) and isinstance(n.value, ast.Constant)
            )
            classes[node.name] = (next(codes), (ast.get_docstring(node) or "").splitlines()[0])
    return classes


def _all_raised(kinds: dict[str, tuple[str, str]]) -> dict[str, set[Raised]]:
    found: dict[str, set[Raised]] = {kind: set() for kind in kinds}
    trees = list(_modules())
    makers = {(module, name): made for module, tree in trees for name, made in _makers(tree, kinds)}
    inside = {id(call) for _, call in makers.values()}
    for module, tree in trees:
        known = _known(module, tree, makers)
        for class_name, call in _own_words(tree, kinds):
            found[class_name].update(_variants(call, {}))
        for call in (n for n in ast.walk(tree) if isinstance(n, ast.Call)):
            name = ast.unparse(call.func) if isinstance(call.func, ast.Name | ast.Attribute) else ""
            if name in kinds and id(call) not in inside:
                found[name].update(_variants(call, {}))
            elif name in known:
                names, made = known[name]
                values = dict(zip(names, call.args, strict=False))
                values |= {k.arg: k.value for k in call.keywords if k.arg}
                assert isinstance(made.func, ast.Name)
                found[made.func.id].update(_variants(made, values))
    return found


Maker: TypeAlias = tuple[list[str], ast.Call]


def _known(module: str, tree: ast.Module, makers: dict[tuple[str, str], Maker]) -> dict[str, Maker]:
    """What a module makes errors with, as it calls it: functions of its own, and of others, where some share a name."""
    known = {name: made for (home, name), made in makers.items() if home == module}
    for node in (n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)):
        for alias in node.names:
            here, there = alias.asname or alias.name, (node.module or "", alias.name)
            if there in makers:
                known[here] = makers[there]
            inside = {n: made for (home, n), made in makers.items() if home == ".".join(there)}
            known |= {f"{here}.{name}": made for name, made in inside.items()}
    return known


def _makers(tree: ast.Module, kinds: dict[str, tuple[str, str]]) -> Iterator[tuple[str, Maker]]:
    """Functions that only build an error: their arguments are words of its message."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and isinstance(node.body[-1], ast.Return):
            call = node.body[-1].value
            name = call.func if isinstance(call, ast.Call) else None
            if isinstance(name, ast.Name) and name.id in kinds:
                assert isinstance(call, ast.Call)
                yield node.name, ([a.arg for a in node.args.args], call)


def _own_words(
    tree: ast.Module, kinds: dict[str, tuple[str, str]]
) -> Iterator[tuple[str, ast.Call]]:
    """Calls of `super().__init__` in error classes that bring their own message."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name in kinds:
            for call in (n for n in ast.walk(node) if isinstance(n, ast.Call)):
                if isinstance(call.func, ast.Attribute) and call.func.attr == "__init__":
                    yield node.name, call


def _variants(call: ast.Call, values: dict[str, ast.expr]) -> Iterator[Raised]:
    """The codes and messages of one call; two when each is chosen by a condition."""
    words = {k.arg: k.value for k in call.keywords}
    message = call.args[0] if call.args else ast.Constant("")
    parts = (words.get("code", ast.Constant("")), message, words.get("hint", ast.Constant("")))
    for branch in (True, False) if any(isinstance(p, ast.IfExp) for p in parts) else (True,):
        code, text, hint = (_text(_branch(part, branch), values) for part in parts)
        if _WORD.search(text):  # else nothing but somebody else's words
            yield Raised(code, text, hint)


_WORD = re.compile(r"(?<!{)\b\w+\b(?!})")


def _branch(node: ast.expr, yes: bool) -> ast.expr:
    if isinstance(node, ast.IfExp):
        return node.body if yes else node.orelse
    return node


def _text(node: ast.expr, values: dict[str, ast.expr]) -> str:
    """A text expression as people would write it, what varies in braces."""
    match node:
        case (
            ast.FormattedValue(value=ast.Name(id=name))
            | ast.BoolOp(op=ast.Or(), values=[ast.Name(id=name), _])
        ) if name in values:
            return _text(values[name], {})
        case (
            ast.Constant(value=str(text))
            | ast.BoolOp(op=ast.Or(), values=[_, ast.Constant(value=str(text))])
        ):
            return text
        case ast.JoinedStr(values=pieces):
            return "".join(_text(piece, values) for piece in pieces)
        case ast.FormattedValue(value=inner):
            return _placeholder(inner)
        case ast.Call(func=ast.Attribute(value=ast.JoinedStr() as inner)):
            return _text(inner, values).strip()
    return _placeholder(node)


def _placeholder(node: ast.expr) -> str:
    """The attribute, or the first name that is not called: `{mode}` for `{stat.S_IMODE(mode):o}`."""
    called = [id(n.func) for n in ast.walk(node) if isinstance(n, ast.Call)]
    names = [n.id for n in ast.walk(node) if isinstance(n, ast.Name) and id(n) not in called]
    name = names[0] if names else "…"
    if isinstance(node, ast.Attribute) and not node.attr.startswith("__"):
        name = node.attr
    return "{" + name.strip("_").lower() + "}"


def _media_problems() -> set[str]:
    """Codes of `MediaProblem(…)` everywhere in the source."""
    calls = (n for _, tree in _modules() for n in ast.walk(tree) if isinstance(n, ast.Call))
    return {
        str(call.args[0].value)
        for call in calls
        if isinstance(call.func, ast.Name)
        and call.func.id == "MediaProblem"
        and isinstance(call.args[0], ast.Constant)
    }


# --- trust-and-time.md ----------------------------------------------------------------------------------------------


def trust_and_time() -> str:
    sys.path.insert(0, str(ROOT / "tests"))
    import matrix  # noqa: PLC0415  # the rows that tests/test_matrix.py makes and asks

    return f"""# Trust and time

What every combination of certificate, trust list, time-stamp and time gives. Each row is made and asked in the tests:
now and as of another time, with the engine and with our own validation, and, where it can be asked the same, with
encypher-c2pa, a verifier of other authors.

In all rows the bytes are as they were signed, the signer's certificate lives 30 days, and a time-stamp was made
together with the signature. "The root" is the one above the certificate.

{matrix.table()}
A `trusted` marker gives `labelled` when the rest is there too, an `untrusted` one `incomplete`, an `invalid` one
`invalid`. Beside the reason, the report says what else was found: a time-stamp that does not count and why, where a
chain ends, a revocation that came after the signature, a list that is out of date.

Not in the table, and always so:

- A chain longer than 16 certificates is not looked at. Of loops and thickets, 64 signatures are checked at most.
- A time-stamp that is later than the check means that a clock is wrong: this machine's, when no time was named; then
  the time-stamp counts. As of a time that is named with `--at`, a later time-stamp does not count. Both are said.
- When a responder is asked with `--ocsp` and gives no usable answer, the signer is not believed
  (`marker.unconfirmed`).
"""


# --- docs/pictures --------------------------------------------------------------------------------------------------

LADDER = ((760, 50), (240, 190), (120, 120), (80, 80), (54, 54), (40, 40))


def ladder() -> None:
    """One picture for each step of the layout ladder, twice as large as it is."""
    numbers = load_profile("kz").image
    sheet = Image.new("RGB", (1540, 520), "white")
    x, y = 10, 10
    for width, height in LADDER:
        with Image.open(ROOT / "fixtures" / "dandelion.jpg") as photo:
            small = photo.convert("RGB").resize((width, height))
        placed = badge.plan(width, height, Origin.CREATED, ("kk", "ru", "en"), numbers)
        assert placed is not None
        modes.paint(small, placed.badge.mask, (placed.x, placed.y, *placed.size))
        sheet.paste(small.resize((2 * width, 2 * height), Image.Resampling.NEAREST), (x, y))
        x, y = (10, 130) if y == 10 else (x + 2 * width + 20, y)
    sheet.quantize(128).save(ROOT / "docs" / "pictures" / "ladder.png", optimize=True)


# --------------------------------------------------------------------------------------------------------------------

PAGES = {
    "cli.md": cli,
    "formats.md": formats,
    "clauses.md": clauses,
    "errors.md": errors,
    "trust-and-time.md": trust_and_time,
}


def page(name: str) -> str:
    """The page as it should be."""
    heading, _, rest = PAGES[name]().partition("\n\n")
    return f"{heading}\n\n{REMARK}{rest}"


def _words(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").split() if path.exists() else []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--check", action="store_true", help="compare, do not write")
    action.add_argument("--pictures", action="store_true", help="redraw the ladder instead")
    options = parser.parse_args()
    if options.pictures:
        ladder()
        return
    os.environ |= {"COLUMNS": "80", "NO_COLOR": "1"}
    texts = {TARGET / name: page(name) for name in PAGES} | {ROOT / "README.md": readme()}
    outdated = []
    for path, text in texts.items():
        if not options.check:
            path.write_text(text, encoding="utf-8")
        elif _words(path) not in (text.split(), _BLOCK.sub(r"\1\3", text).split()):
            outdated.append(
                str(path.relative_to(ROOT))
            )  # a table that was never filled in is no drift
    if outdated:
        sys.exit(f"out of date: {', '.join(outdated)}; run python tools/generate_docs.py")


if __name__ == "__main__":
    main()
