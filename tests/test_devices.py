"""Keys that are somewhere else: in a token (SoftHSM2), in a program, behind a plug-in."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

import pki
from aikz_label import Label, mark, verify
from aikz_label.config import Config
from aikz_label.errors import MissingDependency, SigningError
from aikz_label.label import Responsible
from aikz_label.signing import load_signing_key
from aikz_label.trust import TrustList
from support import encoded, missing, picture, require_tool

PIN, SO_PIN = "1234", "5678"
MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so")
PICTURE = encoded(picture(), "png")


@pytest.fixture(scope="module")
def root():
    return pki.root()


@pytest.fixture(scope="module")
def authority(root):
    return root.issue("Issuing CA", authority=0)


@pytest.fixture
def config(tmp_path):
    return Config(tmp_path, responsible=Responsible(name="Test", role="owner"))


def labelled(signer, config, root):
    done = mark(PICTURE, None, Label(origin="created"), signer=signer, config=config)
    return verify(done.data, trust=[TrustList("test", root.pem)])


def refused(uri, folder, **options):
    with pytest.raises(SigningError) as error:
        load_signing_key(uri, folder, **options)
    assert error.value.hint
    return error.value


# --- pkcs11: ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Hsm:
    """SoftHSM2 with a token of ours."""

    module: str
    folder: Path

    def uri(self, path, **options):
        query = {"module_path": self.module, "pin_source": "env:HSM_PIN"} | options
        return f"pkcs11:{path}?" + "&".join(f"{k.replace('_', '-')}={v}" for k, v in query.items())

    def util(self, *arguments):
        subprocess.run(["softhsm2-util", *arguments], check=True, capture_output=True)

    def new_token(self, label):
        self.util("--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", SO_PIN)

    def put_key(self, token, party, name, number):
        path = self.folder / "key.pem"
        path.write_bytes(party.key_pem)
        self.util(
            "--import", str(path), "--token", token, "--label", name, "--id", number, "--pin", PIN
        )
        path.unlink()

    def put_certificate(self, token, certificate, number):
        path = self.folder / "certificate.der"
        path.write_bytes(certificate.public_bytes(serialization.Encoding.DER))
        tool = [require_tool("pkcs11-tool"), "--module", self.module, "--token-label", token]
        subprocess.run(
            [*tool, "--login", "--pin", PIN, "--type", "cert", "--id", number, "--write-object", path],
            check=True, capture_output=True,
        )  # fmt: skip


@pytest.fixture(scope="module")
def hsm(tmp_path_factory):
    require_tool("softhsm2-util")
    if importable("pkcs11") is None:
        missing("the package python-pkcs11")
    module = next((path for path in MODULES if Path(path).is_file()), None)
    if module is None:
        missing("SoftHSM2's module")
    folder = tmp_path_factory.mktemp("hsm")
    (folder / "tokens").mkdir()
    settings = folder / "softhsm2.conf"
    settings.write_text(f"directories.tokendir = {folder}/tokens\nlog.level = ERROR\n")
    before = {name: os.environ.get(name) for name in ("SOFTHSM2_CONF", "HSM_PIN")}
    os.environ |= {"SOFTHSM2_CONF": str(settings), "HSM_PIN": PIN}
    made = Hsm(module, folder)
    for token in (
        "notary",
        "stick",
        "own",
    ):  # before the module starts, which looks for them only then
        made.new_token(token)
    yield made
    for name, value in before.items():
        os.environ.pop(name) if value is None else os.environ.update({name: value})


def importable(name):
    from importlib.util import find_spec

    return find_spec(name)


@pytest.fixture(scope="module")
def keys(hsm, authority, tmp_path_factory):
    """One key of every kind on the token; their chains in a folder."""
    folder = tmp_path_factory.mktemp("chains")
    made = {}
    for number, kind in enumerate(("es256", "es384", "es512", "ps256", "ed25519"), 1):
        made[kind] = authority.issue(kind=kind)
        hsm.put_key("notary", made[kind], kind, f"0{number}")
        (folder / f"{kind}.pem").write_text("".join(map(pki.pem, made[kind].chain)))
    for number, certificate in (("01", made["es256"].certificate), ("77", authority.certificate)):
        hsm.put_certificate("notary", certificate, number)
    return folder


@pytest.mark.parametrize("kind", ["es256", "es384", "es512", "ps256", "ed25519"])
def test_a_token_signs(hsm, keys, config, root, kind):
    uri = hsm.uri(f"token=notary;object={kind};type=private", x_chain=keys / f"{kind}.pem")
    report = labelled(uri, config, root)
    assert report.verdict == "labelled"
    assert report.marker.signer.algorithm.lower() == kind


def test_the_chain_is_found_on_the_token(hsm, keys, config, root):
    signer = load_signing_key(hsm.uri("token=notary;id=%01"), keys)
    assert signer.chain.count(b"BEGIN") == 2
    assert signer.key == b""
    assert labelled(hsm.uri("token=notary;id=%01"), config, root).verdict == "labelled"
    assert refused(hsm.uri("token=notary;id=%02"), keys).code == "signer-chain"


def test_threads_share_a_session(hsm, keys, config, root):
    signer = load_signing_key(hsm.uri("token=notary;id=%01"), keys)
    wrong = []

    def work():
        wrong.extend(_ for _ in range(10) if len(signer.sign(b"bytes")) != 64)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize(
    ("path", "options", "code", "says"),
    [
        ("token=nobody;object=es256", {}, "signer-device", "No token"),
        ("token=notary;object=nothing", {}, "signer-device", "no such private key"),
        ("token=notary", {}, "signer-device", "Several private keys"),
        ("token=notary;object=es256", {"module_path": "/no/such/module.so"}, "signer-device", "loaded"),
        ("token=notary;object=es256", {"module_path": ""}, "signer-uri", "cannot be understood"),
        ("token=notary;object=es256", {"pin_value": "1234"}, "signer-secret", "process lists"),
        ("token=notary;object=es256", {"pin_source": "env:NOT_SET"}, "signer-secret", "NOT_SET"),
        ("token=notary;object=es256", {"colour": "red"}, "signer-uri", "cannot be understood"),
        ("token=notary;slot-id=0", {}, "signer-uri", "attribute"),
        ("token=notary;type=public", {}, "signer-uri", "attribute"),
        ("token=notary;token=notary", {}, "signer-uri", "attribute"),
    ],
)  # fmt: skip
def test_mistakes_with_a_token(hsm, keys, path, options, code, says, monkeypatch):
    monkeypatch.delenv("NOT_SET", raising=False)
    error = refused(hsm.uri(path, **options), keys)
    assert (error.code, says in error.message) == (code, True)


def test_a_module_must_be_named(keys):
    assert "which PKCS#11 module" in refused("pkcs11:token=x?pin-source=env:X", keys).message


def test_a_wrong_pin_is_tried_once(hsm, tmp_path, monkeypatch):
    """On a token of its own: a process that is logged in to a token already is not asked for its PIN again."""
    from aikz_label.signing import device

    calls = []

    class Counting:
        def __init__(self, token):
            self._token = token

        def __getattr__(self, name):
            return getattr(self._token, name)

        def open(self, **options):
            calls.append(options)
            return self._token.open(**options)

    find = device.Device._token
    monkeypatch.setattr(device.Device, "_token", lambda self: Counting(find(self)))
    monkeypatch.setenv("WRONG", "0000")
    for _ in range(3):
        error = refused(hsm.uri("token=own;object=es256", pin_source="env:WRONG"), tmp_path)
        assert (error.code, "not tried again" in error.message) == ("signer-password", True)
        assert "0000" not in error.message + error.hint
    assert len(calls) == 1


def test_a_token_that_is_unplugged_and_put_back(hsm, authority, config, root, tmp_path):
    party = authority.issue()
    hsm.put_key("stick", party, "k", "09")
    (tmp_path / "chain.pem").write_text("".join(map(pki.pem, party.chain)))
    uri = hsm.uri("token=stick;object=k", x_chain=tmp_path / "chain.pem")
    assert labelled(uri, config, root).verdict == "labelled"
    (folder,) = [
        path for path in (hsm.folder / "tokens").iterdir()
        if b"stick" in b"".join(part.read_bytes() for part in path.glob("token.object"))
    ]  # fmt: skip
    away = hsm.folder / "away"
    folder.rename(away)
    for _ in range(2):  # each file of a batch gets its sentence
        with pytest.raises(SigningError) as error:
            mark(PICTURE, tmp_path / "out.png", Label(origin="created"), signer=uri, config=config)
        assert error.value.code == "signer-device"
        assert error.value.hint
    assert not (tmp_path / "out.png").exists()
    away.rename(folder)
    assert labelled(uri, config, root).verdict == "labelled"


def test_the_pin_is_never_shown(hsm, keys):
    signer = load_signing_key(hsm.uri("token=notary;id=%01"), keys)
    assert PIN not in repr(signer)
    assert PIN not in repr(signer.sign)


def test_without_the_package_it_says_what_to_install(keys, monkeypatch):
    monkeypatch.setitem(sys.modules, "pkcs11", None)
    with pytest.raises(MissingDependency) as error:
        load_signing_key("pkcs11:token=x?module-path=/m.so", keys)
    assert "aikz-label[pkcs11]" in error.value.hint


# --- exec: ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def party(authority, tmp_path):
    party = authority.issue()
    party.write(tmp_path)
    (tmp_path / "chain.pem").write_text("".join(map(pki.pem, party.chain)))
    return party


def program(folder, body, name="sign.py"):
    path = folder / name
    path.write_text(f"#!{sys.executable}\n{textwrap.dedent(body)}")
    path.chmod(0o755)
    return path


OPENSSL = "exec:openssl?chain=chain.pem&arg=dgst&arg=-sha256&arg=-sign&arg={key}"


def test_a_program_signs(party, config, root, tmp_path, monkeypatch):
    require_tool("openssl")
    monkeypatch.chdir(tmp_path)
    uri = OPENSSL.format(key=tmp_path / "signer.pem")
    assert labelled(uri, config, root).verdict == "labelled"
    body = """
        import os, sys
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec, utils
        assert os.environ["AIKZ_LABEL_ALGORITHM"] == "es256"
        key = serialization.load_pem_private_key(open(sys.argv[1], "rb").read(), None)
        r, s = utils.decode_dss_signature(key.sign(sys.stdin.buffer.read(), ec.ECDSA(hashes.SHA256())))
        sys.stdout.buffer.write(r.to_bytes(32) + s.to_bytes(32))
    """
    program(tmp_path, body)  # raw numbers instead of DER; a path relative to where the URI is
    uri = f"exec:./sign.py?chain=chain.pem&arg={tmp_path}/signer.pem"
    assert labelled(uri, config, root).verdict == "labelled"


@pytest.mark.parametrize(
    ("body", "code", "says"),
    [
        ("import sys; sys.exit('the vault is sealed \\x1b[2J')", "signer-program", "the vault is sealed"),
        ("raise SystemExit(3)", "signer-program", "exit code 3: it says nothing"),
        ("pass", "signer-program", "answered with nothing"),
        ("print('signature')", "signer-signature", "not a signature"),
        ("import sys; sys.stdout.buffer.write(bytes(64))", "signer-signature", "not a signature"),
        ("print('x' * 10**6)", "signer-program", "more than a signature"),
        ("import sys; print('x' * 10**6, file=sys.stderr)", "signer-program", "more than a signature"),
        ("import time; time.sleep(60)", "signer-program", "within 0.5 seconds"),
        ("import os; os.close(1); os.close(2); import time; time.sleep(60)", "signer-program", "within"),
    ],
)  # fmt: skip
def test_a_program_that_fails_gives_its_own_message(
    party, config, tmp_path, monkeypatch, body, code, says
):
    monkeypatch.chdir(tmp_path)
    program(tmp_path, body)
    seconds = 0.5 if "sleep" in body else 20  # a busy machine takes a while to start it
    uri = f"exec:./sign.py?chain=chain.pem&timeout={seconds}"
    with pytest.raises(SigningError) as error:
        mark(PICTURE, tmp_path / "out.png", Label(origin="created"), signer=uri, config=config)
    assert (error.value.code, says in error.value.message) == (code, True)
    assert "\x1b" not in error.value.message
    assert error.value.hint
    assert not (tmp_path / "out.png").exists()


def test_a_program_leaves_nothing_running(party, config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    body = """
        import subprocess, sys, time
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        open("child", "w").write(str(child.pid))
        time.sleep(60)
    """
    program(tmp_path, body)
    signer = load_signing_key("exec:./sign.py?chain=chain.pem&timeout=1", tmp_path)
    with pytest.raises(SigningError):
        signer.sign(b"bytes")
    state = Path("/proc", (tmp_path / "child").read_text(), "stat")
    for _ in range(100):  # it was killed; the kernel takes a moment
        if not state.exists() or state.read_text().split(") ")[1][0] == "Z":
            return
        time.sleep(0.05)
    pytest.fail("it still runs")


def test_a_program_with_another_key(party, authority, config, tmp_path, monkeypatch):
    require_tool("openssl")
    monkeypatch.chdir(tmp_path)
    authority.issue().write(tmp_path, "other.pem")
    with pytest.raises(SigningError) as error:
        mark(
            PICTURE,
            None,
            Label(origin="created"),
            signer=OPENSSL.format(key="other.pem"),
            config=config,
        )
    assert error.value.code == "signer-signature"


@pytest.mark.parametrize(
    ("uri", "code"),
    [
        ("exec:no-such-program-here?chain=chain.pem", "signer-program"),
        ("exec:./chain.pem?chain=chain.pem", "signer-program"),
        ("exec:openssl", "signer-chain"),
        ("exec:openssl?chain=chain.pem&timeout=never", "signer-uri"),
        ("exec:openssl?chain=chain.pem&timeout=0", "signer-uri"),
        ("exec:openssl?chain=chain.pem&shell=1", "signer-uri"),
    ],
)
def test_mistakes_with_a_program(party, tmp_path, uri, code):
    assert refused(uri, tmp_path).code == code


# --- plug-ins ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """Install a distribution whose entry points name a module with the given text."""

    def install(text, points="vault = our_vault:open_key"):
        folder = tmp_path / "site"
        metadata = folder / "our_vault-1.dist-info"
        metadata.mkdir(parents=True)
        (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: our-vault\nVersion: 1\n")
        (metadata / "entry_points.txt").write_text(f"[aikz_label.signers]\n{points}\n")
        (folder / "our_vault.py").write_text(textwrap.dedent(text))
        monkeypatch.syspath_prepend(str(folder))
        monkeypatch.delitem(sys.modules, "our_vault", raising=False)

    return install


WORKING = """
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from aikz_label.signing import Opened

    def open_key(uri, secrets):
        data = (uri.base / "signer.pem").read_bytes()
        key = serialization.load_pem_private_key(data, None)
        return Opened(chain=data, sign=lambda text: key.sign(text, ec.ECDSA(hashes.SHA256())))
