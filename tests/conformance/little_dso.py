"""A DSO of somebody else's make: plain aiomqtt and JSON, written after the AsyncAPI document, without any of our code.

It has no grid model but its planner's rule of thumb: line 3-8 bears 5.9 MW of units behind it in calm weather, and
4.6 MW when the wind park is at full power. It is right in all – unless it is given a flaw.
"""

from __future__ import annotations

import asyncio
import json
import socket
from typing import Any

import aiomqtt
from little_bsp import instant, text_of

FLAWS = {
    "schema": "its verdicts on capacity have no mode",
    "study": "it qualifies whatever is applied for",
    "room": "it allows nothing but the first offer of a list",
    "merit order": "it allows all of a list",
    "binding": "it cuts, and does not say what binds",
    "refusal": "it judges what is not in its grid",
    "deadline": "it does not answer a list",
    "duplicate": "it answers a copy of a message again",
    "notice": "it does not confirm what has been accepted",
    "measurements": "it asks nobody for measurements",
    "limit": "it never asks for a limit",
    "late limit": "it asks for a limit three minutes too late",
    "relief": "it asks for a limit that is not enough",
    "metered": "it has metered twice of what it was told",
    "identity": "it believes the envelope, not the channel",
    "roles": "it answers questions of whoever asks",
    "not-understood": "it ignores what it does not understand",
    "order": "it gives two verdicts on one list",
}
CALM_MW, WINDY_MW, WIND_MW = 5.9, 4.6, 1.0
THINKS_S = 12.0
BINDING = {"element": "line 3-8", "kind": "loading_percent", "value": 120.0, "limit": 100.0, "case": "rule of thumb"}
ASKED = {
    "gridpact.capacity-request/1",
    "gridpact.merit-order-list/1",
    "gridpact.acceptance-notice/1",
    "gridpact.metered-query/1",
}
Message = dict[str, Any]


