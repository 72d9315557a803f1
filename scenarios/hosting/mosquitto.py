"""A complete Mosquitto configuration for a scenario: listener with TLS, an identity per agent, and who may do what.

    OUT/mosquitto.conf, acl, passwords           for the broker
    OUT/certificates/                            the broker's own key and certificate
    OUT/credentials/ca.crt, AGENT/password       for the hosts: each gets the folders of its own agents only
                            AGENT/client.crt     … or a certificate

An agent may write as itself only, and only to those with whom its kind has a protocol; it reads what is addressed to
it, who is there, and when the run begins. What is not allowed here is denied by the broker without a word.
"""

from __future__ import annotations

import base64
import getpass
import hashlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...agents.runtime.mqtt.topics import PLANTS, PRESENCE, ROLL, ROOT
from ...protocols.vocabulary import Vocabulary
from ..description.schema import Scenario
from ..errors import RecordError
from ..extension.plugins import vocabulary
from .certificates import Authority
from .host import check_names, taking_part

ITERATIONS, SALT_BYTES = 10_000, 12  # Mosquitto 2.0 takes salts of this length only
LOOPBACK = ("localhost", "127.0.0.1", "::1")
TOPIC_BYTES = 1024
MARK = "# written by gridpact broker"


def write_configuration(scenario: Scenario, out: Path, *, host: str, port: int, by_certificate: bool = False) -> Path:
    """Write the configuration, whole or not at all, and return its folder.

    An earlier configuration of ours is replaced; RecordError if anything else is there or it cannot be written,
    ScenarioError for a name that cannot be a user, or if openssl is missing or refuses.
    """
    check_names(scenario)
    folder = _free(out).resolve()
    with _growing(out, folder) as made:
        for name in ("certificates", "credentials", "state"):
            (made / name).mkdir()
        _write_identities(made, (*taking_part(scenario), PLANTS), host, by_certificate=by_certificate)
        _write(made / "acl", "\n".join(access_rules(scenario)) + "\n")
        _write(made / "mosquitto.conf", "\n".join(_settings(scenario, folder, host, port, by_certificate)) + "\n")
        shutil.rmtree(folder, ignore_errors=True)
        made.rename(folder)
    return folder


def _free(out: Path) -> Path:
    """RecordError if something else than a configuration of ours is there."""
    settings = out / "mosquitto.conf"
    if out.exists() and not out.is_dir():
        raise RecordError(f"{out}: exists and is no folder; name another one")
    if out.exists() and any(out.iterdir()):
        mark = MARK.encode()
        if not settings.is_file() or settings.read_bytes()[: len(mark)] != mark:
            raise RecordError(f"{out}: exists and holds other files than a configuration of ours; name another folder")
    return out


