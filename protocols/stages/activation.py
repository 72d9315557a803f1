"""Activation: orders down the definitive merit order list, measurements up, and the DSO's hand on it.

    BSP               TSO               DSO
     │◀── Activate ────│                  │   7.1  10.1      direct; ActivateWhen if scheduled
     │─── Activated ──▶│                  │   7.2  10.2
     │◀── SetPoint ────│                  │   7.1            aFRR: every control cycle, to who has subscribed
     │─── Measurement ▶│                  │   7.3  10.3      every measurement tick
     │─── Measurement ─────────────────── ▶   7.6            the DSO's own copy
     │                 │◀─ LimitRequest ──│   7.7
     │◀── LimitOrder ──│                  │   7.8
     │─ OfferModified ▶│                  │   7.9
     │                 │─ LimitFollowed ─▶│   7.9

Where signals go by way of the DSO (`signal_route: via_dso`), 7.1 and 7.2 are two conversations, TSO to DSO and DSO to
BSP, and every answer goes back the same way. Set-points then are two subscriptions, the BSP's at the DSO and the DSO's
at the TSO, one a participant; each is passed on in the cycle in which it came, lowered to the DSO's limits or as it is.

An activation lives as long as its conversation: agree = confirmed, inform = delivered to the end or
superseded, cancel = terminated. An aFRR offer is activated by putting it under control for its period; how
much of it is wanted is said by set-points, in a subscription of the participant's. The TSO may not refuse a
security limit, so LIMIT has no use for refuse but for a limit on something that the TSO does not know.
"""

from collections.abc import Mapping

from ..information.activation import (
    Activate,
    Activated,
    ActivateWhen,
    ActivationEnded,
    LimitFollowed,
    LimitOrder,
    LimitRequest,
    Measurement,
    MeasurementSubscription,
    OfferModified,
    SetPoint,
    SetPointRelaySubscription,
    SetPointSubscription,
)
from ..messages import Message
from ..tables import Protocol
from ..templates import request, request_when, subscribe

STAGE = "activation"


def _activation(name: str, ask: type[Message], participant: str, figure: str, by: str = "TSO") -> Protocol:
    template = request_when if ask is ActivateWhen else request
    return template(
        name,
        stage=STAGE,
        ask=ask,
        by=by,
        of=participant,
        results=(ActivationEnded,),
        agree=Activated,
        paper={ask: f"{figure}.1", Activated: f"{figure}.2"},
        cancellable=True,
    )


def _measurements(name: str, *, by: str, of: str, paper: Mapping[type[Message], str]) -> Protocol:
    ask = MeasurementSubscription
    return subscribe(name, stage=STAGE, ask=ask, by=by, of=of, inform=Measurement, paper=paper)


def _set_points(name: str, ask: type[Message], *, by: str, of: str) -> Protocol:
    return subscribe(name, stage=STAGE, ask=ask, by=by, of=of, inform=SetPoint, paper={SetPoint: "7.1"})


ACTIVATION = _activation("activation", Activate, "BSP", "7")
SCHEDULED_ACTIVATION = _activation("scheduled-activation", ActivateWhen, "BSP", "7")
DSO_ACTIVATION = _activation("dso-activation", Activate, "DSO", "10")
DSO_SCHEDULED_ACTIVATION = _activation("dso-scheduled-activation", ActivateWhen, "DSO", "10")
ACTIVATION_VIA_DSO = _activation("activation-via-dso", Activate, "DSO", "7")
SCHEDULED_ACTIVATION_VIA_DSO = _activation("scheduled-activation-via-dso", ActivateWhen, "DSO", "7")
ACTIVATION_PASSED_ON = _activation("activation-passed-on", Activate, "BSP", "7", by="DSO")
SCHEDULED_ACTIVATION_PASSED_ON = _activation("scheduled-activation-passed-on", ActivateWhen, "BSP", "7", by="DSO")
VIA_DSO = (ACTIVATION_VIA_DSO, SCHEDULED_ACTIVATION_VIA_DSO)
MEASUREMENTS = _measurements("measurements", by="TSO", of="BSP", paper={Measurement: "7.3"})
MEASUREMENTS_FOR_DSO = _measurements("measurements-for-dso", by="DSO", of="BSP", paper={Measurement: "7.6"})
MEASUREMENTS_OF_DSO = _measurements("measurements-of-dso", by="TSO", of="DSO", paper={Measurement: "10.3"})
SET_POINTS = _set_points("set-points", SetPointSubscription, by="BSP", of="TSO")
SET_POINTS_VIA_DSO = _set_points("set-points-via-dso", SetPointRelaySubscription, by="DSO", of="TSO")
SET_POINTS_PASSED_ON = _set_points("set-points-passed-on", SetPointSubscription, by="BSP", of="DSO")
LIMIT = request(
    "limit",
    stage=STAGE,
    ask=LimitRequest,
    by="DSO",
    of="TSO",
    results=(LimitFollowed,),
    paper={LimitRequest: "7.7"},
)
LIMIT_ORDER = request(
    "limit-order",
    stage=STAGE,
    ask=LimitOrder,
    by="TSO",
    of="BSP",
    results=(OfferModified,),
    paper={LimitOrder: "7.8", OfferModified: "7.9"},
)
PROTOCOLS = (
    ACTIVATION,
    SCHEDULED_ACTIVATION,
    DSO_ACTIVATION,
    DSO_SCHEDULED_ACTIVATION,
    ACTIVATION_VIA_DSO,
    SCHEDULED_ACTIVATION_VIA_DSO,
    ACTIVATION_PASSED_ON,
    SCHEDULED_ACTIVATION_PASSED_ON,
    MEASUREMENTS,
    MEASUREMENTS_FOR_DSO,
    MEASUREMENTS_OF_DSO,
    SET_POINTS,
    SET_POINTS_VIA_DSO,
    SET_POINTS_PASSED_ON,
    LIMIT,
    LIMIT_ORDER,
)
