"""The names and signatures people build on; a change here is a change for them."""

from __future__ import annotations

import inspect

import aikz_label
from aikz_label import errors

NAMES = [
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


def test_the_surface_is_recorded():
    assert sorted(aikz_label.__all__) == NAMES
    assert len(NAMES) <= 19  # ADR 10
    for name in NAMES:
        assert inspect.getdoc(getattr(aikz_label, name))


def test_the_two_verbs():
    assert list(inspect.signature(aikz_label.mark).parameters) == [
        "source",
        "destination",
        "label",
        "languages",
        "notice",
        "notice_reason",
        "when_too_small",
        "pages",
        "stamp_as",
        "profile_name",
        "signer",
        "tsa",
        "tsa_failure",
        "on_existing",
        "sidecar",
        "overwrite",
        "as_format",
        "allow_normalise",
        "password",
        "allow_signed",
        "override_permissions",
        "video_mode",
        "allow_reencode",
        "spoken",
        "progress",
        "config",
        "caps",
    ]
    assert list(inspect.signature(aikz_label.verify).parameters) == [
        "source",
        "trust",
        "at",
        "ocsp",
        "sidecar",
        "measure",
        "password",
        "profile_name",
        "config",
        "caps",
    ]


def test_the_error_tree_is_drawn_as_it_is():
    drawing = errors.__doc__
    assert drawing is not None
    found, todo = [], [errors.LabelError]
    while todo:
        kind = todo.pop()
        found.append(kind.__name__)
        todo += kind.__subclasses__()
    drawn = [word for word in drawing.split() if isinstance(vars(errors).get(word), type)]
    assert sorted(drawn) == sorted(found)


def test_unknown_names_are_attribute_errors():
    assert not hasattr(aikz_label, "nothing")
