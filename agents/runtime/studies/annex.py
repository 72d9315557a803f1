"""The laboratory in a process of its own, for real time: no study, and no power flow that it needs, blocks the loop.

    ask ─▶ one line of JSON ─▶ the process's laboratory ─▶ one line of JSON ─▶ the future that `ask` gave

Jobs are answered in the order asked. They travel as the journal writes values, so nothing that comes back is ever
executed. `serve` is the other end, for the program that the process runs.
"""

import asyncio
import json
import re
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

from ....grid.limits.allowing import Activation
from ....protocols.vocabulary import BUSINESS_USE_CASE
from ...errors import PluginError
from ..memory.journal import TYPES, from_text, from_values, to_text
from .laboratory import STUDIES, Answer, Laboratory, no_study

READY = b"ready\n"
ENDED = "the process for studies has ended"
LINE_LIMIT = 1 << 26
JOB_TYPES: dict[str, type[Any]] = {Activation.__name__: Activation, **{cls.__name__: cls for cls in STUDIES}}


class AnnexError(RuntimeError):
    """The process that computes studies has ended before the run has."""


class Annex:
    """Asks a laboratory in another process; `command` starts it, `added` are types that plugins' studies give."""

    def __init__(self, command: Sequence[str], added: Mapping[str, type[Any]] | None = None) -> None:
        """Nothing runs yet."""
        self._command = tuple(command)
        self._types = {**TYPES, **(added or {})}
        self._asked: deque[tuple[object, asyncio.Future[Answer]]] = deque()
        self._process: asyncio.subprocess.Process | None = None
        self._listening: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the process and wait until its grids are built; AnnexError if it does not come up."""
        pipe = asyncio.subprocess.PIPE
        self._process = await asyncio.create_subprocess_exec(*self._command, stdin=pipe, stdout=pipe, limit=LINE_LIMIT)
        assert self._process.stdout is not None
        if await self._process.stdout.readline() != READY:
            await self.close()
            raise AnnexError(f"the process for studies did not start: {' '.join(self._command)}")
        self._listening = asyncio.create_task(self._listen(self._process.stdout))

    def ask(self, job: object) -> "asyncio.Future[Answer]":
        """Ask for a study; the future holds what `Laboratory.run` gives, or AnnexError.

        PluginError if a plugin's study holds what cannot be told to another process.
        """
        assert self._process is not None
        assert self._process.stdin is not None
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        if self._listening is not None and self._listening.done():  # nobody would ever answer
            answer.set_exception(AnnexError(ENDED))
            return answer
        told = self._told(job)
        self._asked.append((job, answer))
        self._process.stdin.write(told.encode() + b"\n")
        return answer

    def _told(self, job: object) -> str:
        if isinstance(job, STUDIES):
            return to_text(job)
        try:
            told = to_text(job)
            from_text(told, BUSINESS_USE_CASE, {**self._types, **JOB_TYPES, type(job).__name__: type(job)})
        except Exception as error:
            right = "right are numbers, texts, tuples, readings, or types that stand in RESULTS"
            raise PluginError(f"{job!r} holds what the process for studies cannot be told; {right}") from error
        return told

    async def close(self) -> None:
        """End the process."""
        if self._process is None:
            return
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()
        if self._listening is not None:
            await self._listening

    async def _listen(self, answers: asyncio.StreamReader) -> None:
        while line := await answers.readline():
            plain = json.loads(line)
            job, answer = self._asked.popleft()
            if answer.done():  # who has asked waits no more
                continue
            if plain.get("mistake") is not None:
                answer.set_exception(PluginError(_as_here(plain["mistake"], job)))
            elif plain.get("failure") is not None:
                answer.set_exception(AnnexError(plain["failure"]))
            else:
                result = from_values(plain["result"], BUSINESS_USE_CASE, self._types)
                answer.set_result((result, plain["error"]))
        for _, answer in self._asked:
            if not answer.done():
                answer.set_exception(AnnexError(ENDED))


def _as_here(mistake: str, job: object) -> str:
    """A mistake with its file as it is called here; the process has read the copy that stands in the run's folder."""
    code = getattr(getattr(type(job), "run", None), "__code__", None)
    return mistake if code is None else re.sub(r"^.*?\.py(?=:\d+: )", lambda _: str(code.co_filename), mistake)


def serve(laboratory: Laboratory, asked: BinaryIO, answers: BinaryIO) -> None:
    """Answer jobs from one stream on another until the first ends; what is wrong is told too."""
    answers.write(READY)
    answers.flush()
    for line in asked:
        try:
            result, error = laboratory.run(_job(line.decode(), laboratory))
            said = f'{{"result":{to_text(result)},"error":{json.dumps(error)}}}'
        except PluginError as mistake:
            said = json.dumps({"mistake": str(mistake)})
        except Exception as failure:  # noqa: BLE001 - the outermost guard of this process: told to the run, which raises
            said = json.dumps({"failure": f"{type(failure).__name__}: {failure}"})
        answers.write(said.encode() + b"\n")
        answers.flush()


def _job(text: str, laboratory: Laboratory) -> object:
    types = {**TYPES, **JOB_TYPES, **laboratory.results, **{study.__name__: study for study in laboratory.added}}
    try:
        return from_text(text, BUSINESS_USE_CASE, types)
    except KeyError as unknown:
        raise no_study(str(unknown.args[0])) from unknown
