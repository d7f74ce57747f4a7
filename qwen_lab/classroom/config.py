"""What a teacher says of a class at its opening: where it listens, who answers, within what."""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from ..paths import replacing
from ..words import LabError, reason
from .allowance import Limits

NEAR = ("127.0.0.1", "localhost")


@dataclass(frozen=True)
class Config:
    """How a class is opened; `LabError` where its address or its certificate cannot be used.

    `certificate` and `key` are PEM files. `upstream` is the base URL of another server and a model
    of its, or `relay` with all the models that may be asked: then that answers. With `page` the
    lessons run at the class's address, in a browser; on a hub, `make_users` makes accounts.
    """

    limits: Limits = Limits()
    address: str | None = None
    port: int | None = None
    certificate: str | None = None
    key: str | None = None
    upstream: Sequence[str] | None = None
    relay: Sequence[str] | None = None
    page: bool = False
    make_users: bool = False

    def __post_init__(self) -> None:
        if self.address in ("0.0.0.0", "::", ""):
            raise LabError("classroom.address_any", address=self.address)
        if bool(self.certificate) != bool(self.key):
            raise LabError("classroom.certificate_half")
        # Read now: later the files may be out of reach.
        _ = self.tls

    @cached_property
    def tls(self) -> ssl.SSLContext | None:
        """What the certificate's files hold, for a server; None without one."""
        if not self.certificate:
            return None
        try:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(self.certificate, self.key)
        except (OSError, ValueError) as error:
            told = {"certificate": self.certificate, "private": self.key, "reason": reason(error)}
            raise LabError("classroom.certificate_unreadable", **told) from error
        return context

    @property
    def scheme(self) -> str:
        return "https://" if self.certificate else "http://"

    @property
    def hosts(self) -> list[str]:
        """The names that a request may be for."""
        return [*NEAR, *([self.address] if self.address else ())]

    def kept(self, place: Path) -> "Config":
        """With its address kept for the next time; where none is given, with the last one."""
        path = place / "address.txt"
        if self.address:
            with replacing(path) as file:
                file.write(self.address)
        known = path.read_text(encoding="utf-8").strip() if path.exists() else NEAR[0]
        return replace(self, address=known)
