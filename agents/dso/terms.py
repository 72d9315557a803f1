"""On which terms a DSO looks for limits: what has been agreed with the TSO, and what its own policy makes of it.

capacity requested, list received, readings taken ─▶ Question ─▶ policy ─▶ Terms ─▶ study
"""

from collections.abc import Iterable

from ...grid.limits.allowing import Activation
from ...protocols.information.offering import MolEntry
from ..profiles import DsoProfile
from ..strategies.limiting import AsAgreed, LimitStage, Question, Terms, Wish, decided
from .state import DsoState


def of_capacity(profile: DsoProfile, state: DsoState, wishes: Iterable[Activation]) -> Terms:
    """Prequalification: each alone where the DSO is asked again in the offering, else everything together."""
    agreed = Terms("single" if profile.coordination.dso_in_offering else "all", "merit_order")
    named = ((each, state.connected[each.id.rpartition("|")[0]].participant) for each in wishes)
    return _decided(profile, "prequalification", named, agreed)


def of_list(profile: DsoProfile, state: DsoState, wishes: Iterable[Activation], entries: Iterable[MolEntry]) -> Terms:
    """A merit order list: as the coordination says."""
    agreed = Terms(profile.coordination.limit_scope, profile.coordination.limit_split)
    names = (state.connected[entry.resource].participant for entry in entries)
    return _decided(profile, "offering", zip(wishes, names, strict=True), agreed)


def of_orders(profile: DsoProfile, ordered: Iterable[tuple[Activation, str]]) -> Terms:
    """What is ordered, in real time; with the participants who are."""
    return _decided(profile, "activation", ordered, Terms("prefix", "merit_order"))


def _decided(profile: DsoProfile, stage: LimitStage, wishes: Iterable[tuple[Activation, str]], agreed: Terms) -> Terms:
    if type(profile.policy) is AsAgreed:  # it does not look at them, in every cycle
        wishes = ()
    asked = tuple(Wish(each.id, participant, each.p_mw) for each, participant in wishes)
    return decided(profile.policy, Question(profile.name, profile.grid, stage, asked, agreed))
