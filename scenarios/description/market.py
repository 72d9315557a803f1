"""What the market and the parties' coordination prescribe: schemes, needs, tests, bids, activation."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ...grid.description.part import Part, Positive, Size
from ...protocols.information.quantities import Direction, Product
from .security import LimitRules, LostCommunication

Distribution = Literal["merit_order", "pro_rata"]
FCR_FULL_S = 30.0

Scheme = Literal["blind", "scenario-1", "scenario-1-dso", "scenario-2"]
Operator = Literal["bsps", "dso"]
Flexibility = Literal["both", "cvr", "der"]


class Coordination(Part):
    """Who checks what, and what happens when a DSO stays silent.

    `limit_scope`: a validated merit order list stays feasible in its order, or whatever is picked of it; `limit_split`:
    what is scarce goes to the first offers, or to all pro rata.
    Scenario II only: `resources` of the distribution grids that are offered – its units and pools (`der`), voltage
    reduction (`cvr`), or both – and who is the `operator` of those units and pools: BSPs, or each grid's DSO itself.
    """

    scheme: Scheme = "scenario-1-dso"
    operator: Operator = "bsps"
    resources: Flexibility = "both"
    real_time_limits: bool = True
    silent_dso: Literal["exclude", "use_prequalified_limits", "accept"] = "exclude"
    applicant_order: Literal["first_come", "joint"] = "first_come"
    limit_scope: Literal["prefix", "subset"] = "prefix"
    limit_split: Literal["merit_order", "pro_rata"] = "merit_order"
    forecast: Literal["with_offer", "after_mol"] = "with_offer"
    signal_route: Literal["direct", "via_dso"] = "direct"
    limit_compensation: Literal["none", "margin", "full"] = "none"
    limit_margin_percent: float = Field(default=20.0, ge=0, le=100)
    limits: LimitRules = LimitRules()
    lost_communication: LostCommunication = LostCommunication()


class Need(Part):
    """What the TSO calls for in every period."""

    product: Product = "mFRR"
    direction: Direction
    quantity_mw: Positive


class TestRules(Part):
    """The prequalification test: hold full power this long, within tolerance, with enough samples.

    `pause_min` lies between the two humps of aFRR; `at_once` applicants of a grid are tested at the same time.
    """

    __test__ = False

    hold_min: Positive = 2.0
    tolerance_percent: float = Field(default=5.0, ge=0, le=100)
    completeness_percent: float = Field(default=95.0, ge=0, le=100)
    sample_s: Positive = 10.0
    pause_min: Size = 1.0
    at_once: int = Field(default=1, ge=1, le=1000)


class ActivationRules(Part):
    """When mFRR is ordered: averaged demand beyond the trigger; scheduled orders go out this long before.

    mFRR that aFRR runs against for `release_min` on end is taken back. From the order on it may take
    `full_activation_s`: 2.5 min of preparation and 10 min of ramp.
    """

    trigger_mw: Size = 0.5
    averaging_s: Positive = 60.0
    schedule_lead_min: Size = 7.5
    release_min: Positive = 5.0
    full_activation_s: Positive = 750.0


class FcrRules(Part):
    """Containment reserve that the TSO calls for as symmetric capacity, for some hours at a time, by price.

    It must be full at `full_deviation_mhz` within `full_activation_s`; `tolerance_percent` of the award is how far from
    the frequency's demand it may be measured.
    """

    need_mw: Positive
    period_min: Positive = 240.0
    gate_closure_min: Size = 30.0
    cfp_lead_min: Positive = 15.0
    full_deviation_mhz: float = Field(default=200.0, ge=10, le=1000)
    full_activation_s: Positive = FCR_FULL_S
    tolerance_percent: float = Field(default=10.0, ge=0, le=100)


class AfrrRules(Part):
    """How aFRR is controlled: β and integration time of the controller, and how its demand is shared by the offers.

    P = −(β·ACE + 1/T_r ∫ACE dt). Delivery must begin after the reaction time and be complete at the full activation
    time; what is missing beyond the tolerance costs the penalty.
    """

    beta: Size = 0.2
    integration_s: Positive = 150.0
    distribution: Distribution = "merit_order"
    reaction_s: Positive = 30.0
    full_activation_s: Positive = 300.0
    tolerance_percent: float = Field(default=5.0, ge=0, le=100)
    penalty_eur_per_mwh: Size = 100.0


class Market(Part):
    """The TSO's needs, the rules of bids, tests and activation.

    `fcr`: what it calls for as reserve, if anything; `lost_load_eur_per_mwh` only values what is lost.
    """

    needs: tuple[Need, ...] = (Need(direction="up", quantity_mw=12.0),)
    fcr: FcrRules | None = None
    min_bid_mw: Positive = 0.1
    bid_step_mw: Positive = 0.01
    price_limit_eur_per_mwh: float = Field(default=15_000.0, gt=0, le=15_000)
    lost_load_eur_per_mwh: Size = 10_000.0
    test: TestRules = TestRules()
    activation: ActivationRules = ActivationRules()
    afrr: AfrrRules = AfrrRules()

    def full_activation_s(self, product: Product) -> float:
        """Seconds within which a product must be delivered in full."""
        if product == "FCR":
            return FCR_FULL_S if self.fcr is None else self.fcr.full_activation_s
        return self.afrr.full_activation_s if product == "aFRR" else self.activation.full_activation_s