"""


def test_a_plugin_signs(plugin, party, config, root, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    plugin(WORKING)
    assert labelled("vault:notary", config, root).verdict == "labelled"


def test_a_plugin_cannot_take_over_a_built_in_kind(plugin, party, tmp_path):
    plugin("raise SystemExit", "file = our_vault:open_key")
    assert load_signing_key("file:signer.pem", tmp_path).algorithm == "es256"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("import nothing_like_this", "No module named"),
        ("open_key = lambda uri, secrets: 1 / 0", "division by zero"),
        (WORKING.replace("sign=lambda text", "sign=lambda text: 1 / 0 or None; x=lambda text"), ""),
        (WORKING.replace("key.sign(text,", "(_ for _ in ()).throw(OSError('vault is sealed'))(text,"), "vault is sealed"),
        ("from aikz_label.signing import Opened\nopen_key = lambda u, s: Opened(b'')", "no certificate"),
        (WORKING.replace(", sign=lambda", ") or (lambda").replace("())))", "())))"), "neither a key nor"),
    ],
)  # fmt: skip
def test_a_plugin_that_fails_is_named(plugin, party, config, tmp_path, monkeypatch, text, says):
    monkeypatch.chdir(tmp_path)
    plugin(text)
    with pytest.raises(SigningError) as error:
        mark(PICTURE, None, Label(origin="created"), signer="vault:x", config=config)
    assert says in error.value.message
