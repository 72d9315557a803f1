"""Scenario II: the DSO follows the TSO's test with its real tap changers, and learns what a step really frees.

TestOrder ─▶ import just before ─▶ taps fully down (or up) in voltage ─▶ samples: import less than before ─▶ taps back
                                                                      └▶ TestReport, and MW per step
"""

from ...grid.readings import Readings
from ...grid.voltage.cvr import TapBlock
from ...protocols.information.capacity import TestOrder, TestReport, TestSample
from ...protocols.information.quantities import US_PER_S, Direction
from ...protocols.messages import Agree, Refuse
from ..actions import TAPS, VOLTAGE, Action, Actuate, Observe, Say, Wake
from ..agent import Reaction
from ..bsp.qualification import TEST_END, TEST_METER, TEST_STEP, too_late
from ..bsp.state import RunningTest
from ..events import Heard
from ..market.merit_order import floor_to_step
from ..profiles import DsoProfile
from . import own_units
from .demand_response import KILOWATT, blocks_of, resource_of, step_key, transformer_of
from .state import DsoState
from .studies import TapOptions


def begin_test(profile: DsoProfile, state: DsoState, event: Heard, now_us: int) -> Reaction[DsoState]:
    """Follow the TSO's test with the real taps, against the import measured just before."""
    order = event.content
    assert isinstance(order, TestOrder)
    known = [resource_of(profile.grid, key.rpartition("|")[0]) for key in sorted(state.demand.steps)]
    of_unit = own_units.owns(profile, order.resource)
    reason = "" if of_unit or order.resource in known else f"{order.resource} is no resource of ours"
    reason = "another test is running" if state.demand.test else reason or too_late(order, now_us)
    if reason:
        return state, (Say(event.conversation.id, Refuse(reason=reason)),)
    end_us = order.start + round(order.duration_s * US_PER_S)
    steps = [Wake(f"{TEST_STEP}{i}", order.start + round(s.offset_s * US_PER_S)) for i, s in enumerate(order.steps)]
    meter = Observe(own_units.TEST if of_unit else TEST_METER, round(order.sample_every_s * US_PER_S), end_us)
    first = () if of_unit else (Observe(TEST_METER, 1, now_us),)
    state = state.with_demand(test=RunningTest(event.conversation.id, order), test_base_mw=None)
    return state, (Say(event.conversation.id, Agree()), *first, *steps, meter, Wake(TEST_END, end_us))


def step_test(profile: DsoProfile, state: DsoState, index: int) -> tuple[Action, ...]:
    """Move the taps as the test says: fully down in voltage (for MW up), fully up, or back."""
    test, options = state.demand.test, state.demand.options
    if test is None or options is None:
        return ()
    p_mw = test.order.steps[index].p_mw
    if own_units.owns(profile, test.order.resource):
        return (own_units.tested(test.order, p_mw),)
    transformer = transformer_of(profile.grid, test.order.resource)
    wanted = state.demand.steps.get(step_key(transformer, _way(p_mw)), 0) if p_mw else 0
    return (order(state, transformer, wanted if p_mw > 0 else -wanted),)


def _way(p_mw: float) -> Direction:
    return "up" if p_mw > 0 else "down"


def order(state: DsoState, transformer: str, steps: int) -> Actuate:
    """What brings a transformer to a number of up blocks (negative: of down blocks): a tap position, or the set-point
    of its regulator in pu.
    """
    options = state.demand.options
    assert options is not None
    start = next(t for t in options.transformers if t.name == transformer)
    blocks = _blocks(options, transformer, steps)
    if start.vm_set_pu is None:
        return Actuate(f"{TAPS}{transformer}", position(state, transformer, steps))
    held_pu = blocks[-1].vm_set_pu if blocks else None
    return Actuate(f"{VOLTAGE}{transformer}", start.vm_set_pu if held_pu is None else held_pu)


def position(state: DsoState, transformer: str, steps: int) -> int:
    """The tap position after a number of up blocks (negative: of down blocks)."""
    options = state.demand.options
    assert options is not None
    start = next(t.position for t in options.transformers if t.name == transformer)
    return start + sum(block.steps for block in _blocks(options, transformer, steps))


def _blocks(options: TapOptions, transformer: str, steps: int) -> list[TapBlock]:
    return blocks_of(options, transformer, "up" if steps >= 0 else "down")[: abs(steps)]


def sample_test(state: DsoState, readings: Readings) -> DsoState:
    """Import less than just before the test is what the taps have freed; readings count for when they were taken."""
    test, import_mw = state.demand.test, sum(p_mw for _, p_mw, _ in readings.interface)
    if test is None:
        return state
    if state.demand.test_base_mw is None or readings.at_us < test.order.start:
        return state.with_demand(test_base_mw=import_mw)
    freed_mw = round(state.demand.test_base_mw - import_mw, 6)
    sample = TestSample(offset_s=(readings.at_us - test.order.start) / US_PER_S, p_mw=freed_mw)
    return state.with_demand(test=test._replace(samples=(*test.samples, sample)))


def end_test(profile: DsoProfile, state: DsoState) -> Reaction[DsoState]:
    """Report, and remember what was measured per step."""
    test = state.demand.test
    if test is None:
        return state, ()
    report = TestReport(resource=test.order.resource, samples=test.samples)
    if own_units.owns(profile, test.order.resource):
        back, said = own_units.tested(test.order, 0.0), Say(test.conversation_id, report)
        return state.with_demand(test=None), (back, said)
    transformer = transformer_of(profile.grid, test.order.resource)
    way = _way(next((step.p_mw for step in test.order.steps if step.p_mw), 0.0))
    steps, sign = state.demand.steps.get(step_key(transformer, way), 0), 1 if way == "up" else -1
    until_s = test.order.steps[-1].offset_s
    held = [sign * sample.p_mw for sample in test.samples if 0.5 * until_s <= sample.offset_s <= until_s]
    measured_mw = floor_to_step(max(0.0, min(held, default=0.0)) / max(1, steps), KILOWATT)
    known = state.demand.mw_per_step.set(step_key(transformer, way), measured_mw)
    return state.with_demand(test=None, mw_per_step=known), (Say(test.conversation_id, report),)
