"""The manifest of a run directory: which format and version, and the digest and rows of every file.

It lets a reader tell a run from any other folder, an old version from a damaged one, and an audit see any change.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import RecordError
from .columns import FORMAT, FORMAT_VERSION, UNTRACKED

NAME = "manifest.json"
PART_FORMAT = "gridpact-part"


def files_of(folder: Path) -> Iterator[str]:
    """Every file below a folder, as a relative name with slashes, sorted."""
    yield from sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def digest(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def describe(folder: Path, rows: Mapping[str, int], head: Mapping[str, str]) -> dict[str, Any]:
    """The manifest of a finished folder; `rows` by file name, `head` what else is to be said of the run."""
    files: dict[str, dict[str, Any]] = {}
    for name in files_of(folder):
        if name not in UNTRACKED:
            files[name] = {"sha256": digest(folder / name)} | ({"rows": rows[name]} if name in rows else {})
    return {"format": FORMAT, "format_version": FORMAT_VERSION, **head, "files": files}


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a run directory; RecordError if it is not one, or one of another version."""
    path = folder / NAME
    if folder.is_file():
        raise RecordError(f"{folder}: this is a file, but a run directory is a folder that `gridpact run` makes")
    if not folder.is_dir():
        raise RecordError(f"{folder}: there is no such run directory; `gridpact run SCENARIO --out {folder}` makes one")
    if not path.is_file():
        raise RecordError(f"{folder}: this is no run directory: it has no {NAME}; `gridpact run` makes one")
    try:
        manifest = json.loads(path.read_text("utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError):
        raise RecordError(f"{path}:1: the manifest is damaged: it is no JSON; run the scenario again") from None
    _check(path, manifest)
    return dict(manifest)


def _check(path: Path, manifest: Any) -> None:
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise RecordError(f'{path}:1: this is no run of gridpact: format should be "{FORMAT}"')
    version = manifest.get("format_version")
    if version != FORMAT_VERSION:
        age = "an older" if isinstance(version, int) and version < FORMAT_VERSION else "another"
        text = f"the run has format version {version}, {age} one than {FORMAT_VERSION}, which this gridpact reads"
        raise RecordError(f"{path}:1: {text}; run the scenario again")
    files = manifest.get("files")
    if not isinstance(files, dict) or not all(isinstance(file, dict) and "sha256" in file for file in files.values()):
        raise RecordError(f"{path}:1: the manifest is damaged: it lists no files; run the scenario again")


def is_run(folder: Path) -> bool:
    """Whether a folder is a run of ours, of whatever version, with nothing in it that a run does not hold."""
    try:
        manifest = json.loads((folder / NAME).read_text("utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError):
        return False
    if not isinstance(manifest, dict) or manifest.get("format") not in (FORMAT, PART_FORMAT):
        return False
    files = manifest.get("files")
    known = {*(files if isinstance(files, dict) else ()), *UNTRACKED}
    return all(name in known for name in files_of(folder))
