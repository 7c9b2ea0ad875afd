"""The plug-in for a key service that the documentation shows, against moto's AWS KMS."""

from __future__ import annotations

import re
import sys

import pytest

from aikz_label import Label, mark, verify
from aikz_label.config import Config
from aikz_label.errors import SigningError
from aikz_label.identity import authority
from aikz_label.identity.certifying import Subject, load_public_key
from aikz_label.label import Responsible
from aikz_label.trust import load_trust_list
from support import ROOT, encoded, missing, picture

PAGE = (ROOT / "docs/how-to/sign-with-a-kms.md").read_text(encoding="utf-8")
PLUGIN = re.search(r"^```python plugin\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
POINTS = re.search(r"^\[project.entry-points.*?\]\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
REGION = "eu-central-1"

pytestmark = pytest.mark.filterwarnings("ignore")  # of the AWS libraries


@pytest.fixture
def kms(tmp_path, monkeypatch):
    """KMS as moto plays it, and the plug-in installed as a distribution of its own."""
    try:
        import boto3
        from moto import mock_aws
    except ModuleNotFoundError:
        missing("the packages boto3 and moto")
    for name, value in (
        ("ACCESS_KEY_ID", "x"),
        ("SECRET_ACCESS_KEY", "x"),
        ("DEFAULT_REGION", REGION),
    ):
        monkeypatch.setenv(f"AWS_{name}", value)
    site = tmp_path / "site"
    metadata = site / "aikz_awskms-1.dist-info"
    metadata.mkdir(parents=True)
    (site / "aikz_awskms.py").write_text(PLUGIN[1], encoding="utf-8")
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: aikz-awskms\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text(
        "[aikz_label.signers]\n" + POINTS[1].replace('"', ""), encoding="utf-8"
    )
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.delitem(sys.modules, "aikz_awskms", raising=False)
    with mock_aws():
        yield boto3.client("kms", region_name=REGION)


@pytest.mark.parametrize(
    "spec", ["ECC_NIST_P256", "ECC_NIST_P384"]
)  # moto salts RSA-PSS unlike AWS
def test_it_signs(kms, tmp_path, monkeypatch, spec):
    monkeypatch.chdir(tmp_path)
    made = kms.create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    (tmp_path / "public.der").write_bytes(kms.get_public_key(KeyId=made)["PublicKey"])
    ours = authority.create(tmp_path / "ca", Subject("Test"))
    issued = ours.issue(Subject("Test"), key=load_public_key(tmp_path / "public.der"))
    (tmp_path / "chain.pem").write_bytes(issued.chain)
    config = Config(tmp_path, responsible=Responsible(name="Test", role="owner"))
    uri = f"awskms:{made}?chain=chain.pem&region={REGION}"
    picture_bytes = encoded(picture(), "png")
    data = mark(picture_bytes, None, Label(origin="created"), signer=uri, config=config).data
    report = verify(data, trust=[load_trust_list(tmp_path / "ca" / "root.pem")])
    assert report.verdict == "labelled"
    with pytest.raises(SigningError, match=r"nothing.*does not exist|NotFound"):
        mark(
            picture_bytes,
            None,
            Label(origin="created"),
            signer="awskms:nothing?chain=chain.pem",
            config=config,
        )
