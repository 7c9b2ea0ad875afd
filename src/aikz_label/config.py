"""The configuration: who is responsible, which system, signer, languages and trust lists."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

from aikz_label.errors import ConfigError, InvalidLabel
from aikz_label.label import Origin, Responsible, System
from aikz_label.texts import LANGUAGES, check_languages
from aikz_label.trust import TrustKind, TrustList, list_files, load_trust_list
from aikz_label.values import dataclass, replace

FILE_NAME = "aikz-label.toml"
LOCAL_LIST = "local"
TRUST_FOLDER = "trust"

# A recording for each sentence: language and origin, and `_short` for the one of short sounds.
VOICES = {
    f"{language}_{origin}{form}"
    for language in LANGUAGES
    for origin in Origin
    for form in ("", "_short")
}
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
    "signer": {"uri", "tsa", "tsa_policy", "tsa_failure"},
    "notice": {"languages", "spoken"},
    "voice": VOICES,
    "trust": {"local", "files", "certificates", "time", "revoked", "folder"},
}


_LISTS = {"languages", "files", "certificates", "time", "revoked"}
_SWITCHES = {"iin_consent", "spoken"}


@dataclass(frozen=True, slots=True)
class Config:
    """What the configuration file says; every part may be missing.

    Attributes:
        folder: Where relative paths start.
        path: The file, or `None` when there is none.
        responsible: Who answers for files marked here.
        system: The AI system.
        signer: Signer URI.
        tsa: Address of an authority for time-stamps; empty for none.
        tsa_policy: Policy to ask it for, an object identifier.
        tsa_failure: `fail`, or `without` to mark without a time-stamp when there is none to be had.
        languages: Languages of the notice; empty means the profile's.
        spoken: Whether films get their notice spoken too, where the label declares an imitated voice.
        trust: Trust lists that are believed.
        voices: The user's own recordings for spoken notices: paths by the name of the clip they replace.
        trust_folder: Where `aikz-label trust` keeps lists; `trust` beside the file when empty.
    """

    folder: Path
    path: Path | None = None
    responsible: Responsible | None = None
    system: System | None = None
    signer: str = ""
    tsa: str = ""
    tsa_policy: str = ""
    tsa_failure: str = "fail"
    languages: tuple[str, ...] = ()
    spoken: bool = True
    trust: tuple[TrustList, ...] = ()
    trust_folder: str = ""
    voices: tuple[tuple[str, Path], ...] = ()


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
            nothing = Config(chosen.parent)
            return replace(nothing, trust=tuple(_trust(nothing, ())))
        raise ConfigError(
            f"There is no configuration file {path}.",
            hint="Make one with `aikz-label init --dir DIR`.",
        ) from None
    config, lists = _read(chosen.absolute(), changed)
    return replace(config, trust=tuple(_trust(config, lists)))


# Path of a trust list, what it is believed for, and its name (empty: from the path).
_Named: TypeAlias = tuple[Path, TrustKind, str]
SIGNERS = TrustKind.SIGNERS
_KINDS = {
    "files": SIGNERS,
    "certificates": TrustKind.CERTIFICATES,
    "time": TrustKind.TIME,
    "revoked": TrustKind.REVOKED,
}


@lru_cache(maxsize=8)
def _read(path: Path, changed: int) -> tuple[Config, tuple[_Named, ...]]:  # noqa: ARG001  # part of the key
    """The file without the trust lists it names: those are looked at every time."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from error
    _check_keys(path, data)
    folder, trust, signer = path.parent, data.get("trust", {}), data.get("signer", {})
    local = trust.get("local", "")
    lists: list[_Named] = [(folder / local, SIGNERS, LOCAL_LIST)] if local else []
    lists += [(folder / n, kind, "") for key, kind in _KINDS.items() for n in trust.get(key, ())]
    try:
        languages = data.get("notice", {}).get("languages", ())
        config = Config(
            folder=folder,
            path=path,
            responsible=Responsible(**data["responsible"]) if "responsible" in data else None,
            system=System(**data["system"]) if "system" in data else None,
            signer=signer.get("uri", ""),
            tsa=signer.get("tsa", ""),
            tsa_policy=signer.get("tsa_policy", ""),
            tsa_failure=signer.get("tsa_failure", "fail"),
            languages=check_languages(languages) if languages else (),
            spoken=data.get("notice", {}).get("spoken", True),
            trust_folder=trust.get("folder", ""),
            voices=tuple((name, folder / path) for name, path in data.get("voice", {}).items()),
        )
    except InvalidLabel as error:
        raise ConfigError(f"{path}: {error}", hint=error.hint) from error
    except TypeError as error:
        raise ConfigError(f"{path}: a value is missing.") from error
    return config, tuple(lists)


def trust_folder(config: Config) -> Path:
    """Where `aikz-label trust` keeps lists: a folder for each kind."""
    return config.folder / (config.trust_folder or TRUST_FOLDER)


def _trust(config: Config, lists: tuple[_Named, ...]) -> Iterator[TrustList]:
    for named in lists:
        yield _trust_list(*named)
    folder = trust_folder(config)
    for kind in TrustKind if folder.is_dir() else ():
        for path in list_files(folder / kind):
            yield _trust_list(path, kind, "")


def _trust_list(path: Path, kind: TrustKind, name: str) -> TrustList:
    try:
        changed = path.stat().st_mtime_ns
    except FileNotFoundError:
        raise ConfigError(
            f"The configuration names a trust list that is not there: {path}.",
            hint="Correct [trust] in the configuration.",
        ) from None
    return _load_list(path, kind, name, changed)


@lru_cache(maxsize=64)
def _load_list(path: Path, kind: TrustKind, name: str, changed: int) -> TrustList:  # noqa: ARG001
    return load_trust_list(path, name=name, self_issued=name == LOCAL_LIST, kind=kind)


def _check_keys(path: Path, data: Mapping[str, Any]) -> None:
    """A misspelt key would be silently without effect, so it is an error; so is a value of the wrong type."""
    for table, content in data.items():
        if table not in _KNOWN or not isinstance(content, Mapping):
            raise ConfigError(f"{path}: unknown table [{table}].")
        for key, value in content.items():
            if key not in _KNOWN[table]:
                raise ConfigError(f"{path}: unknown key {key!r} in [{table}].")
            expected = bool if key in _SWITCHES else list if key in _LISTS else str
            good = isinstance(value, expected)
            if good and isinstance(value, list):
                good = all(isinstance(item, str) for item in value)
            if not good:
                raise ConfigError(f"{path}: {key!r} in [{table}] is of the wrong type.")