@contextmanager
def _growing(out: Path, folder: Path) -> Iterator[Path]:
    """A hidden folder beside the one to be made, for our user alone; it does not stay."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent, ignore_cleanup_errors=True)
    except OSError as error:
        raise RecordError(f"{out}: cannot be written: {error.strerror}") from None
    with made as name:
        yield Path(name)


def _write(path: Path, text: str) -> None:
    path.write_text(text, "utf-8")
    path.chmod(0o600)


def _write_identities(folder: Path, users: tuple[str, ...], host: str, *, by_certificate: bool) -> None:
    certificates, credentials = folder / "certificates", folder / "credentials"
    with Authority(certificates, credentials / "ca.crt") as authority:
        authority.sign_broker(host, certificates / "broker.crt", certificates / "broker.key")
        hashed = []
        for name in users:
            own = credentials / name
            own.mkdir(mode=0o700)
            if by_certificate:
                authority.sign_agent(name, own / "client.crt", own / "client.key")
            else:
                secret = secrets.token_urlsafe(24)
                _write(own / "password", secret + "\n")
                hashed.append(f"{name}:{password_hash(secret)}\n")
    _write(folder / "passwords", "".join(hashed))


def password_hash(secret: str) -> str:
    """A password as Mosquitto 2 keeps it: `$7$`, iterations, salt and PBKDF2-HMAC-SHA512, the last two in base64."""
    salt = os.urandom(SALT_BYTES)
    key = hashlib.pbkdf2_hmac("sha512", secret.encode(), salt, ITERATIONS, 64)
    return f"$7${ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(key).decode()}"


def _settings(scenario: Scenario, folder: Path, host: str, port: int, by_certificate: bool) -> Iterator[str]:
    most = scenario.hosting.limits
    yield f"{MARK} for {scenario.name}; Mosquitto 2.0 or newer"
    yield f"listener {port}{' 127.0.0.1' if host in LOOPBACK else ''}"
    yield f"certfile {folder / 'certificates' / 'broker.crt'}"
    yield f"keyfile {folder / 'certificates' / 'broker.key'}"
    yield "tls_version tlsv1.2"
    if by_certificate:
        yield f"cafile {folder / 'credentials' / 'ca.crt'}"
        yield "require_certificate true"
        yield "use_identity_as_username true"
    else:
        yield f"password_file {folder / 'passwords'}"
    yield "allow_anonymous false"
    yield f"acl_file {folder / 'acl'}"
    yield "# nobody can take over another agent's session by using its client id"
    yield "use_username_as_clientid true"
    yield "# how much one party may ask; the hosts have limits of their own"
    yield f"max_packet_size {most.message_kb * 1024 + TOPIC_BYTES}"
    yield f"max_connections {2 * len(scenario.participants) + 20}"
    yield "# whoever waits for the run to begin leaves messages unacknowledged, and must hear the roll all the same"
    yield "max_inflight_messages 0"
    yield f"max_queued_messages {most.inbox}"
    yield "set_tcp_nodelay true"
    yield "# what has been accepted survives a restart of the broker"
    yield "persistence true"
    yield f"persistence_location {folder / 'state'}/"
    yield "autosave_interval 30"
    yield "# the user that owns these files"
    yield f"user {getpass.getuser()}"
    yield "log_dest stderr"
    for kind in ("error", "warning", "notice"):
        yield f"log_type {kind}"


def access_rules(scenario: Scenario) -> Iterator[str]:
    """The lines of the access control list, user by user; `+` stands for the name of any run."""
    spoken, base = vocabulary(scenario), f"{ROOT}/+"
    everybody = taking_part(scenario)
    for name in everybody:
        yield f"user {name}"
        for peer in everybody:
            if peer != name and _speak(spoken, _kind(scenario, name), _kind(scenario, peer)):
                yield f"topic write {base}/to/{peer}/from/{name}"
                yield f"topic write {base}/stream/to/{peer}/from/{name}"
        yield f"topic read {base}/to/{name}/from/+"
        yield f"topic read {base}/stream/to/{name}/from/+"
        yield f"topic write {base}/{PLANTS}/from/{name}"
        yield f"topic read {base}/{PLANTS}/to/{name}"
        yield from _seen(base, name, leads=name == scenario.tso)
    yield f"user {PLANTS}"
    yield f"topic read {base}/{PLANTS}/from/+"
    yield f"topic write {base}/{PLANTS}/to/+"
    yield from _seen(base, PLANTS, leads=False)


def _seen(base: str, name: str, *, leads: bool) -> Iterator[str]:
    yield f"topic write {base}/{PRESENCE}/{name}"
    yield f"topic read {base}/{PRESENCE}/+"
    yield f"topic {'readwrite' if leads else 'read'} {base}/{ROLL}"
    yield ""


def _kind(scenario: Scenario, name: str) -> str:
    return scenario.participants[name].kind.upper()


def _speak(spoken: Vocabulary, first: str, second: str) -> bool:
    """Whether two kinds of agents have a protocol between them, whoever begins it."""
    mine, theirs = spoken.roles.get(first, frozenset()), spoken.roles.get(second, frozenset())
    pairs = [(each.initiator, each.respondent) for each in spoken.protocols.values()]
    return any((a in mine and b in theirs) or (b in mine and a in theirs) for a, b in pairs)
