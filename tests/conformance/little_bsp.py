"""A BSP of somebody else's make: plain aiomqtt and JSON, written after the AsyncAPI document, without any of our code.

It has one unit, answers at once, and is right in all – unless it is given a flaw.
"""

from __future__ import annotations

import asyncio
import json
import socket
from datetime import UTC, datetime
from typing import Any

import aiomqtt

FLAWS = {
    "application": "it applies with a unit that is slower than the product",
    "test": "it moves later than it declares",
    "schema": "its offers have no price",
    "order": "it reports a delivery before anything has been accepted",
    "late offer": "its offers come after the gate closure",
    "offers": "it offers more than it is qualified for",
    "duplicate": "it answers a copy of a message again",
    "deadline": "it does not answer orders",
    "refusal": "it takes every order, whatever was accepted",
    "limit": "it confirms a limit and goes on as before",
    "cancel": "it confirms a cancel of measurements and goes on with them",
    "identity": "it speaks in another's name",
    "not-understood": "it ignores what it does not understand",
    "roles": "it answers a call of whoever calls",
    "record": "it says nothing of what it has delivered",
    "statement": "it accepts every statement",
}
Message = dict[str, Any]
ENDING = {"gridpact.acceptance/1", "gridpact.rejection/1", "gridpact.agree/1", "gridpact.qualified/1"}
OPENING = {
    "gridpact.test-order/1": "TSO",
    "gridpact.measurement-subscription/1": "TSO DSO",
    "gridpact.call-for-offers/1": "TSO",
    "gridpact.activate/1": "TSO",
    "gridpact.limit-order/1": "TSO",
    "gridpact.statement/1": "TSO",
}
ROLES = {"tso": "TSO", "dso-north": "DSO"}


