"""TLS certificates for a try, made at the moment by the openssl tool: an authority, the broker, and agents if wanted.

They live for a month, and the authority's key is thrown away once it has signed, so nobody can add another one later.
For anything that lasts use certificates of your own.
"""

from __future__ import annotations

import ipaddress
import shutil
import subprocess
from pathlib import Path

from ..errors import ScenarioError

DAYS = 30
_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


class Authority:
    """A certificate authority that exists for as long as the context."""

    def __init__(self, folder: Path, certificate: Path) -> None:
        """`folder` holds its key for the time being; `certificate` is what others trust. ScenarioError: no openssl."""
        self._key = folder / "authority.key"
        self.certificate = certificate
        subject = ("-subj", "/CN=gridpact authority for a try")
        uses = ("-addext", "keyUsage=critical,keyCertSign,cRLSign")
        _openssl("req", "-x509", *_KEY, "-keyout", self._key, "-out", certificate, "-days", DAYS, *subject, *uses)

    def __enter__(self) -> Authority:
        return self

    def __exit__(self, *_: object) -> None:
        self._key.unlink(missing_ok=True)

    def sign_broker(self, host: str, certificate: Path, key: Path) -> None:
        """A certificate for a broker that is reached as `host` (a name or an IP address), and on this machine."""
        names = {f"DNS:{host}" if _is_name(host) else f"IP:{host}", "DNS:localhost", "IP:127.0.0.1"}
        extensions = f"subjectAltName={','.join(sorted(names))}\nextendedKeyUsage=serverAuth\n"
        self._sign(host, extensions, certificate, key)

    def sign_agent(self, name: str, certificate: Path, key: Path) -> None:
        """A certificate by which an agent shows who it is: its name is the common name."""
        self._sign(name, "extendedKeyUsage=clientAuth\n", certificate, key)

    def _sign(self, name: str, extensions: str, certificate: Path, key: Path) -> None:
        request, wanted = certificate.with_suffix(".csr"), certificate.with_suffix(".ext")
        wanted.write_text(extensions, "utf-8")
        _openssl("req", *_KEY, "-keyout", key, "-out", request, "-subj", f"/CN={name}")
        signer = ("-CA", self.certificate, "-CAkey", self._key, "-CAcreateserial")
        _openssl("x509", "-req", "-in", request, *signer, "-out", certificate, "-days", DAYS, "-extfile", wanted)
        key.chmod(0o600)
        for left in (request, wanted, self.certificate.with_suffix(".srl")):
            left.unlink(missing_ok=True)


def _is_name(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return True
    return False


def _openssl(*arguments: object) -> None:
    tool = shutil.which("openssl")
    if tool is None:
        raise ScenarioError("certificates for a try are made by openssl, which is not installed; install it")
    done = subprocess.run([tool, *map(str, arguments)], capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise ScenarioError(f"openssl {arguments[0]} failed: {said}")
