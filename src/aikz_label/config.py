"""The configuration: who is responsible, which system, signer, languages and trust lists."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

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
    return _read(chosen.absolute(), changed)


@lru_cache(maxsize=8)
def _read(path: Path, changed: int) -> Config:  # noqa: ARG001  # `changed` makes an edited file a new key
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from error
    _check_keys(path, data)
    folder, trust = path.parent, data.get("trust", {})
    lists = []
    if trust.get("local"):
        root = folder / trust["local"]
        if root.exists():
            lists.append(load_trust_list(root, name=LOCAL_LIST, self_issued=True))
    lists += [load_trust_list(folder / name) for name in trust.get("files", ())]
    try:
        return Config(
            folder=folder,
            path=path,
            responsible=Responsible(**data["responsible"]) if "responsible" in data else None,
            system=System(**data["system"]) if "system" in data else None,
            signer=data.get("signer", {}).get("uri", ""),
            languages=check_languages(tuple(data["notice"]["languages"]))
            if data.get("notice", {}).get("languages")
            else (),
            trust=tuple(lists),
        )
    except InvalidLabel as error:
        raise ConfigError(f"{path}: {error}", hint=error.hint) from error
    except TypeError as error:
        raise ConfigError(f"{path}: a value is missing or is not of the right type.") from error


def _check_keys(path: Path, data: Mapping[str, Any]) -> None:
    """A misspelt key would be silently without effect, so it is an error."""
    for table, content in data.items():
        if table not in _KNOWN or not isinstance(content, Mapping):
            raise ConfigError(f"{path}: unknown table [{table}].")
        for key in content:
            if key not in _KNOWN[table]:
                raise ConfigError(f"{path}: unknown key {key!r} in [{table}].")
