"""Every file of a run directory, with columns and units: what writer, reader and docs/record.md share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

FORMAT = "gridpact-run"
FORMAT_VERSION = 2
PLANT = "plant:"
Kind = Literal["text", "integer", "number", "time", "boolean", "json"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column or key: its name, what it holds, in which unit, and what it means."""

    name: str
    kind: Kind
    meaning: str
    unit: str = ""


@dataclass(frozen=True)
class Table:
    """One file of a run directory."""

    file: str
    meaning: str
    columns: tuple[Column, ...]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The columns' names in order."""
        return tuple(column.name for column in self.columns)


_AT = Column("at", "time", "when")
_OFFER = Column("offer_id", "text", "the offer")
_PRODUCT = Column("product", "text", "FCR, aFRR or mFRR")
_DIRECTION = Column("direction", "text", "up (more injection or less load) or down")
_PRICE = Column("price_eur_per_mwh", "number", "up: the TSO pays it; down: the participant pays it", "EUR/MWh")
_NO_PRICE = "0: it has none, or it is a penalty (`market.afrr.penalty_eur_per_mwh`)"
_RESOURCE = Column("resource", "text", "unit, pool or transformer")
_ADDRESS = (
    Column("sent_at", "time", "when it was sent"),
    Column("received_at", "time", "when it was received; null if it was lost"),
    Column("sender", "text", "agent that says it"),
    Column("receiver", "text", "agent it is said to"),
    Column("sender_role", "text", "TSO, DSO, BSP or AGGREGATOR"),
    Column("receiver_role", "text", "TSO, DSO, BSP or AGGREGATOR"),
    Column("performative", "text", "FIPA communicative act"),
    Column("protocol", "text", "interaction protocol, by the name of its table"),
    Column("conversation_id", "text", "initiator/stage/period/subject/peer"),
    Column("in_reply_to", "text", "id of the message of this conversation that it answers"),
    Column("caused_by", "text", "id of the message of another conversation that led to it"),
    Column("reply_by", "time", "until when the next message is wanted"),
    Column("stage", "text", "prequalification, reserve, offering, activation or settlement"),
    Column("step", "text", "figure.step of the paper, null where it has none"),
    Column("info", "text", "INFO 1 to 10, or null"),
    Column("type", "text", "versioned type id of the content"),
)
_ID = Column("id", "text", "conversation id, # and the speaker's running number")
MESSAGES = Table(
    "messages.jsonl",
    "negotiation messages, one JSON object per line, in the order of sending",
    (
        _ID,
        Column("sequence", "integer", "running number, gap-free, in the order of sending"),
        *_ADDRESS,
        Column("content", "json", "the message itself; `gridpact schema messages` describes each type"),
    ),
)
EVENTS = Table(
    "events.jsonl",
    "steps without a message, one JSON object per line, in order of time",
    (
        Column("sequence", "integer", "running number, gap-free"),
        Column("agent", "text", "who did it; `plant:<grid>`: physics, which is no party (trips, overloads)"),
        _AT,
        Column("stage", "text", "stage of the business use case"),
        Column("step", "text", "figure.step of the paper, null where it has none"),
        Column("evidence", "json", "what was done (`name`) and on what grounds"),
    ),
)
STREAMS = Table(
    "streams.parquet",
    "high-rate messages, one row per receiver: real-time information (INFO 7) and set-points (INFO 6)",
    (
        _ID,
        *_ADDRESS,
        Column("participant", "text", "whose power was measured"),
        Column("measured_at", "time", "when it was measured"),
        Column("p_mw", "number", "active power, + is injection", "MW"),
        Column("q_mvar", "number", "reactive power, + is injection", "MVAr"),
        Column("activated_mw", "number", "part of p_mw that is activation, + is up", "MW"),
        Column("baseline_mw", "number", "what it would be without activation", "MW"),
        Column("set_point_mw", "number", "last set-point seen, + is up", "MW"),
        Column("points", "json", "power at each connection point, if asked for", "MW, MVAr"),
        _PRODUCT,
        Column("kind", "text", "set-point or terminate"),
        Column("power_mw", "number", "set-point for all offers of the receiver under control, + is up", "MW"),
    ),
)
OFFERS = Table(
    "offers.csv",
    "every offer and every revision of one, in the order of sending",
    (
        _OFFER,
        Column("related_offer_id", "text", "the offer that this one revises"),
        Column("revision", "integer", "0 for an offer, then counting"),
        Column("participant", "text", "who offers"),
        Column("grid", "text", "the grid it is connected to"),
        _RESOURCE,
        _PRODUCT,
        _DIRECTION,
        Column("quantity_mw", "number", "size", "MW"),
        Column("min_quantity_mw", "number", "least that may be taken", "MW"),
        Column("divisible", "boolean", "whether less than all may be taken"),
        _PRICE,
        Column("delivery_start", "time", "start of the delivery period"),
        Column("delivery_end", "time", "end of the delivery period"),
        Column("submitted_at", "time", "when the participant submitted it"),
        Column("status", "text", "status in the message that carries it"),
        Column("message_id", "text", "that message"),
        Column("accepted_mw", "number", "what was accepted of it; empty if nothing was", "MW"),
        Column("reason", "text", "why it was rejected"),
    ),
)
MERIT_ORDER = Table(
    "merit_order.csv",
    "merit order lists as the TSO built them: offered, then allowed by the DSO, then accepted",
    (
        Column("period", "text", "start of the delivery period"),
        _PRODUCT,
        _DIRECTION,
        Column("rank", "integer", "place in the list, 1 is taken first"),
        _OFFER,
        Column("participant", "text", "who offers"),
        Column("grid", "text", "the grid it is connected to"),
        _RESOURCE,
        _PRICE,
        Column("offered_mw", "number", "as offered", "MW"),
        Column("allowed_mw", "number", "after the DSO's validation, if it takes part", "MW"),
        Column("accepted_mw", "number", "what the need leaves of it", "MW"),
        Column("binding", "text", "the constraint that limits it"),
    ),
)
ACTIVATIONS = Table(
    "activations.csv",
    "activation orders (INFO 6) and what became of them",
    (
        Column("message_id", "text", "the order"),
        _OFFER,
        Column("participant", "text", "who is to deliver"),
        _PRODUCT,
        _DIRECTION,
        Column("power_mw", "number", "ordered", "MW"),
        Column("start", "time", "delivery from"),
        Column("end", "time", "delivery until"),
        Column("supersedes", "text", "the order it replaces"),
        Column("sent_at", "time", "when it was sent"),
        Column("received_at", "time", "when it was received; empty if it was lost"),
        Column("confirmed_at", "time", "when the confirmation was sent"),
        Column("ended_at", "time", "when its end was told"),
        Column("ended_by", "text", "delivered, superseded, cancelled, refused or failed"),
    ),
)
LIMITS = Table(
    "limits.csv",
    "real-time limits of DSOs (INFO 8) and how they were followed",
    (
        Column("message_id", "text", "the DSO's request"),
        Column("dso", "text", "who limits"),
        Column("sent_at", "time", "when the DSO sent it"),
        Column("received_at", "time", "when the TSO received it"),
        _OFFER,
        Column("participant", "text", "who is limited"),
        _RESOURCE,
        _DIRECTION,
        Column("kind", "text", "cap or terminate"),
        Column("max_mw", "number", "the most it may still deliver; without an element and not lower: a lift", "MW"),
        Column("element", "text", "binding element"),
        Column("quantity", "text", "loading_percent, vm_max_pu, vm_min_pu or no_solution"),
        Column("value", "number", "in the DSO's study, all orders on and this one without the limit", "% or pu"),
        Column("bound", "number", "what it may be", "% or pu"),
        Column("ground", "text", "measured: it is beyond its bound now; expected: it would be; empty for a lift"),
        Column("valid_until", "time", "end of the limit"),
        Column("ordered_at", "time", "when the TSO passed it on"),
        Column("order_received_at", "time", "when the participant received it"),
        Column("modified_at", "time", "when the participant sent its modification"),
        Column("confirmed_mw", "number", "MW ordered of the resource when it confirmed, never above max_mw", "MW"),
        Column("followed_at", "time", "when the TSO confirmed to the DSO"),
    ),
)
SETTLEMENT = Table(
    "settlement.csv",
    "every payment with both sides",
    (
        Column("period", "text", "start of the delivery period"),
        _OFFER,
        Column("kind", "text", "balancing_energy, capacity, penalty, imbalance, neutrality or limit_compensation"),
        Column("payer", "text", "who pays (a negative amount: who is paid)"),
        Column("payee", "text", "who is paid"),
        _PRODUCT,
        _DIRECTION,
        Column("settled_on", "text", "requested, metered, kept, withheld (by a limit), not delivered, imbalance price"),
        Column("energy_mwh", "number", "energy; of a penalty what is missing", "MWh"),
        Column(_PRICE.name, "number", f"{_PRICE.meaning}; {_NO_PRICE}", "EUR/MWh"),
        Column("capacity_mw_h", "number", "reserve kept", "MW·h"),
        Column("price_eur_per_mw_h", "number", "for each MW and hour of reserve", "EUR/(MW·h)"),
        Column("amount_eur", "text", "amount, exact to the cent", "EUR"),
    ),
)
JOURNAL = Table(
    "journal.jsonl.gz",
    "every input of every agent, one JSON object per line, from which `gridpact replay` rebuilds what they said; the "
    "arrival of a streamed message names its row in streams.parquet, from 0; empty with `journal: false`",
    (
        Column("sequence", "integer", "running number, gap-free"),
        Column("agent", "text", "who got it"),
        _AT,
        Column("input", "json", "the input"),
    ),
)
TELEMETRY = Table(
    "telemetry.parquet",
    "the area, every participant and every grid, one row per tick; where it is wide and long, it is a folder of "
    "files of that name, which pandas and Arrow read alike",
    (
        _AT,
        Column("frequency_hz", "number", "frequency of the area, sampled at the tick", "Hz"),
        Column("lowest_hz", "number", "lowest frequency since the row before", "Hz"),
        Column("highest_hz", "number", "highest frequency since the row before", "Hz"),
        Column("ace_mw", "number", "area control error, + is surplus", "MW"),
        Column("fcr_mw", "number", "frequency containment reserve delivered", "MW"),
        Column("disturbance_mw", "number", "sum of the disturbances so far", "MW"),
        Column("tie_mw", "number", "export to neighbouring areas beyond the schedule; only where there are any", "MW"),
        Column("<area>.frequency_hz", "number", "frequency of a neighbouring area", "Hz"),
        Column("<area>.ace_mw", "number", "its area control error", "MW"),
        Column("demand_mw", "number", "the TSO's demand for activation of mFRR, + is up", "MW"),
        Column("afrr_demand_mw", "number", "the TSO's demand for aFRR, + is up; only where there is aFRR", "MW"),
        Column("redispatched_mw", "number", "what limits keep from being ordered", "MW"),
        Column("redispatch_eur_per_h", "number", "price of what is ordered less that of what would be", "EUR/h"),
        Column("<agent>.set_point_mw", "number", "ordered by the TSO, + is up", "MW"),
        Column("<agent>.channel_low_mw", "number", "aFRR: the least to be delivered, without tolerance", "MW"),
        Column("<agent>.channel_high_mw", "number", "aFRR: the most that is paid, without tolerance", "MW"),
        Column("<agent>.applied_mw", "number", "set-point as the participant applies it", "MW"),
        Column("<agent>.limit_up_mw", "number", "limit in force for up; empty if there is none", "MW"),
        Column("<agent>.limit_down_mw", "number", "limit in force for down; empty if there is none", "MW"),
        Column("<agent>.p_mw", "number", "measured active power, + is injection", "MW"),
        Column("<agent>.q_mvar", "number", "measured reactive power, + is injection", "MVAr"),
        Column("<agent>.activated_mw", "number", "measured change from the baseline, + is up", "MW"),
        Column("<agent>.baseline_mw", "number", "what it would be without activation", "MW"),
        Column("<agent>.units_mw", "number", "scenario II: that of units which the DSO itself operates, + is up", "MW"),
        Column("<agent>.reserve_mw", "number", "containment reserve (FCR) in force, in either direction", "MW"),
        Column("<grid>.interface_p_mw", "number", "import from transmission", "MW"),
        Column("<grid>.interface_q_mvar", "number", "import from transmission", "MVAr"),
        Column("<grid>.worst_loading_percent", "number", "of the branch loaded most by its own limit", "%"),
        Column("<grid>.vm_min_pu", "number", "lowest voltage of the buses below the source", "pu"),
        Column("<grid>.vm_max_pu", "number", "highest voltage of the buses below the source", "pu"),
        Column("<grid>.losses_mw", "number", "of lines, transformers and all else that carries power", "MW"),
        Column("<grid>.load_recovery_mw", "number", "drawn by loads beyond their voltage's, after tap steps", "MW"),
        Column("<grid>.out_of_service", "number", "lines and transformers that protection has taken out"),
        Column("<grid>.lost_load_mw", "number", "what loads without supply would draw at 1 pu", "MW"),
        Column("<grid>.lost_generation_mw", "number", "what generators without supply would inject", "MW"),
        Column("<grid>.violations", "number", "limits that are violated: a loading or a voltage each"),
        Column("<grid>.loading_limit_percent", "number", "what that line or transformer may be loaded with", "%"),
        Column("<grid>.shadow_loading_percent", "number", "the same, had limits not cut any order", "%"),
        Column("<grid>.shadow_vm_min_pu", "number", "the same, had limits not cut any order", "pu"),
        Column("<grid>.shadow_vm_max_pu", "number", "the same, had limits not cut any order", "pu"),
        Column("<grid>.shadow_violations", "number", "the same, had limits not cut any order"),
        Column("<grid>.shadow_limit_percent", "number", "loading_limit_percent, had limits not cut any order", "%"),
    ),
)
STATES = Table(
    "states/<grid>.parquet",
    "what makes the grid reproducible, one row per tick (wide and long: a folder as above); `gridpact network` "
    "turns a row into a pandapower network",
    (
        _AT,
        Column("converged", "number", "1 if there was a power flow, else 0"),
        Column("load.<index>.p_mw", "number", "power drawn at the voltage of that moment", "MW"),
        Column("load.<index>.q_mvar", "number", "power drawn at the voltage of that moment", "MVAr"),
        Column("sgen.<index>.p_mw", "number", "power injected, connection points of participants included", "MW"),
        Column("sgen.<index>.q_mvar", "number", "power injected, connection points of participants included", "MVAr"),
        Column("storage.<index>.p_mw", "number", "power drawn", "MW"),
        Column("storage.<index>.q_mvar", "number", "power drawn", "MVAr"),
        Column("trafo.<index>.tap_pos", "number", "tap position"),
        Column("switch.<index>.closed", "number", "1 if closed, else 0"),
        Column("line.<index>.in_service", "number", "1 if in service, 0 if protection or the file has it out"),
        Column("trafo.<index>.in_service", "number", "the same; `trafo3w` for three windings"),
        Column("ext_grid.<index>.vm_pu", "number", "voltage of the source", "pu"),
    ),
)
DERIVED = (OFFERS, MERIT_ORDER, ACTIVATIONS, LIMITS, SETTLEMENT)
TABLES = (MESSAGES, EVENTS, STREAMS, *DERIVED, TELEMETRY, STATES, JOURNAL)
UNTRACKED = frozenset({"timing.json", "report.html", "manifest.json"})
