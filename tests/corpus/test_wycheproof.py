"""The Wycheproof vectors against the signatures that we check ourselves.

What an algorithm of ours should accept it must accept, and nothing else: signatures of algorithms that are not ours never
hold, valid or not. `AIKZ_WYCHEPROOF` names another folder of vectors.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from aikz_label.trust import signatures
from support import require_corpus

pytestmark = pytest.mark.corpus
HASHES = {"SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}
SIZES = {"sha256": 32, "sha384": 48, "sha512": 64}
CURVES = {"secp256r1", "secp384r1", "secp521r1"}
SCHEMES = {
    "EcdsaVerify": "ecdsa",
    "EcdsaP1363Verify": "cose",
    "EddsaVerify": "eddsa",
    "RsassaPssVerify": "pss",
    "RsassaPkcs1Verify": "pkcs1",
}


def folder() -> Path:
    named = os.environ.get("AIKZ_WYCHEPROOF")
    return Path(named) if named else require_corpus() / "wycheproof"


def key_of(group):
    for name in ("publicKeyDer", "keyDer"):
        if name in group:
            try:
                return serialization.load_der_public_key(bytes.fromhex(group[name]))
            except (ValueError, UnsupportedAlgorithm):
                return None
    return None


def is_ours(group, key, scheme, hashed):
    """Whether signatures of this group are of a kind that counts here."""
    match key:
        case ec.EllipticCurvePublicKey():
            return key.curve.name in CURVES and hashed in SIZES and scheme in {"ecdsa", "cose"}
        case ed25519.Ed25519PublicKey():
            return scheme == "eddsa"
        case rsa.RSAPublicKey() if scheme == "pss":
            salt, mgf = group.get("sLen"), HASHES.get(group.get("mgfSha", ""))
            return 2048 <= key.key_size <= 8192 and mgf == hashed and SIZES.get(hashed) == salt
        case rsa.RSAPublicKey():
            return 2048 <= key.key_size <= 8192 and hashed in SIZES
    return False


def holds(key, scheme, hashed, test):
    signature, text = bytes.fromhex(test["sig"]), bytes.fromhex(test["msg"])
    if scheme == "cose":
        name = {"sha256": "es256", "sha384": "es384", "sha512": "es512"}.get(hashed, "")
        return signatures.verify_cose(key, name, signature, text)
    return signatures.verify(key, scheme, hashed, signature, text)


def test_every_vector_is_answered_right():
    wrong, seen = [], Counter()
    for path in sorted(folder().rglob("*.json")):
        for group in json.loads(path.read_text(encoding="utf-8")).get("testGroups", ()):
            scheme = SCHEMES.get(group.get("type"))
            key = key_of(group) if scheme else None
            if key is None:
                continue
            hashed = HASHES.get(group.get("sha", ""), group.get("sha", ""))
            ours = is_ours(group, key, scheme, hashed)
            for test in group["tests"]:
                answer = holds(key, scheme, hashed, test)
                if "s_len changed" in test["comment"] and not ours:
                    continue  # to a length that may be ours
                expected = test["result"] == "valid" and ours
                if answer != expected and not (ours and test["result"] == "acceptable"):
                    wrong.append((path.name, test["tcId"], test["comment"], answer))
                seen[scheme, ours] += 1
    assert wrong == []
    assert seen.total() > 50
