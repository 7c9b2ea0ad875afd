"""No network: the system calls of `mark` and `verify`, as the kernel sees them (strace)."""

from __future__ import annotations

import io
import re
import subprocess
import sys

import pytest
from cryptography import x509

import pki
from aikz_label import Label, mark
from aikz_label.config import Config
from aikz_label.label import Responsible
from support import PHOTO, encoded, picture, require_tool
from tsa import LocalTsa

# What reaches out; a pair of sockets between processes of ours (socketpair) does not.
REACHES = re.compile(r"\b(?:socket|connect|bind|listen|accept4?|sendmmsg)\(")


def calls(folder, *command):
    """Every network system call of a command and its children."""
    strace = require_tool("strace")
    log = folder / "calls"
    traced = [strace, "-f", "-qq", "-e", "trace=%network", "-o", str(log), *map(str, command)]
    done = subprocess.run(traced, cwd=folder, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    return [line for line in log.read_text().splitlines() if "(" in line], done


@pytest.fixture(scope="module")
def folder(tmp_path_factory, identity_folder):
    """Files that name hosts wherever a file can: for a marker elsewhere, for OCSP, for revocation lists."""
    import c2pa

    made = tmp_path_factory.mktemp("network")
    (made / "photo.jpg").write_bytes(PHOTO.read_bytes())
    url = "http://127.0.0.1:9/"
    address = [x509.UniformResourceIdentifier(url)]
    places = (
        x509.AuthorityInformationAccess(
            [x509.AccessDescription(x509.AuthorityInformationAccessOID.OCSP, address[0])]
        ),
        x509.CRLDistributionPoints([x509.DistributionPoint(address, None, None, None)]),
    )
    root = pki.root()
    party = root.issue(extra=[(place, False) for place in places])
    party.write(made)
    (made / "root.pem").write_text(root.pem)
    config = Config(made, responsible=Responsible(name="T", role="owner"), signer="file:signer.pem")
    mark(encoded(picture(), "jpeg"), made / "aia.jpg", Label(origin="created"), config=config)
    chain = "".join(map(pki.pem, party.chain)).encode()
    definition = {
        "claim_generator_info": [{"name": "x", "version": "1"}],
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [{
            "action": "c2pa.created",
            "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture",
        }]}}],
    }  # fmt: skip
    with (
        c2pa.Signer.from_info(c2pa.C2paSignerInfo(b"es256", chain, party.key_pem, None)) as signer,
        c2pa.Builder(definition) as builder,
        (made / "remote.jpg").open("w+b") as out,
    ):
        builder.set_no_embed()
        builder.set_remote_url(url + "manifest.c2pa")
        builder.sign(signer, "image/jpeg", io.BytesIO(PHOTO.read_bytes()), out)
    (made / "identity").symlink_to(identity_folder)
    return made


FILES = ("photo.jpg", "aia.jpg", "remote.jpg")


def test_the_library_makes_no_network_call_at_all(folder):
    program = (
        "import sys\n"
        "from aikz_label import Label, mark, verify\n"
        "config = 'identity/aikz-label.toml'\n"
        "data = mark('photo.jpg', None, Label(origin='created'), config=config).data\n"
        "assert verify(data, config=config).verdict == 'labelled'\n"
        "assert verify(data, config=config, at='2027-01-01').verdict == 'labelled'\n"
        "for path in sys.argv[1:]:\n"
        "    verify(path, trust='root.pem')\n"
        "    verify(path, trust='root.pem', at='2027-01-01', measure=True)\n"
        "print('done')\n"
    )
    found, done = calls(folder, sys.executable, "-c", program, *FILES)
    assert done.stdout == "done\n", done.stderr
    assert found == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("mark", "photo.jpg", "--origin", "created", "-o", "out.jpg", "--overwrite"),
        ("verify", "photo.jpg"),
        ("verify", "aia.jpg", "--trust", "root.pem"),
        ("verify", "remote.jpg"),
        ("verify", *FILES),
        ("identity", "show"),
        ("doctor",),
    ],
)
def test_the_commands_reach_nobody(folder, arguments):
    config = ("--config", "identity/aikz-label.toml")
    command = (sys.executable, "-m", "aikz_label", arguments[0], *arguments[1:], *config)
    found, done = calls(folder, *command)
    assert done.returncode in {0, 1}, done.stderr
    assert [line for line in found if REACHES.search(line) or "AF_INET" in line] == []


def test_an_authority_that_is_named_is_seen(folder, tmp_path):
    """The tests above can fail."""
    tsa = LocalTsa(tmp_path)
    try:
        command = (
            "mark",
            "photo.jpg",
            "--origin",
            "created",
            "-o",
            "stamped.jpg",
            "--tsa",
            tsa.url,
        )
        found, done = calls(
            folder,
            sys.executable,
            "-m",
            "aikz_label",
            *command,
            "--config",
            "identity/aikz-label.toml",
        )
    finally:
        tsa.close()
    assert done.returncode == 0, done.stderr
    reached = {m[1] for line in found for m in re.finditer(r'inet_addr\("([^"]+)"\)', line)}
    assert reached == {"127.0.0.1"}
