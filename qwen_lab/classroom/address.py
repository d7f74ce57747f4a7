"""Where a class is found: its address, kept for the next time, and its certificate."""

import ssl
from pathlib import Path

from ..paths import replacing
from ..words import LabError, reason

NEAR = ("127.0.0.1", "localhost")


def check(address: str | None, certificate: str | None, key: str | None) -> None:
    """Raise `LabError` where one of them cannot be used."""
    if address in ("0.0.0.0", "::", ""):
        raise LabError("classroom.address_any", address=address)
    if bool(certificate) != bool(key):
        raise LabError("classroom.certificate_half")
    try:
        if certificate:
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key)
    except (OSError, ValueError) as error:
        told = {"certificate": certificate, "private": key, "reason": reason(error)}
        raise LabError("classroom.certificate_unreadable", **told) from error


def kept(place: Path, given: str | None) -> str:
    """The address that is given, kept for the next time; else the last one."""
    path = place / "address.txt"
    if given:
        with replacing(path) as file:
            file.write(given)
    return path.read_text(encoding="utf-8").strip() if path.exists() else NEAR[0]
