"""Real files with identity statements (CAWG): what cannot be checked offline is said to be so, and changes nothing else."""

from __future__ import annotations

import pytest

from aikz_label import Label, mark, verify
from aikz_label.trust import load_trust_list
from support import require_corpus

pytestmark = pytest.mark.corpus
FOLDER = "c2pa-rs/sdk/src/identity/tests/fixtures"
# file → whether its marker holds, and what is known of the identity
FILES = {
    "claim_aggregation/ica_validation/success.jpg": (True, "unchecked"),
    "validation_method/extra_field.jpg": (True, "unchecked"),
    "claim_aggregation/ica_validation/invalid_content_type.jpg": (False, "failed"),
    "claim_aggregation/ica_validation/invalid_issuer_did.jpg": (False, "failed"),
    "claim_aggregation/ica_validation/missing_cose_sign_alg.jpg": (False, "failed"),
    "claim_aggregation/ica_validation/valid_from_in_future.jpg": (False, "failed"),
    "claim_aggregation/ica_validation/valid_until_in_past.jpg": (False, "failed"),
    "validation_method/pad1_invalid.jpg": (False, "failed"),
}


@pytest.mark.parametrize("name", FILES)
def test_an_identity_is_never_called_checked(name, config):
    corpus = require_corpus()
    holds, identity = FILES[name]
    trust = [load_trust_list(corpus.parent / "corpus-trust" / "c2pa-test-roots.pem")]
    path = corpus / FOLDER / name
    report = verify(path, trust=trust)
    assert report.marker.identity == identity
    assert (report.marker_state == "trusted") is holds
    if not holds:
        assert report.reason.code == "marker.identity"
    codes = {finding.message.code for finding in report.findings}
    assert f"signer.identity-{identity}" in codes
    if holds:  # and it can be marked anew, with the old marker kept
        label = Label(origin="altered")
        again = mark(path, None, label, config=config, on_existing="update").report
        assert again.verdict == "labelled"
        assert len(again.marker.history) == 2