class LittleDso:
    """One conversation partner; `speed`: how fast the run goes, `start`: the run's time at its beginning.

    `wary_mw`: from how much wind on it limits, after it has thought about it for a tick.
    """

    def __init__(
        self, host: str, port: int, *, speed: float, start: str, flaw: str | None = None, wary_mw: float = WIND_MW
    ) -> None:
        self.name, self.run, self.flaw, self._wary_mw = "dso-north", "conformance-dso", flaw, wary_mw
        self._where, self._speed, self._start_s = (host, port), speed, instant(start)
        self._began_s = 0.0
        self._said: dict[str, int] = {}
        self._heard: set[str] = set()
        self._accepted: list[Message] = []
        self._told: dict[str, list[Message]] = {}
        self._limited = False
        self._tasks: set[asyncio.Task[None]] = set()

    def now_s(self) -> float:
        passed_s = asyncio.get_running_loop().time() - self._began_s if self._began_s else 0.0
        return self._start_s + passed_s * self._speed

    async def live(self) -> None:
        """Until cancelled."""
        at_once = ((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),)
        who = {"username": self.name, "identifier": f"{self.run}/{self.name}"}
        async with aiomqtt.Client(*self._where, **who, socket_options=at_once) as client:
            self._client = client
            for topic in (f"to/{self.name}/from/+", f"stream/to/{self.name}/from/+", f"plants/to/{self.name}", "roll"):
                await client.subscribe(f"gridpact/{self.run}/{topic}", qos=1)
            try:
                async for message in client.messages:
                    self._take(message.topic.value, json.loads(bytes(message.payload)))
            finally:
                for task in self._tasks:
                    task.cancel()

    def _take(self, topic: str, message: Message) -> None:
        if topic.endswith("/roll"):
            self._roll(message)
        elif "/plants/" in topic:
            self._read(message["reading"])
        elif "/stream/" in topic:
            self._told.setdefault(message["sender"], []).append(message["content"])
        else:
            self._later(self._hear(topic.rpartition("/")[2], message))

    def _roll(self, message: Message) -> None:
        if message["kind"] == "call" and not self._began_s:
            here = {"kind": "presence", "state": "here", "call": message["call"], "number": message["number"]}
            self._later(self._publish(f"presence/{self.name}", here | {"clock_us": 0, "scenario": "whatever"}))
        elif message["kind"] == "start":
            self._began_s = asyncio.get_running_loop().time() + 0.5
            wish = {"kind": "observe", "number": 1, "at_us": int(self.now_s() * 1e6), "source": "grid"}
            wish |= {"every_us": 10_000_000, "until_us": int((self._start_s + 7200) * 1e6)}
            self._later(self._publish(f"plants/from/{self.name}", wish))

    def _later(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _publish(self, topic: str, plain: Message) -> None:
        await self._client.publish(f"gridpact/{self.run}/{topic}", json.dumps(plain), qos=1)

    async def _say(self, to: str, about: str, protocol: str, kind: str, content: Message, **rest: Any) -> None:
        side = "i" if about.startswith(f"{self.name}/") else "r"
        number = self._said.get(about, 0)
        self._said[about] = number + 1
        said = {"id": f"{about}#{side}{number}", "sender": self.name, "receiver": to, "protocol": protocol}
        said |= {"conversation_id": about, "in_reply_to": rest.get("answer"), "caused_by": None}
        said |= {"reply_by_us": rest.get("until_us"), "type": f"gridpact.{kind}/1", "content": content}
        await self._publish(f"to/{to}/from/{self.name}", said)

    async def _answer(self, message: Message, kind: str, content: Message) -> None:
        about, protocol = message["conversation_id"], message["protocol"]
        await self._say(message["sender"], about, protocol, kind, content, answer=message["id"])

    async def _hear(self, sender: str, message: Message) -> None:
        """Drop copies, refuse what cannot be, answer the rest."""
        if message["id"] in self._heard and self.flaw != "duplicate":
            return
        self._heard.add(message["id"])
        kind = message["type"]
        if kind == "gridpact.not-understood/1":
            return
        reason = self._fault(sender, message)
        if reason is not None:
            if self.flaw != "not-understood":
                await self._not_understood(sender, message, reason)
            return
        name = kind.removeprefix("gridpact.").removesuffix("/1").replace("-", "_")
        if kind in ASKED:
            await getattr(self, f"_on_{name}")(message)

    def _fault(self, sender: str, message: Message) -> str | None:
        kind = message["type"]
        if message["sender"] != sender and self.flaw != "identity":
            return f"{sender} speaks in the name of {message['sender']}"
        if kind not in ASKED | {"gridpact.agree/1", "gridpact.limit-followed/1"}:
            return f"unknown type {kind}"
        if kind in ASKED and not message["id"].endswith("#i0"):
            return "out of turn"
        if kind in ASKED and sender != "tso" and self.flaw not in ("roles", "identity"):
            return f"{sender} may not say {kind}"
        if kind == "gridpact.metered-query/1" and not message["content"]["participants"]:
            return "participants: at least one"
        return None

    async def _not_understood(self, sender: str, message: Message, reason: str) -> None:
        said = {"id": f"{message['id']}!{self.name}", "sender": self.name, "receiver": sender}
        said |= {"protocol": message["protocol"], "conversation_id": message["conversation_id"]}
        said |= {"in_reply_to": message["id"], "caused_by": None, "reply_by_us": None}
        said |= {"type": "gridpact.not-understood/1", "content": {"message_id": message["id"], "reason": reason}}
        await self._publish(f"to/{sender}/from/{self.name}", said)

    async def _on_capacity_request(self, message: Message) -> None:
        asked = message["content"]
        (resource,) = asked["resources"]
        inside = resource["grid"] == "north" and resource["scheme"][0]["point"].startswith("unit-")
        if not inside and self.flaw != "refusal":
            await self._answer(message, "refuse", {"reason": f"{resource['id']} is not in our grid"})
            return
        most_mw = resource["max_up_mw"] if self.flaw == "study" else min(resource["max_up_mw"], WINDY_MW)
        verdict = {"resource": resource["id"], "direction": "up", **self._verdict(resource["max_up_mw"], most_mw)}
        content = {"applicant": asked["applicant"], "product": asked["product"], "mode": "separately"}
        content |= {"verdicts": [verdict], "valid_until": text_of(self._start_s + 7200)}
        if self.flaw == "schema":
            del content["mode"]
        await self._answer(message, "agree", {})
        await self._answer(message, "capacity-verdict", content)

    def _verdict(self, asked_mw: float, most_mw: float) -> Message:
        kind = "ok" if most_mw >= asked_mw else "limited" if most_mw > 0 else "excluded"
        bound = None if kind == "ok" or self.flaw == "binding" else BINDING
        return {"verdict": kind, "max_mw": round(most_mw, 6), "binding": bound}

    async def _on_merit_order_list(self, message: Message) -> None:
        if self.flaw == "deadline":
            return
        left_mw, verdicts = (99.0 if self.flaw == "merit order" else CALM_MW), []
        for entry in message["content"]["entries"]:
            known = entry["resource"] in ("unit-a", "unit-b", "unit-c")
            most_mw = max(0.0, min(entry["quantity_mw"], left_mw)) if known else 0.0
            left_mw = 0.0 if self.flaw == "room" else left_mw - most_mw
            verdicts.append({"offer_id": entry["offer_id"], **self._verdict(entry["quantity_mw"], most_mw)})
        await self._answer(message, "agree", {})
        for _ in range(2 if self.flaw == "order" else 1):
            await self._answer(message, "merit-order-verdict", {"verdicts": verdicts, "group_limits": []})

    async def _on_acceptance_notice(self, message: Message) -> None:
        self._accepted = message["content"]["offers"]
        if self.flaw != "notice":
            await self._answer(message, "done", {})
        start = message["content"]["offers"][0]["delivery_start"]
        ask = {"per_point": True, "start": start, "end": text_of(instant(start) + 1200)}
        until_us = int(instant(start) * 1e6)
        for offer in self._accepted if self.flaw != "measurements" else ():
            who = offer["participant"]
            about, protocol = f"{self.name}/activation/delivery/measurements/{who}", "measurements-for-dso"
            await self._say(who, about, protocol, "measurement-subscription", ask, until_us=until_us)

    def _read(self, reading: Message) -> None:
        """When the wind blows, the line bears less."""
        (wind,) = [p_mw for name, p_mw, _ in reading["p_mw"] if name == "WKA 7"]
        if wind > self._wary_mw and self._accepted and not self._limited and self.flaw != "limit":
            self._limited = True
            self._later(self._limit(180.0 if self.flaw == "late limit" else THINKS_S))

    async def _limit(self, wait_s: float) -> None:
        await asyncio.sleep(wait_s / self._speed)
        left_mw, limits = (WINDY_MW + 1.2 if self.flaw == "relief" else WINDY_MW), []
        for offer in self._accepted:
            most_mw = max(0.0, min(offer["quantity_mw"], left_mw))
            left_mw -= most_mw
            if most_mw < offer["quantity_mw"]:
                kind = "cap" if most_mw > 0 else "terminate"
                limit = {"offer_id": offer["offer_id"], "resource": offer["resource"], "direction": "up"}
                limit |= {"kind": kind, "max_mw": round(most_mw, 6), "binding": BINDING, "ground": "measured"}
                limits.append(limit | {"valid_until": offer["delivery_end"]})
        about, until_us = f"{self.name}/activation/delivery/limit-1/tso", int((self.now_s() + 60) * 1e6)
        if limits:
            content = {"limits": limits, "readings": []}
            await self._say("tso", about, "limit", "limit-request", content, until_us=until_us)

    async def _on_metered_query(self, message: Message) -> None:
        entries, factor = [], 2.0 if self.flaw == "metered" else 1.0
        for name in message["content"]["participants"]:
            told = self._told.get(name, [])
            up_mwh = factor * sum(each["activated_mw"] for each in told) * 10 / 3600
            entries.append({"participant": name, "up_mwh": round(up_mwh, 6), "down_mwh": 0.0, "samples": len(told)})
        await self._answer(message, "metered-energy", {"entries": entries})
