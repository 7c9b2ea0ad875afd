"""The configuration: who is responsible, which system, signer, languages and trust lists."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

from aikz_label.errors import ConfigError, InvalidLabel
from aikz_label.label import Responsible, System
from aikz_label.texts import check_languages
from aikz_label.trust import TrustList, load_trust_list

FILE_NAME = "aikz-label.toml"
LOCAL_LIST = "local"

_KNOWN = {
    "responsible": {
        "name",
        "role",
        "bin",
        "registration",
        "country",
        "iin",
        "iin_consent",
    },
    "system": {"name", "version"},
    "signer": {"uri"},
    "notice": {"languages"},
    "trust": {"local", "files"},
}


@dataclass(frozen=True, slots=True)
class Config:
    """What the configuration file says; every part may be missing.

    Attributes:
        folder: Where relative paths start.
        path: The file, or `None` when there is none.
        responsible: Who answers for files marked here.
        system: The AI system.
        signer: Signer URI.
        languages: Languages of the notice; empty means the profile's.
        trust: Trust lists that are believed.
    """

    folder: Path
    path: Path | None = None
    responsible: Responsible | None = None
    system: System | None = None
    signer: str = ""
    languages: tuple[str, ...] = ()
    trust: tuple[TrustList, ...] = ()


def user_folder() -> Path:
    """The platform's folder for this user's configuration."""
    from platformdirs import user_config_path  # noqa: PLC0415  # 5 ms that `import` need not pay

    return user_config_path("aikz-label", appauthor=False)


def load_config(path: Path | None = None) -> Config:
    """Read a configuration file, or the user's own when `path` is `None` (which may not exist).

    Raises:
        ConfigError: The file is missing though named, is not TOML, or has an unknown or wrong value.
        TrustError: A trust list it names does not hold.
    """
    chosen = path or user_folder() / FILE_NAME
    try:
        changed = chosen.stat().st_mtime_ns
    except FileNotFoundError:
        if path is None:
            return Config(chosen.parent)
        raise ConfigError(
            f"There is no configuration file {path}.",
            hint="Make one with `aikz-label init --dir DIR`.",
        ) from None
    config, lists = _read(chosen.absolute(), changed)
    return replace(config, trust=tuple(_trust_list(*named) for named in lists)) if lists else config


# Path of a trust list, its name (empty: from the path), and whether it is this machine's own root.
_Named: TypeAlias = tuple[Path, str, bool]


@lru_cache(maxsize=8)
def _read(path: Path, changed: int) -> tuple[Config, tuple[_Named, ...]]:  # noqa: ARG001  # part of the key
    """The file without the trust lists it names: those are looked at every time."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from error
    _check_keys(path, data)
    folder, trust = path.parent, data.get("trust", {})
    local = trust.get("local", "")
    lists: list[_Named] = [(folder / local, LOCAL_LIST, True)] if local else []
    lists += [(folder / name, "", False) for name in trust.get("files", ())]
    try:
        languages = data.get("notice", {}).get("languages", ())
        config = Config(
            folder=folder,
            path=path,
            responsible=Responsible(**data["responsible"]) if "responsible" in data else None,
            system=System(**data["system"]) if "system" in data else None,
            signer=data.get("signer", {}).get("uri", ""),
            languages=check_languages(languages) if languages else (),
        )
    except InvalidLabel as error:
        raise ConfigError(f"{path}: {error}", hint=error.hint) from error
    except TypeError as error:
        raise ConfigError(f"{path}: a value is missing.") from error
    return config, tuple(lists)


def _trust_list(path: Path, name: str, self_issued: bool) -> TrustList:
    try:
        changed = path.stat().st_mtime_ns
    except FileNotFoundError:
        raise ConfigError(
            f"The configuration names a trust list that is not there: {path}.",
            hint="Correct [trust] in the configuration.",
        ) from None
    return _load_list(path, name, self_issued, changed)


@lru_cache(maxsize=32)
def _load_list(path: Path, name: str, self_issued: bool, changed: int) -> TrustList:  # noqa: ARG001
    return load_trust_list(path, name=name, self_issued=self_issued)


def _check_keys(path: Path, data: Mapping[str, Any]) -> None:
    """A misspelt key would be silently without effect, so it is an error; so is a value of the wrong type."""
    for table, content in data.items():
        if table not in _KNOWN or not isinstance(content, Mapping):
            raise ConfigError(f"{path}: unknown table [{table}].")
        for key, value in content.items():
            if key not in _KNOWN[table]:
                raise ConfigError(f"{path}: unknown key {key!r} in [{table}].")
            expected = {"iin_consent": bool, "files": list, "languages": list}.get(key, str)
            good = isinstance(value, expected)
            if good and isinstance(value, list):
                good = all(isinstance(item, str) for item in value)
            if not good:
                raise ConfigError(f"{path}: {key!r} in [{table}] is of the wrong type.")
