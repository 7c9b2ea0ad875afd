from __future__ import annotations

import signal
from pathlib import Path

import pytest

from aikz_label import Label, identity
from aikz_label.config import Config, load_config
from aikz_label.label import Responsible, Role
from support import BIN, PHOTO

# A shell that runs this in the background has its children ignore Ctrl-C, and theirs too; some tests press it.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def identity_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A local identity, made as `aikz-label init` makes it."""
    folder = tmp_path_factory.mktemp("identity")
    party = Responsible(name="ЖШС «Үлгі»", bin=BIN, role=Role.OWNER)
    identity.create(folder, party)
    return folder


@pytest.fixture(scope="session")
def config(identity_folder: Path) -> Config:
    return load_config(identity_folder / "aikz-label.toml")


@pytest.fixture(scope="session")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """Another identity, which nobody here believes."""
    folder = tmp_path_factory.mktemp("stranger")
    identity.create(folder, Responsible(name="OpenAI", role=Role.HOLDER))
    return load_config(folder / "aikz-label.toml")


@pytest.fixture(scope="session")
def photo() -> Path:
    return PHOTO


@pytest.fixture
def label() -> Label:
    return Label(origin="created", system="PhotoGen/2.1", imitates=("appearance",))


@pytest.fixture(autouse=True)
def _no_user_configuration(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No test reads or writes the configuration of whoever runs it."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
