"""Label AI-made media for Kazakhstan's Law on AI, and check labels.

Two verbs:

    from aikz_label import Label, mark, verify

    mark("cat.png", "cat.labelled.png", Label(origin="created", system="PhotoGen/2.1"))
    print(verify("cat.labelled.png").verdict)  # labelled

`mark` draws the notice that people see, signs the marker that software reads, and checks the result before it gives it its
name. `verify` reads any file and says one of five words, clause by clause. Reading order for the code: `api`, then
`adapters`, then one adapter.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as typing says, without the 5 ms of importing it

__version__ = "0.1.0"

__all__ = [
    "Finding",
    "Imitates",
    "Label",
    "LabelError",
    "Limits",
    "MarkResult",
    "Origin",
    "Refused",
    "Report",
    "Responsible",
    "System",
    "Verdict",
    "mark",
    "mark_text",
    "sniff",
    "stream_text",
    "verify",
    "verify_many",
    "verify_text",
]

if TYPE_CHECKING:
    from aikz_label.api import MarkResult, mark, verify
    from aikz_label.batch import verify_many
    from aikz_label.errors import LabelError, Refused
    from aikz_label.formats import sniff
    from aikz_label.label import Imitates, Label, Origin, Responsible, System
    from aikz_label.limits import Limits
    from aikz_label.report import Finding, Report, Verdict
    from aikz_label.strings import mark_text, stream_text, verify_text

_HOME = {
    "Finding": "report",
    "Imitates": "label",
    "Label": "label",
    "LabelError": "errors",
    "Limits": "limits",
    "MarkResult": "api",
    "Origin": "label",
    "Refused": "errors",
    "Report": "report",
    "Responsible": "label",
    "System": "label",
    "Verdict": "report",
    "mark": "api",
    "mark_text": "strings",
    "sniff": "formats",
    "stream_text": "strings",
    "verify": "api",
    "verify_many": "batch",
    "verify_text": "strings",
}


def __getattr__(name: str) -> object:
    """Import a public name on first use, so that `import aikz_label` costs nothing."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
