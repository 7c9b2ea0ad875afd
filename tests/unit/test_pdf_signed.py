"""Documents that people signed: refused by default, and on request labelled so that every signature stays intact."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import corpus_documents
import pdf_files
from aikz_label import Label, Refused, mark, verify
from aikz_label.adapters.pdf.document import Document
from aikz_label.adapters.pdf.pages import Book
from aikz_label.config import Config
from aikz_label.label import Origin
from aikz_label.report import Verdict

pyhanko = pytest.importorskip("pyhanko")
LABEL = Label(origin=Origin.CREATED)


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., bytes]:
    """Signs a document as pyHanko does it, with a certificate of nobody."""
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import signers

    folder = tmp_path_factory.mktemp("signer")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Somebody")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=9))
        .sign(key, hashes.SHA256())
    )
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    signer = signers.SimpleSigner.load(str(folder / "key.pem"), str(folder / "cert.pem"))

    def work(data: bytes, **options: object) -> bytes:
        metadata = signers.PdfSignatureMetadata(field_name="Signature1", **options)
        writer = IncrementalPdfFileWriter(io.BytesIO(data))
        out: io.BytesIO = signers.sign_pdf(writer, metadata, signer=signer)
        return out.getvalue()

    return work


def test_refused_then_intact(signed: Callable[..., bytes], config: Config) -> None:
    """By default there is no label after a signature; on request annotations carry it, and no page is drawn anew."""
    source = signed(pdf_files.document())
    with pytest.raises(Refused) as refusal:
        mark(source, None, LABEL, config=config)
    assert refusal.value.code == "signed"
    assert "before" in refusal.value.message
    result = mark(source, None, LABEL, config=config, allow_signed=True)
    assert result.data is not None
    assert result.data.startswith(source)
    assert result.report.verdict is Verdict.LABELLED
    assert corpus_documents.intact(result.data) == corpus_documents.intact(source) == [(True, True)]
    before, after = (Book(Document(io.BytesIO(one)), 100) for one in (source, result.data))
    for index in range(2):
        assert before.own_streams(index) == after.own_streams(index)
        assert len(after.contents(index)) == 1
        assert [one.get("Subtype") for one in after.annotations(index)][-1] == "Stamp"


@pytest.mark.parametrize(
    ("level", "code"), [("NO_CHANGES", "certified"), ("FILL_FORMS", "certified"), ("ANNOTATE", "")]
)
def test_what_a_certification_forbids(
    level: str, code: str, signed: Callable[..., bytes], config: Config
) -> None:
    """A certified document gets annotations only where its signer allows them, and never on our own word."""
    from pyhanko.sign.fields import MDPPerm

    source = signed(pdf_files.document(), certify=True, docmdp_permissions=MDPPerm[level])
    if not code:
        result = mark(source, None, LABEL, config=config, allow_signed=True)
        assert result.data is not None
        assert corpus_documents.intact(result.data) == [(True, True)]
        return
    with pytest.raises(Refused) as refusal:
        mark(source, None, LABEL, config=config, allow_signed=True)
    assert refusal.value.code == code


def test_signed_afterwards(signed: Callable[..., bytes], config: Config) -> None:
    """Whoever signs a labelled document appends to it: the report names that, and the signature covers the label."""
    labelled = mark(pdf_files.document(), None, LABEL, config=config).data
    assert labelled is not None
    report = verify(signed(labelled), config=config)
    assert (report.verdict, report.reason.code) == (Verdict.INVALID, "marker.updated")


def test_passwords_on_the_command_line(tmp_path: Path, identity_folder: Path) -> None:
    """A password comes from a file or a variable, and from nowhere on the command line."""
    source = tmp_path / "in.pdf"
    source.write_bytes(pdf_files.encrypted(256, "құпия", "owner"))
    secret = tmp_path / "password"
    secret.write_text("құпия\n", encoding="utf-8")
    secret.chmod(0o600)

    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "aikz_label", *arguments]
        config = ["--config", str(identity_folder / "aikz-label.toml")]
        return subprocess.run(
            [*command, *config],
            capture_output=True,
            text=True,
            check=False,
            env={"PATH": "/usr/bin:/bin", "PYTHONIOENCODING": "utf-8", **variables},
        )

    made = [
        "mark",
        str(source),
        "--origin",
        "created",
        "--overwrite",
        "-o",
        str(tmp_path / "o.pdf"),
    ]
    assert "[password]" in run(*made).stderr
    assert "[password-source]" in run(*made, "--password", "құпия").stderr
    assert run(*made, "--password", f"file:{secret}").returncode == 0
    assert run(*made, "--password", "env:SECRET", SECRET="құпия").returncode == 0
    assert run("verify", str(tmp_path / "o.pdf")).returncode == 0
    measured = ["verify", str(tmp_path / "o.pdf"), "--measure", "--password", f"file:{secret}"]
    assert run(*measured).returncode == 0
