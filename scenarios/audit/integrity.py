"""Whether a record is whole: numbered without gaps, in order of time, its references known, its digests right."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise

from ..record.columns import UNTRACKED
from ..record.derived import derived_files
from ..record.manifest import digest, files_of, read_manifest
from ..record.run import Run
from .findings import Rows, Trail, moment_of
from .index import Index


def follow(index: Index, trail: Trail) -> None:
    """Check numbers, order, references, derived files, KPIs and digests."""
    trail.findings += _numbered(index.messages, "messages.jsonl", "sent_at")
    trail.findings += _numbered(index.events, "events.jsonl", "at")
    trail.findings += _referenced(index)
    _derived(index.run, trail)
    _kpis(index, trail)
    trail.findings += _digests(index.run)


def _numbered(rows: Rows, name: str, time: str) -> Iterator[str]:
    for number, row in enumerate(rows):
        if row["sequence"] != number:
            text = f"{name}:{number + 1}: sequence is {row['sequence']}, but should be {number}"
            yield f"{text}: a line was dropped, added or moved"
            return
    for number, (earlier, later) in enumerate(pairwise(rows), start=2):
        if moment_of(later[time]) < moment_of(earlier[time]):
            yield f"{name}:{number}: {time} {later[time]} is before {earlier[time]} of the line above"
            return


def _referenced(index: Index) -> Iterator[str]:
    """Every message has an id of its own, is received after it was sent, and refers to earlier ones."""
    streamed = set(index.run.streams["id"])
    known: dict[str, str] = {}
    for row in index.messages:
        if row["id"] in known:
            yield f"message {row['id']} is recorded twice"
        known[row["id"]] = row["conversation_id"]
        if row["received_at"] is not None and moment_of(row["received_at"]) < moment_of(row["sent_at"]):
            yield f"message {row['id']} is received before it is sent"
        for key in ("in_reply_to", "caused_by"):
            if row[key] is not None and row[key] not in known and row[key] not in streamed:
                step = f"step {row['step']}, " if row["step"] else ""
                yield f"{step}message {row['id']}: {key} names {row[key]}, which was not said before"


def _derived(run: Run, trail: Trail) -> None:
    with trail.doubting("the CSV files cannot be computed from the messages and events"):
        for name, (content, _) in derived_files(run.message_rows, run.event_rows).items():
            if (run.folder / name).read_bytes() != content:
                trail.findings.append(f"{name} is not what follows from messages.jsonl and events.jsonl")


def _kpis(index: Index, trail: Trail) -> None:
    from ..kpis import compute_kpis

    with trail.doubting("kpis.json cannot be computed from the record"):
        again, kept = json.loads(json.dumps(compute_kpis(index))), index.run.kpis
        different = [key for key in sorted({*again, *kept}) if again.get(key) != kept.get(key)]
        if different:
            trail.findings.append(f"kpis.json is not what follows from the record: {', '.join(different)} differ")


def _digests(run: Run) -> Iterator[str]:
    listed = read_manifest(run.folder)["files"]
    for name, described in sorted(listed.items()):
        if not (run.folder / name).is_file():
            yield f"{name} is missing"
        elif digest(run.folder / name) != described["sha256"]:
            yield f"{name} was changed after the run: its digest is not that of manifest.json"
    for name in files_of(run.folder):
        if name not in listed and name not in UNTRACKED:
            yield f"{name} is no file of this run"
