"""Scenario II: the DSO as one more participant, with demand response by conservation voltage reduction (CVR).

    Requirements ─▶ technical data (INFO 9) ─▶ test with the real taps ─▶ corrected, if it failed (8.3)
    CallForOffers ─▶ blocks that the forecast allows ─▶ one indivisible offer per tap step

Lower voltage draws less power from voltage-dependent loads (up), higher voltage draws more (down). The first claim of
MW per step uses an assumed CVR factor; after a failed test it is what was measured, and for transformers not yet tested
what the power flow says.
"""

from collections.abc import Iterable, Mapping

from ...grid.voltage.cvr import TapBlock
from ...protocols.information.capacity import (
    ConnectedShare,
    Dynamics,
    QualificationAccepted,
    QualificationProposal,
    Requirements,
    ResourceData,
    TapData,
    TechnicalData,
)
from ...protocols.information.offering import Acceptance, CallForOffers, NoOffer, Offer, Offers, Withdrawal
from ...protocols.information.quantities import Direction
from ...protocols.messages import Agree, Failure, Message, Refuse
from ...protocols.stages import prequalification as stage
from ..actions import Action, Compute, Note, Observe, Say, Wake
from ..agent import Reaction
from ..bsp.bidding import RECORD, RECORD_AFTER_US, SUBMIT
from ..changes import replace
from ..events import Computed, Heard
from ..market.merit_order import floor_to_step
from ..profiles import DsoProfile
from . import own_units
from .own_study import OwnOptions
from .state import DsoState
from .studies import AskTaps, TapOptions

TECHNICAL, BLOCKS = "technical/", "blocks/"
DIRECTIONS: tuple[Direction, ...] = ("up", "down")
KILOWATT = 1e-3


def resource_of(grid: str, transformer: str) -> str:
    """The name of a transformer's voltage reduction as a resource."""
    return f"{grid} cvr {transformer}"


def transformer_of(grid: str, resource: str) -> str:
    """The transformer behind a resource."""
    return resource.removeprefix(f"{grid} cvr ")


def required(profile: DsoProfile, state: DsoState, event: Heard, now_us: int) -> Reaction[DsoState]:
    """The TSO asks for technical data: look at what the taps can do now."""
    asked = event.content
    assert isinstance(asked, Requirements)
    if profile.demand_response is None:
        return state, (Say(event.conversation.id, Refuse(reason="no demand response is offered in this grid")),)
    job = AskTaps(profile.grid, now_us, now_us)
    state = state.with_demand(attempt=asked.attempt)
    return state, (Say(event.conversation.id, Agree()), Compute(TECHNICAL + event.conversation.id, job))


def technical(profile: DsoProfile, state: DsoState, event: Computed) -> Reaction[DsoState]:
    """State the technical data: claimed at first, corrected after a failed test."""
    conversation_id = event.key.removeprefix(TECHNICAL)
    options = event.result
    if event.error is not None or not isinstance(options, TapOptions):
        return state, (Say(conversation_id, Failure(reason=f"the study failed: {event.error}")),)
    response = profile.demand_response
    assert response is not None
    names = [t.name for t in options.transformers]
    found = {(name, way): len(blocks_of(options, name, way)) for name in names for way in response.directions}
    steps = {step_key(name, way): min(response.max_steps, count) for (name, way), count in found.items()}
    claims = {step_key(*each): _claim(profile, state, options, each, steps[step_key(*each)]) for each in found}
    usable = {key: count for key, count in steps.items() if count > 0}
    demand = state.demand
    state = state.with_demand(
        options=options,
        steps=demand.steps.update(usable),
        positions=demand.positions.update({t.name: t.vm_set_pu or t.position for t in options.transformers}),
    )
    state = own_units.joined(profile, state)
    answer = _technical_data(profile, state, usable, claims)
    notes: tuple[Action, ...] = ()
    if demand.attempt > 1:
        evidence = {"name": "technical data corrected", "attempt": demand.attempt, "mw_per_step": claims}
        notes = (Note(stage.STAGE, "8.3", evidence),)
    return state, (*notes, Say(conversation_id, answer))


def step_key(transformer: str, direction: Direction) -> str:
    """What steps and their power are known by."""
    return f"{transformer}|{direction}"


def blocks_of(options: TapOptions, transformer: str, direction: Direction) -> list[TapBlock]:
    """The steps of a transformer that free power, or that draw more, in their order."""
    sign = 1 if direction == "up" else -1
    return [block for block in options.blocks if block.transformer == transformer and sign * block.p_mw > 0]