def instant(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def text_of(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


class LittleBsp:
    """One conversation partner; `speed`: how fast the run goes, `start_s`: the run's time at its beginning."""

    def __init__(self, host: str, port: int, *, speed: float, start: str, flaw: str | None = None) -> None:
        self.name, self.run, self.flaw = "bsp-a", "conformance", flaw
        self._where, self._speed, self._start_s = (host, port), speed, instant(start)
        self._began_s = 0.0
        self._said: dict[str, int] = {}
        self._heard: set[str] = set()
        self._listeners: dict[str, str] = {}
        self._offers: dict[str, Message] = {}
        self._accepted: dict[str, float] = {}
        self._orders: dict[str, tuple[str, float]] = {}
        self._cap_mw = 99.0
        self._tasks: set[asyncio.Task[None]] = set()

    def now_s(self) -> float:
        passed_s = asyncio.get_running_loop().time() - self._began_s if self._began_s else 0.0
        return self._start_s + passed_s * self._speed

    async def wait(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds) / self._speed)

    async def live(self) -> None:
        """Until cancelled."""
        at_once = ((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),)
        who = {"username": self.name, "identifier": f"{self.run}/{self.name}"}
        async with aiomqtt.Client(*self._where, **who, socket_options=at_once) as client:
            self._client = client
            await client.subscribe(f"gridpact/{self.run}/to/{self.name}/from/+", qos=1)
            await client.subscribe(f"gridpact/{self.run}/roll", qos=1)
            try:
                async for message in client.messages:
                    self._take(message.topic.value, json.loads(bytes(message.payload)))
            finally:
                for task in self._tasks:
                    task.cancel()

    def _take(self, topic: str, message: Message) -> None:
        if topic.endswith("/roll"):
            if message["kind"] == "call" and not self._began_s:
                here = {"kind": "presence", "state": "here", "call": message["call"], "number": message["number"]}
                here |= {"clock_us": 0, "scenario": "whatever"}
                self._later(self._client.publish(f"gridpact/{self.run}/presence/{self.name}", json.dumps(here), qos=1))
            elif message["kind"] == "start":
                self._began_s = asyncio.get_running_loop().time() + 0.5
                self._later(self._apply())
        else:
            self._later(self._hear(topic.rpartition("/")[2], message))

    def _later(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _say(self, to: str, about: str, protocol: str, kind: str, content: Message, **rest: Any) -> None:
        side = "i" if about.startswith(f"{self.name}/") else "r"
        number = self._said.get(about, 0)
        self._said[about] = number + 1
        said = {"id": f"{about}#{side}{number}", "sender": self.name, "receiver": to, "protocol": protocol}
        said |= {"conversation_id": about, "in_reply_to": rest.get("answer"), "caused_by": None}
        said |= {"reply_by_us": rest.get("until_us"), "type": f"gridpact.{kind}/1", "content": content}
        if self.flaw == "identity" and kind == "offers":
            said["sender"] = "agg-1"
        stream = "stream/" if kind == "measurement" else ""
        await self._client.publish(f"gridpact/{self.run}/{stream}to/{to}/from/{self.name}", json.dumps(said), qos=1)

    async def _apply(self) -> None:
        await asyncio.sleep(0.6)
        scheme = [{"unit": "unit-a", "point": "bus-9", "bus": "9", "share": 1.0}]
        unit = {"id": "unit-a", "kind": "generator", "grid": "north", "scheme": scheme}
        unit |= {"max_up_mw": 2.5, "max_down_mw": 0.0, "min_mw": 0.0}
        slow_s = 900.0 if self.flaw == "application" else 5.0
        dynamics = {"preparation_s": slow_s, "ramping_s": 10.0, "deactivation_s": 5.0}
        dynamics |= {"min_duration_s": 0.0, "max_duration_s": 3600.0}
        content = {"applicant": self.name, "product": "mFRR", "submitted_at": text_of(self.now_s())}
        content |= {"resources": [unit], "dynamics": dynamics}
        about, until_us = f"{self.name}/prequalification/application/mFRR/tso", int((self.now_s() + 400) * 1e6)
        await self._say("tso", about, "prequalification", "application", content, until_us=until_us)

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
        await getattr(self, f"_on_{name}", self._nothing)(message)

    def _fault(self, sender: str, message: Message) -> str | None:
        kind = message["type"]
        if message["sender"] != sender:
            return f"{sender} speaks in the name of {message['sender']}"
        if kind not in {*OPENING, *ENDING, "gridpact.cancel/1"}:
            return f"unknown type {kind}"
        first = message["id"].endswith("#i0")
        if kind in OPENING and not first:
            return "out of turn"
        if kind in OPENING and ROLES[sender] not in OPENING[kind] and self.flaw != "roles":
            return f"{sender} may not say {kind}"
        if kind == "gridpact.call-for-offers/1" and message["content"]["need_mw"] < 0:
            return "need_mw: must not be below 0"
        return None

    async def _not_understood(self, sender: str, message: Message, reason: str) -> None:
        said = {"id": f"{message['id']}!{self.name}", "sender": self.name, "receiver": sender}
        said |= {"protocol": message["protocol"], "conversation_id": message["conversation_id"]}
        said |= {"in_reply_to": message["id"], "caused_by": None, "reply_by_us": None}
        said |= {"type": "gridpact.not-understood/1", "content": {"message_id": message["id"], "reason": reason}}
        await self._client.publish(f"gridpact/{self.run}/to/{sender}/from/{self.name}", json.dumps(said), qos=1)

    async def _answer(self, message: Message, kind: str, content: Message, until_us: int | None = None) -> None:
        about, protocol = message["conversation_id"], message["protocol"]
        await self._say(message["sender"], about, protocol, kind, content, answer=message["id"], until_us=until_us)

    async def _nothing(self, message: Message) -> None:
        pass

    async def _on_test_order(self, message: Message) -> None:
        order = message["content"]
        await self._answer(message, "agree", {})
        await self.wait(instant(order["start"]) + order["duration_s"] - self.now_s())
        count = int(order["duration_s"] / order["sample_every_s"]) + 1
        samples = []
        for index in range(count):
            offset_s = round(index * order["sample_every_s"], 3)
            late_s = 30.0 if self.flaw == "test" else 0.0
            wanted = [step["p_mw"] for step in order["steps"] if step["offset_s"] + late_s <= offset_s]
            samples.append({"offset_s": offset_s, "p_mw": wanted[-1] if wanted else 0.0})
        await self._answer(message, "test-report", {"resource": order["resource"], "samples": samples})

    async def _on_measurement_subscription(self, message: Message) -> None:
        await self._answer(message, "agree", {})
        about = message["conversation_id"]
        self._listeners[about] = message["sender"]
        while about in self._listeners:
            await self.wait(10 - self.now_s() % 10)
            if about in self._listeners:
                content = {"participant": self.name, "measured_at": text_of(self.now_s()), "p_mw": self._power_mw()}
                content |= {"q_mvar": 0.0, "activated_mw": self._power_mw(), "baseline_mw": 0.0}
                content |= {"set_point_mw": self._power_mw(), "points": []}
                await self._answer(message, "measurement", content)

    def _power_mw(self) -> float:
        ordered_mw = sum(power_mw for _, power_mw in self._orders.values())
        return ordered_mw if self.flaw == "limit" else min(ordered_mw, self._cap_mw)

    async def _on_call_for_offers(self, message: Message) -> None:
        call, period = message["content"], message["conversation_id"].split("/")[2]
        if self.flaw == "late offer":
            await self.wait(message["reply_by_us"] / 1e6 - self.now_s() + 5)
        offer_id = f"{self.name}.{period}.{len(self._offers) + 1}"
        offer = {"offer_id": offer_id, "related_offer_id": None, "revision": 0, "participant": self.name}
        offer |= {"session": period, "product": call["product"], "direction": call["direction"]}
        offer |= {"quantity_mw": 3.0 if self.flaw == "offers" else 2.5, "min_quantity_mw": 0.0, "divisible": True}
        offer |= {"price_eur_per_mwh": 60.0, "delivery_start": call["delivery_start"]}
        offer |= {"delivery_end": call["delivery_end"], "grid": "north", "resource": "unit-a"}
        offer |= {"submitted_at": text_of(self.now_s()), "status": "in_validation"}
        if self.flaw == "schema":
            del offer["price_eur_per_mwh"]
        self._offers[offer_id] = offer
        until_us = int(instant(call["delivery_start"]) * 1e6)
        await self._answer(message, "offers", {"offers": [offer]}, until_us)
        if self.flaw == "order":
            await self._record(message, [offer_id])

    async def _on_acceptance(self, message: Message) -> None:
        offers = message["content"]["offers"]
        self._accepted |= {offer["offer_id"]: offer["quantity_mw"] for offer in offers}
        await self.wait(instant(offers[0]["delivery_end"]) + 30 - self.now_s())
        if self.flaw != "record":
            await self._record(message, [offer["offer_id"] for offer in offers])

    async def _record(self, message: Message, offer_ids: list[str]) -> None:
        told = [{"offer_id": name, "requested_mwh": 0.1, "metered_mwh": 0.1} for name in offer_ids]
        await self._answer(message, "delivery-record", {"baseline": "schedule", "offers": told})

    async def _on_activate(self, message: Message) -> None:
        order = message["content"]
        if self.flaw == "deadline":
            return
        most_mw = min(self._accepted.get(order["offer_id"], 0.0), self._cap_mw)
        if order["power_mw"] > most_mw and self.flaw != "refusal":
            await self._answer(message, "refuse", {"reason": f"{most_mw} MW at most"})
            return
        self._orders[message["conversation_id"]] = (order["offer_id"], order["power_mw"])
        content = {"offer_id": order["offer_id"], "product": order["product"], "status": "activated"}
        await self._answer(message, "activated", content, int((instant(order["end"]) + 60) * 1e6))

    async def _on_limit_order(self, message: Message) -> None:
        limit = message["content"]["limit"]
        offer, self._cap_mw = self._offers[limit["offer_id"]], limit["max_mw"]
        lowered = {**offer, "offer_id": f"{offer['offer_id']}.r1", "related_offer_id": offer["offer_id"]}
        lowered |= {"revision": 1, "quantity_mw": limit["max_mw"], "status": "changes_required"}
        content = {"offer": lowered, "confirmed_mw": limit["max_mw"], "moved": [], "remark": None}
        await self._answer(message, "offer-modified", content)

    async def _on_cancel(self, message: Message) -> None:
        about = message["conversation_id"]
        self._orders.pop(about, None)
        if self.flaw != "cancel":
            self._listeners.pop(about, None)
        await self._answer(message, "cancelled", {})

    async def _on_statement(self, message: Message) -> None:
        ours = all(line["offer_id"] in self._accepted for line in message["content"]["lines"])
        if ours or self.flaw == "statement":
            await self._answer(message, "statement-accepted", {})
        else:
            await self._answer(message, "statement-disputed", {"reason": "not ours", "claimed_eur": "0.00"})
