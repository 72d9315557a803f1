"""Where a broker is, and as whom somebody connects to it: `mqtt://host:1883`, `mqtts://host:8883`.

A secret never stands in an address or a scenario. It lies in a folder of its agent, as `gridpact broker` makes it:

    CREDENTIALS/AGENT/password          or    CREDENTIALS/AGENT/client.crt and client.key
    CREDENTIALS/ca.crt                        whom to trust as the broker (else: what the system trusts)
"""

import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from ...errors import BrokerError

PORTS = {"mqtt": 1883, "mqtts": 8883}


@dataclass(frozen=True)
class BrokerAddress:
    """A broker's host and port, and whether TLS protects the way there."""

    host: str
    port: int
    tls: bool

    def __str__(self) -> str:
        """The address as a URL."""
        return f"mqtt{'s' if self.tls else ''}://{self.host}:{self.port}"

    @classmethod
    def parse(cls, url: str) -> "BrokerAddress":
        """Read a URL; BrokerError says what would be right."""
        right = "write mqtt://HOST[:1883] or mqtts://HOST[:8883]"
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise BrokerError(f"--broker {url}: {error}; {right}") from None
        if parts.scheme not in PORTS or not host or parts.path.strip("/") or parts.query:
            raise BrokerError(f"--broker {url}: this is no address of a broker; {right}")
        if parts.username or parts.password:
            raise BrokerError(f"--broker {parts.scheme}://{host}: no secrets in an address; use --credentials FOLDER")
        return cls(host, port or PORTS[parts.scheme], parts.scheme == "mqtts")


@dataclass(frozen=True)
class Identity:
    """As whom somebody connects: the name, a password or a client certificate, and whom it trusts."""

    name: str
    password: str | None = None
    certificate: tuple[Path, Path] | None = None
    authority: Path | None = None

    @classmethod
    def from_folder(cls, name: str, folder: Path | None) -> "Identity":
        """The identity of an agent from a folder of credentials (None: a broker that asks for none).

        BrokerError if the folder holds nothing for the agent.
        """
        if folder is None:
            return cls(name)
        own, authority = folder / name, folder / "ca.crt"
        trusted = authority if authority.is_file() else None
        certificate = own / "client.crt", own / "client.key"
        if all(file.is_file() for file in certificate):
            return cls(name, certificate=certificate, authority=trusted)
        secret = own / "password"
        if not secret.is_file():
            raise BrokerError(f"{folder}: no credentials of {name}: {secret} or {certificate[0]} should be there")
        return cls(name, secret.read_text("utf-8").strip(), authority=trusted)

    def tls_context(self) -> ssl.SSLContext:
        """TLS 1.2 or newer, which checks the broker's certificate and name; BrokerError for unusable files."""
        try:
            context = ssl.create_default_context(cafile=self.authority)
            if self.certificate is not None:
                context.load_cert_chain(*self.certificate)
        except (OSError, ssl.SSLError) as error:
            raise BrokerError(f"the certificates of {self.name} cannot be used: {error}") from None
        return context