def _claim(
    profile: DsoProfile, state: DsoState, options: TapOptions, moved: tuple[str, Direction], steps: int
) -> float:
    """MW per step: what was measured; else, after a failed test, what the power flow says; else assumed."""
    measured_mw = state.demand.mw_per_step.get(step_key(*moved))
    if measured_mw is not None or steps == 0:
        return measured_mw or 0.0
    if state.demand.attempt > 1:
        together_mw = sum(abs(block.p_mw) for block in blocks_of(options, *moved)[:steps])
        return floor_to_step(together_mw / steps, KILOWATT)
    assert profile.demand_response is not None
    share_mw = options.import_mw / len(options.transformers)
    return floor_to_step(profile.demand_response.assumed_cvr_factor * share_mw * options.step_percent / 100, KILOWATT)


def _technical_data(
    profile: DsoProfile, state: DsoState, steps: dict[str, int], claims: dict[str, float]
) -> TechnicalData:
    options, response = state.demand.options, profile.demand_response
    assert options is not None
    assert response is not None
    data = tuple(
        TapData(
            transformer=t.name,
            tap_position=t.position,
            tap_min=t.tap_min,
            tap_max=t.tap_max,
            step_percent=options.step_percent,
            seconds_per_step=response.seconds_per_step,
            steps=steps.get(step_key(t.name, "up"), 0),
            mw_per_step=claims.get(step_key(t.name, "up"), 0.0),
            steps_down=steps.get(step_key(t.name, "down"), 0),
            mw_per_step_down=claims.get(step_key(t.name, "down"), 0.0),
        )
        for t in (options.transformers if options.step_percent else ())  # without tap changers there is nothing to tell
    )
    moving = [t.name for t in options.transformers if any(step_key(t.name, way) in steps for way in DIRECTIONS)]
    own = profile.units.resources if profile.units else ()
    return TechnicalData(
        applicant=profile.name,
        product="mFRR",
        attempt=state.demand.attempt,
        transformers=data,
        resources=(*(_resource(profile, one, steps, claims) for one in moving), *own),
        dynamics=_dynamics(profile, steps),
        vm_min_pu=options.vm_min_pu,
        vm_max_pu=options.vm_max_pu,
    )


def _dynamics(profile: DsoProfile, steps: Mapping[str, int]) -> Dynamics:
    """Of the slowest that it offers: its taps step by step, or its own units."""
    assert profile.demand_response is not None
    moving_s = profile.demand_response.seconds_per_step * max(steps.values(), default=1)
    taps = Dynamics(preparation_s=10.0, ramping_s=moving_s, deactivation_s=moving_s)
    if profile.units is None:
        return taps
    both = (taps, profile.units.dynamics)
    return Dynamics(
        preparation_s=max(one.preparation_s for one in both),
        ramping_s=max(one.ramping_s for one in both),
        deactivation_s=max(one.deactivation_s for one in both),
    )


def _resource(
    profile: DsoProfile, transformer: str, steps: Mapping[str, int], claims: Mapping[str, float]
) -> ResourceData:
    share = ConnectedShare(unit=transformer, point=transformer, share=1.0)
    most = {
        way: steps.get(key, 0) * claims.get(key, 0.0) for way in DIRECTIONS for key in (step_key(transformer, way),)
    }
    return ResourceData(
        id=resource_of(profile.grid, transformer),
        kind="transformer",
        grid=profile.grid,
        scheme=(share,),
        max_up_mw=round(most["up"], 6),
        max_down_mw=round(most["down"], 6),
        min_mw=0.0,
    )


def qualified(state: DsoState, event: Heard) -> Reaction[DsoState]:
    """The TSO acknowledges the qualification."""
    proposal = event.content
    assert isinstance(proposal, QualificationProposal)
    known = {f"{v.resource}|{v.direction}": v.max_mw for v in proposal.verdicts if v.max_mw > 0}
    state = state.with_demand(qualified=state.demand.qualified.update(known))
    return state, (Say(event.conversation.id, QualificationAccepted()),)


def called(profile: DsoProfile, state: DsoState, event: Heard, now_us: int) -> Reaction[DsoState]:
    """A call for offers: at the due time, see what the forecast allows."""
    call = event.content
    assert isinstance(call, CallForOffers)
    usable = any(key.endswith(f"|{call.direction}") for key in sorted(state.demand.qualified))
    if call.product != "mFRR" or not usable or not profile.calendar.has(event.topic.period):
        reason = f"nothing qualified for {call.product} {call.direction}"
        return state, (Say(event.conversation.id, NoOffer(reason=reason)),)
    due_us = max(now_us, (event.envelope.reply_by_us or now_us) - profile.submit_before_us)
    wake = Wake(SUBMIT + event.conversation.id, due_us)
    if profile.units is None:
        return state, (wake,)
    calls = state.demand.calls.set(event.conversation.id, call)
    return state.with_demand(calls=calls), (Observe(own_units.AVAILABLE, 1, now_us), wake)


