"""The engine's words are weighed one by one: what is about bytes, what about a signer, what about an earlier file."""

from __future__ import annotations

import io

import pytest

from aikz_label import Label, Verdict, engine, mark, verify
from aikz_label.manifest import marker
from aikz_label.manifest.reading import from_store
from aikz_label.report import Notice
from aikz_label.signing import load_signing_key
from support import PHOTO

NOTICE = Notice("none", profile="kz/1", reason="a test")


def signed(source, config, parent=None):
    """A marker straight from the engine, without the checks that `mark` makes of a parent."""
    label = Label(origin="created", responsible=config.responsible)
    manifest = marker.definition(label, NOTICE, "image", with_parent=parent is not None)
    key = load_signing_key(config.signer, config.folder)
    out = io.BytesIO()
    kept = None
    if parent:
        stream, mime = io.BytesIO(parent), "image/jpeg"
        kept = engine.Parent(stream, mime, marker.PARENT, engine.read(stream, mime, ()))
    engine.sign(io.BytesIO(source), out, "image/jpeg", manifest, key, kept)
    return out.getvalue()


def read(data, *configs):
    lists = tuple(item for config in configs for item in config.trust)
    return engine.read(io.BytesIO(data), "image/jpeg", lists)


def earlier(data, *configs):
    """What earlier signers are worth, which is not the engine's business."""
    lists = tuple(item for config in configs for item in config.trust)
    return [step.state for step in verify(data, trust=lists).marker.history]


def flipped(data):
    return data[:-5000] + bytes([data[-5000] ^ 1]) + data[-4999:]


def test_a_tampered_grandparent_is_not_laundered_by_two_good_signers(config, stranger):
    tampered = flipped(signed(PHOTO.read_bytes(), stranger))
    child = signed(tampered, config, parent=tampered)
    grandchild = signed(child, config, parent=child)
    for data in (child, grandchild):
        found = read(data, config, stranger)
        assert (found.state, found.problem) == ("invalid", "parent")
        assert "assertion.dataHash.mismatch" in found.codes
        assert verify(data, config=config).reason.code == "marker.parent"
    states = [(a.of, a.relation, a.state, a.problem) for a in found.ancestors]
    assert states == [(-1, "parent", "untrusted", ""), (0, "parent", "invalid", "altered")]
    assert earlier(grandchild, config, stranger) == ["trusted", "invalid"]


def test_an_unknown_earlier_signer_does_not_make_the_last_one_unknown(config, stranger):
    first = mark(PHOTO, None, Label(origin="created"), config=stranger).data
    for believes in (config, stranger):  # the record in the child says what its maker believed
        child = mark(first, None, Label(origin="altered"), config=believes, on_existing="update")
        found = read(child.data, *((config,) if believes is config else (stranger,)))
        assert found.state == "trusted"
    child = mark(first, None, Label(origin="altered"), config=config, on_existing="update").data
    assert verify(child, config=config).verdict is Verdict.LABELLED
    assert earlier(child, config) == ["untrusted"]
    assert earlier(child, config, stranger) == ["trusted"]
    assert read(child, stranger).state == "untrusted"
    assert earlier(child, stranger) == ["trusted"]


def store(state="Valid", failure=(), success=(), informational=(), **more):
    kinds = {"failure": failure, "success": success, "informational": informational}
    active = {kind: [{"code": code} for code in codes] for kind, codes in kinds.items()}
    return {
        "active_manifest": "a",
        "manifests": {"a": {"signature_info": {"issuer": "x"}, **more}},
        "validation_results": {"activeManifest": active},
        "validation_state": state,
    }


TRUSTED = ("signingCredential.trusted",)


@pytest.mark.parametrize(
    ("found", "state", "problem", "identity"),
    [
        (store(success=TRUSTED), "trusted", "", ""),
        (store(failure=["signingCredential.untrusted"]), "untrusted", "", ""),
        (store("Invalid", success=TRUSTED), "invalid", "damaged", ""),
        (store("Invalid", failure=["signingCredential.untrusted"]), "invalid", "damaged", ""),
        (store("Invalid", failure=["signingCredential.expired"]), "invalid", "expired", ""),
        (store("Invalid", failure=["claimSignature.outsideValidity"]), "invalid", "expired", ""),
        (store("Invalid", failure=["signingCredential.invalid"]), "invalid", "profile", ""),
        (store("Invalid", failure=["signingCredential.ocsp.revoked"]), "invalid", "revoked", ""),
        (store("Invalid", failure=["assertion.dataHash.mismatch"]), "invalid", "altered", ""),
        (store("Invalid", failure=["claim.malformed"]), "invalid", "damaged", ""),
        (
            store("Invalid", failure=["cawg.ica.did_unavailable"], success=TRUSTED),
            "trusted", "", "unchecked",
        ),
        (
            store("Valid", failure=["cawg.x509.credential.untrusted"], success=TRUSTED),
            "trusted", "", "unchecked",
        ),
        (
            store("Invalid", failure=["cawg.ica.signature_mismatch"], success=TRUSTED),
            "invalid", "identity", "failed",
        ),
        (
            store("Invalid", failure=["cawg.ica.did_unavailable", "assertion.dataHash.mismatch"]),
            "invalid", "altered", "unchecked",
        ),
        ({}, "invalid", "damaged", ""),
        ({"validation_results": [1], "manifests": 3}, "invalid", "damaged", ""),
    ],
)  # fmt: skip
def test_codes_decide(found, state, problem, identity):
    reading = from_store(found)
    assert (reading.state, reading.problem, reading.identity) == (state, problem, identity)


def test_a_time_stamp_names_its_list_only_in_a_sentence():
    found = store(success=TRUSTED)
    active = found["validation_results"]["activeManifest"]
    active["success"].append(
        {
            "code": "timeStamp.trusted",
            "explanation": "trusted: X, trust list: urn:aikz-label:trust:3",
        }
    )
    found["manifests"]["a"]["signature_info"]["time"] = "2026-01-01T00:00:00+00:00"
    stamp = from_store(found).stamp
    assert (stamp.state, stamp.trust, stamp.time[:4]) == ("trusted", 3, "2026")
    active["success"].pop()
    active["informational"].append({"code": "timeStamp.untrusted", "explanation": "X"})
    assert from_store(found).stamp.state == "untrusted"
    active["informational"].append({"code": "timeStamp.mismatch", "explanation": "X"})
    assert from_store(found).stamp.state == "invalid"
    assert from_store(found).signed_at == ""


def test_ingredients_that_bite_their_tail_or_go_on_for_ever_end():
    found = store(
        success=TRUSTED, ingredients=[{"active_manifest": "a", "relationship": "parentOf"}]
    )
    assert from_store(found).ancestors == ()
    manifests = found["manifests"]
    for n in range(100):
        manifests[f"m{n}"] = {
            "ingredients": [{"active_manifest": f"m{n + 1}", "relationship": "parentOf"}] * 2
        }
    manifests["a"]["ingredients"] = [
        {"active_manifest": "m0", "relationship": "parentOf"},
        {"active_manifest": "m0", "relationship": "componentOf"},
        {"active_manifest": 7},
        "x",
    ]
    reading = from_store(found)
    assert len(reading.ancestors) == 50
    assert len(reading.parents) == 49  # and one, named 7, that is not there
