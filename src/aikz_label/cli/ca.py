"""`aikz-label ca init`, `issue`, `revoke`, `crl` and `list`: an authority of one's own."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from aikz_label.cli.shared import OK, say, shown

if TYPE_CHECKING:
    from datetime import datetime

    from aikz_label.identity.authority import Authority

ALGORITHMS = ("es256", "es384", "es512", "ed25519", "ps256")
REASONS = (
    "unspecified",
    "key-compromise",
    "affiliation-changed",
    "superseded",
    "cessation",
    "privilege-withdrawn",
)


def add_ca(command: argparse.ArgumentParser) -> None:
    """Add its commands."""
    kinds = command.add_subparsers(title="commands", metavar="COMMAND", required=True)
    about = (
        ("init", _init, "make a root and an issuing authority"),
        ("issue", _issue, "issue a certificate that may sign markers"),
        ("revoke", _revoke, "call a certificate back, and renew the revocation list"),
        ("crl", _crl, "sign the revocation list anew, before it is out of date"),
        ("list", _list, "show what was issued and revoked"),
    )
    made = {}
    for name, run, what in about:
        made[name] = kinds.add_parser(name, help=what, description=what, allow_abbrev=False)
        made[name].add_argument(
            "--dir",
            type=Path,
            metavar="DIR",
            help="the authority's folder (default: the user's configuration folder)",
        )
        made[name].set_defaults(run=run)
    _options_init(made["init"])
    _options_issue(made["issue"])
    made["revoke"].add_argument(
        "certificate", metavar="SERIAL|FILE", help="its number in hexadecimal, or its file"
    )
    made["revoke"].add_argument("--reason", choices=REASONS, default="unspecified")
    made["revoke"].add_argument(
        "--since", metavar="TIME", help="from when on it is not to be believed (default: now)"
    )
    made["revoke"].add_argument(
        "--root-dir",
        type=Path,
        metavar="DIR",
        help="where the root's key is, to call the issuing authority itself back",
    )
    made["crl"].add_argument(
        "--days", type=int, default=30, help="how long it is good (default: 30)"
    )


def _subject_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--name", required=True, help="the organisation")
    command.add_argument("--country", default="KZ", help="two letters (default: KZ)")


def _options_init(command: argparse.ArgumentParser) -> None:
    _subject_options(command)
    command.add_argument(
        "--root-dir",
        type=Path,
        metavar="DIR",
        help="where the root's key goes, such as a medium that is then put away (default: beside the rest)",
    )
    command.add_argument("--algorithm", choices=ALGORITHMS, default="es256")


def _options_issue(command: argparse.ArgumentParser) -> None:
    _subject_options(command)
    command.add_argument(
        "--common-name", default="", metavar="NAME", help="what signs, such as a department"
    )
    command.add_argument("--bin", default="", help="the organisation's BIN, 12 digits")
    command.add_argument("--days", type=int, default=365, help="how long it lives (default: 365)")
    command.add_argument("--algorithm", choices=ALGORITHMS, default="es256")
    where = command.add_mutually_exclusive_group()
    where.add_argument(
        "--csr", type=Path, metavar="FILE", help="certify the key of this request (PKCS#10)"
    )
    where.add_argument(
        "--public-key",
        type=Path,
        metavar="FILE",
        help="certify this public key, PEM or DER, such as one read from a token",
    )
    command.add_argument(
        "-o",
        dest="output",
        type=Path,
        required=True,
        metavar="FILE",
        help="new file for the key and its chain, or for the chain alone when the key is elsewhere",
    )


def _folder(options: argparse.Namespace) -> Path:
    from aikz_label.config import user_folder  # noqa: PLC0415

    return options.dir or user_folder()


def _authority(options: argparse.Namespace) -> Authority:
    from aikz_label.identity.authority import Authority  # noqa: PLC0415

    return Authority(_folder(options))


def _init(options: argparse.Namespace) -> int:
    from aikz_label.identity import authority  # noqa: PLC0415
    from aikz_label.identity.certifying import Subject  # noqa: PLC0415

    folder = _folder(options)
    subject = Subject(options.name, country=options.country)
    made = authority.create(
        folder, subject, root_folder=options.root_dir, algorithm=options.algorithm
    )
    print(f"root           {made.folder / 'root.pem'} (give it to those who shall trust you)")
    print(f"root's key     {(options.root_dir or folder) / 'root-key.pem'} (put it away)")
    print(f"issuing CA     {made.folder / 'ca.pem'}")
    print(f"its key        {made.folder / 'ca-key.pem'} (keep it secret)")
    return OK


def _issue(options: argparse.Namespace) -> int:
    from aikz_label.identity import certifying  # noqa: PLC0415

    made = _authority(options)
    subject = certifying.Subject(options.name, options.common_name, options.country, options.bin)
    key = None
    if options.csr or options.public_key:
        key = certifying.load_public_key(options.csr or options.public_key)
    certifying.refuse_existing(options.output)
    issued = made.issue(subject, days=options.days, algorithm=options.algorithm, key=key)
    if issued.key:
        certifying.write_private(options.output, issued.key + issued.chain)
        print(f"signer  {options.output} (key and chain; keep it secret): file:{options.output}")
    else:
        options.output.write_bytes(issued.chain)
        print(f"chain   {options.output}")
    return OK


def _revoke(options: argparse.Namespace) -> int:
    from aikz_label.identity import certifying  # noqa: PLC0415

    made, since = _authority(options), _since(options.since)
    serial = options.certificate
    if Path(serial).is_file():
        serial = certifying.serial_in(Path(serial))
    if serial.lower().lstrip("0") == f"{made.certificate.serial_number:x}":
        where = options.root_dir or made.folder
        print(f"revocation list of the root  {made.revoke_issuing(where, options.reason, since)}")
        return OK
    entry = made.revoke(serial, options.reason, since)
    print(f"revoked          {entry.serial} ({shown(entry.subject)}) since {entry.revoked}")
    print(f"revocation list  {made.folder / 'crl.pem'}")
    say("give the list to those who trust you: aikz-label trust add crl.pem --replace")
    return OK


def _since(text: str | None) -> datetime | None:
    from aikz_label.asked import moment  # noqa: PLC0415

    return moment(text) if text else None


def _crl(options: argparse.Namespace) -> int:
    print(_authority(options).write_revocation_list(options.days))
    return OK


def _list(options: argparse.Namespace) -> int:
    for entry in _authority(options).register():
        state = (
            f"revoked {entry.revoked} ({entry.reason})" if entry.revoked else f"until {entry.ends}"
        )
        print(f"{entry.serial}  {state}\n  {shown(entry.subject)}")
    return OK