def look(profile: DsoProfile, state: DsoState, conversation_id: str, now_us: int) -> tuple[Action, ...]:
    """The due time has come: what do the taps, and its own units, offer in that period?"""
    period = profile.calendar.period(conversation_id.split("/")[2])
    taps = AskTaps(profile.grid, period.start_us, now_us)
    return (Compute(BLOCKS + conversation_id, own_units.asked(profile, state, conversation_id, taps)),)


def offer(profile: DsoProfile, state: DsoState, event: Computed, now_us: int) -> Reaction[DsoState]:
    """One indivisible offer per tap step, within what is qualified; and those of its own units."""
    conversation_id = event.key.removeprefix(BLOCKS)
    own = event.result if isinstance(event.result, OwnOptions) else None
    options = own.taps if own else event.result
    call, state = _closed(state, conversation_id)
    if event.error is not None or not isinstance(options, TapOptions):
        return state, (Say(conversation_id, NoOffer(reason=f"the study failed: {event.error}")),)
    offers = tuple(_offers(profile, state, options.blocks, conversation_id, now_us))
    if own and call:
        first, period_id = len(options.blocks) + 1, conversation_id.split("/")[2]
        offers += tuple(own_units.offers(profile, call, own.allowed, first, period=period_id, now_us=now_us))
    if not offers:
        return state, (Say(conversation_id, NoOffer(reason="voltage leaves no room")),)
    period = profile.calendar.period(conversation_id.split("/")[2])
    valid_until_us = period.gate_closure_us + 2 * profile.patience.validation_us
    return state, (Say(conversation_id, Offers(offers=offers), valid_until_us),)


def _closed(state: DsoState, conversation_id: str) -> tuple[CallForOffers | None, DsoState]:
    """A call that was kept, and the state without it."""
    call = state.demand.calls.get(conversation_id)
    return call, state if call is None else state.with_demand(calls=state.demand.calls.delete(conversation_id))


def _offers(
    profile: DsoProfile, state: DsoState, blocks: Iterable[TapBlock], conversation_id: str, now_us: int
) -> Iterable[Offer]:
    response = profile.demand_response
    assert response is not None
    period_id, subject = conversation_id.split("/")[2:4]
    direction: Direction = "down" if subject.endswith("-down") else "up"
    period, sign = profile.calendar.period(period_id), 1 if direction == "up" else -1
    left = dict(state.demand.qualified.items())
    for number, block in enumerate(blocks, start=1):
        key = f"{resource_of(profile.grid, block.transformer)}|{direction}"
        quantity_mw = floor_to_step(sign * block.p_mw, KILOWATT)
        if sign * block.p_mw <= 0 or quantity_mw > left.get(key, 0.0) + 1e-9:
            continue
        left[key] -= quantity_mw
        yield Offer(
            offer_id=f"{profile.name}.{period.id}.mFRR-{direction}.{number}",
            participant=profile.name,
            session=period.id,
            product="mFRR",
            direction=direction,
            quantity_mw=quantity_mw,
            min_quantity_mw=quantity_mw,
            divisible=False,
            price_eur_per_mwh=response.price_eur_per_mwh if sign > 0 else response.down_price_eur_per_mwh,
            delivery_start=period.start_us,
            delivery_end=period.end_us,
            grid=profile.grid,
            resource=resource_of(profile.grid, block.transformer),
            submitted_at=now_us,
        )


def awarded(profile: DsoProfile, state: DsoState, event: Heard) -> Reaction[DsoState]:
    """The TSO has accepted blocks: a record is owed after delivery; a late award binds nobody."""
    acceptance = event.content
    assert isinstance(acceptance, Acceptance)
    if event.late:
        late: Message = Withdrawal(reason="the award came after the offer had lapsed")
        return state, (Say(event.conversation.id, late),)
    due_us = profile.calendar.period(event.topic.period).end_us + RECORD_AFTER_US
    demand = replace(state.demand, book=state.demand.book.awarded(acceptance.offers))
    return replace(state, demand=demand), (Wake(RECORD + event.conversation.id, due_us),)
