"""Every combination of certificate, trust list, time-stamp and time that matters, and what it must give.

`tests/test_matrix.py` makes each and asks; `tools/generate_docs.py` prints the table in the documentation.
"""

from __future__ import annotations

from dataclasses import dataclass

# When the check happens, in days from the signature; the certificate lives 30 days, time-stamps are made at once.
TIMES = {"before": -10, "in force": 0, "after": 60}
# Whose certificate signs.
CERTIFICATES = {
    "good": "root → issuing authority → signer",
    "single": "issued by nobody on a list, but listed itself",
    "stranger": "another authority",
    "namesake": "another authority with the listed one's names",
    "self-signed": "its own",
    "gap": "the issuing authority's certificate is missing in the marker",
    "short": "an issuing authority that ends after 20 days",
    "not an authority": "an issuing certificate that is none",
    "too deep": "an authority below one that allows none",
    "constrained": "an authority that is allowed other names only",
    "other purpose": "an authority that is allowed web servers only",
    "odd": "an authority with a critical extension that nobody knows",
    "clock": "a certificate for time-stamps, not for markers",
    "loop": "two authorities that certify each other",
    "crossed": "an authority below another root, which the listed one has certified",
}
# What is known of it being called back.
REVOCATIONS = {
    "": "nothing",
    "no": "a list without it",
    "stale": "a list without it, out of date",
    "before": "called back before the signature",
    "later": "called back 5 days after the signature",
    "authority": "its authority called back before the signature",
    "forged": "a list that names it, signed by somebody else",
}
# What is believed.
LISTS = {
    "signers": "the root, for signers",
    "time": "the root, for time-stamps only",
    "certificates": "the certificate itself",
    "none": "nobody",
}
# Who stamped it.
STAMPS = {
    "": "none",
    "believed": "an authority on the list for time-stamps",
    "unknown": "an authority on no list",
    "signers": "an authority on the list for signers only",
    "called back": "an authority called back before",
    "other": "made for another signature",
}


@dataclass(frozen=True)
class Row:
    """One combination, and what it gives.

    Attributes:
        certificate: Key of `CERTIFICATES`.
        lists: Key of `LISTS`.
        stamp: Key of `STAMPS`.
        when: Key of `TIMES`.
        revoked: Key of `REVOCATIONS`.
        state: Of the marker.
        code: Of the reason; empty when the marker is trusted.
    """

    certificate: str
    lists: str
    stamp: str
    when: str
    revoked: str
    state: str
    code: str = ""

    @property
    def id(self) -> str:
        parts = (self.certificate, self.lists, self.stamp, self.revoked, self.when)
        return ", ".join(filter(None, parts))


UNTRUSTED, EXPIRED, EARLY = "marker.untrusted", "marker.expired", "marker.early"
REVOKED = "marker.revoked"
ROWS = (
    # whom to believe
    Row("good", "signers", "", "in force", "", "trusted"),
    Row("good", "certificates", "", "in force", "", "trusted"),
    Row("good", "none", "", "in force", "", "untrusted", UNTRUSTED),
    Row("good", "time", "", "in force", "", "untrusted", UNTRUSTED),
    Row("single", "certificates", "", "in force", "", "trusted"),
    Row("single", "signers", "", "in force", "", "untrusted", UNTRUSTED),
    Row("stranger", "signers", "", "in force", "", "untrusted", UNTRUSTED),
    Row("namesake", "signers", "", "in force", "", "untrusted", UNTRUSTED),
    Row("self-signed", "signers", "", "in force", "", "untrusted", UNTRUSTED),
    Row("self-signed", "certificates", "", "in force", "", "trusted"),
    # chains
    Row("gap", "signers", "", "in force", "", "untrusted", UNTRUSTED),
    Row("not an authority", "signers", "", "in force", "", "untrusted", UNTRUSTED),
    Row("too deep", "signers", "", "in force", "", "untrusted", UNTRUSTED),
    Row("constrained", "signers", "", "in force", "", "untrusted", UNTRUSTED),
    Row("other purpose", "signers", "", "in force", "", "untrusted", UNTRUSTED),
    Row("odd", "signers", "", "in force", "", "untrusted", UNTRUSTED),
    Row("clock", "signers", "", "in force", "", "invalid", "marker.profile"),
    Row("loop", "signers", "", "in force", "", "untrusted", UNTRUSTED),
    Row("crossed", "signers", "", "in force", "", "trusted"),
    # time
    Row("good", "signers", "", "before", "", "invalid", EARLY),
    Row("good", "signers", "", "after", "", "invalid", EXPIRED),
    Row("good", "none", "", "after", "", "invalid", EXPIRED),
    Row("good", "certificates", "", "after", "", "invalid", EXPIRED),
    Row("short", "signers", "", "in force", "", "trusted"),
    Row("short", "signers", "", "after", "", "invalid", EXPIRED),
    # time-stamps
    Row("good", "signers", "believed", "in force", "", "trusted"),
    Row("good", "signers", "believed", "after", "", "trusted"),
    Row("good", "certificates", "believed", "after", "", "trusted"),
    Row("good", "none", "believed", "after", "", "untrusted", UNTRUSTED),
    Row("short", "signers", "believed", "after", "", "trusted"),
    Row("good", "signers", "unknown", "in force", "", "trusted"),
    Row("good", "signers", "unknown", "after", "", "invalid", EXPIRED),
    Row("good", "signers", "signers", "after", "", "invalid", EXPIRED),
    Row("good", "signers", "called back", "after", "", "invalid", EXPIRED),
    Row("good", "signers", "other", "in force", "", "trusted"),
    Row("good", "signers", "other", "after", "", "invalid", EXPIRED),
    # revocation
    Row("good", "signers", "", "in force", "no", "trusted"),
    Row("good", "signers", "", "in force", "stale", "trusted"),
    Row("good", "signers", "", "in force", "before", "invalid", REVOKED),
    Row("good", "signers", "", "in force", "later", "trusted"),
    Row("good", "signers", "", "in force", "authority", "invalid", REVOKED),
    Row("good", "signers", "", "in force", "forged", "trusted"),
    Row("good", "certificates", "", "in force", "before", "invalid", REVOKED),
    Row("good", "signers", "believed", "in force", "before", "invalid", REVOKED),
    Row("good", "signers", "believed", "after", "before", "invalid", REVOKED),
    Row("good", "signers", "believed", "after", "later", "trusted"),
    Row("good", "signers", "believed", "after", "authority", "invalid", REVOKED),
    Row("stranger", "signers", "", "in force", "before", "untrusted", UNTRUSTED),
)


def table() -> str:
    """The rows as Markdown."""
    head = "| Certificate | Believed | Time-stamp by | Called back | Checked | Marker | Reason |\n"
    text = head + "|---|---|---|---|---|---|---|\n"
    for row in ROWS:
        cells = (
            CERTIFICATES[row.certificate],
            LISTS[row.lists],
            STAMPS[row.stamp],
            REVOCATIONS[row.revoked],
            WHEN[row.when],
            f"`{row.state}`",
            f"`{row.code}`" if row.code else "–",
        )
        text += f"| {' | '.join(cells)} |\n"
    return text


WHEN = {
    "before": "before the certificate begins",
    "in force": "while it is in force",
    "after": "after it has ended",
}
