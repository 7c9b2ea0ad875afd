from __future__ import annotations

import stat

import pytest

from aikz_label import identity
from aikz_label.config import load_config
from aikz_label.errors import ConfigError, TrustError, UsageError
from aikz_label.label import Responsible, Role
from aikz_label.trust import load_trust_list

PARTY = Responsible(name='ЖШС "Үлгі" \\ Ко', role=Role.OWNER, bin="051140000004")


def test_init_writes_what_is_read_back(tmp_path):
    made = identity.create(tmp_path / "new" / "folder", PARTY)
    config = load_config(made.config)
    assert config.responsible == PARTY
    assert config.signer == "file:signer.pem"
    assert config.languages == ("kk", "ru", "en")
    assert [(t.name, t.self_issued) for t in config.trust] == [("local", True)]


def test_keys_are_private_and_never_overwritten(tmp_path):
    made = identity.create(tmp_path, PARTY)
    for name in ("signer.pem", "root-key.pem", "ca-key.pem"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    before = made.signer.read_bytes()
    with pytest.raises(UsageError, match="never overwritten"):
        identity.create(tmp_path, PARTY)
    assert made.signer.read_bytes() == before


def test_no_file_is_an_empty_configuration_but_a_named_one_must_exist(tmp_path):
    assert load_config().responsible is None
    with pytest.raises(ConfigError, match="no configuration"):
        load_config(tmp_path / "aikz-label.toml")


@pytest.mark.parametrize(
    "text",
    [
        "not toml",
        "[unknown]\n",
        "[signer]\nurl = 'file:x'\n",
        "responsible = 1\n",
        "[responsible]\nname = 'x'\n",
        "[responsible]\nname = 'x'\nrole = 'boss'\n",
        "[responsible]\nname = 'x'\nrole = 'owner'\nbin = '051140000005'\n",
        "[responsible]\nname = 1\nrole = 'owner'\n",
        "[system]\nname = ''\n",
    ],
)
def test_a_wrong_value_is_an_error_with_the_file_in_it(tmp_path, text):
    path = tmp_path / "aikz-label.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"aikz-label\.toml"):
        load_config(path)


def test_an_unsupported_language_is_an_error(tmp_path):
    path = tmp_path / "aikz-label.toml"
    path.write_text("[notice]\nlanguages = ['kk', 'de']\n", encoding="utf-8")
    with pytest.raises(UsageError, match="de"):
        load_config(path)


def test_an_edited_file_is_read_again(tmp_path):
    path = tmp_path / "aikz-label.toml"
    path.write_text("[signer]\nuri = 'file:a'\n", encoding="utf-8")
    assert load_config(path).signer == "file:a"
    path.write_text("[signer]\nuri = 'file:bb'\n", encoding="utf-8")
    assert load_config(path).signer == "file:bb"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"garbage",
        b"-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n",
        b"-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n",
        b"-----BEGIN CERTIFICATE-----\nQUJ\n-----END CERTIFICATE-----\n",
    ],
)
def test_a_trust_list_holds_certificates(tmp_path, data):
    path = tmp_path / "roots.pem"
    path.write_bytes(data)
    with pytest.raises(TrustError):
        load_trust_list(path)


def test_text_around_certificates_is_ignored(tmp_path, identity_folder):
    path = tmp_path / "company.pem"
    path.write_bytes(b"Our root:\r\n" + (identity_folder / "root.pem").read_bytes() + b"bye\n")
    found = load_trust_list(path)
    assert found.name == "company"
    assert found.pem.count("BEGIN") == 1
    assert "Our root" not in found.pem
