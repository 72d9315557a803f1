"""Offering: a contract net per participant, market time unit, product and direction.

    BSP              TSO                 DSO
     │◀─ CallForOffers │                   │            reply-by = gate closure
     │── Offers ──────▶│                   │  5.1 6.1 9.1
     │            gate closure, MOL        │  5.3 5.4 6.3 6.4 9.3 9.4
     │                 │─ MeritOrderList ─▶│  6.4       only where the DSO takes part
     │                 │◀ MeritOrderVerdict│  6.5
     │            definitive MOL           │  6.7
     │◀─ Acceptance ───│─ AcceptanceNotice▶│  5.5 6.8
     │── DeliveryRecord▶ after delivery    │

The paper draws the same exchange three times – without the DSO (Fig. 5), with it (Fig. 6), and with the
DSO as the participant (Fig. 9) – so there is one table a figure, alike but for the step numbers.
"""

from collections.abc import Mapping

from ..information.offering import (
    Acceptance,
    AcceptanceNotice,
    BaselineForecast,
    CallForOffers,
    DeliveryRecord,
    ForecastQuery,
    MeritOrderList,
    MeritOrderNotice,
    MeritOrderVerdict,
    NoOffer,
    Offers,
    Rejection,
    Withdrawal,
)
from ..messages import Done, Message
from ..tables import Protocol
from ..templates import contract_net, query, request

STAGE = "offering"


def _offering(name: str, participant: str, paper: Mapping[type[Message], str]) -> Protocol:
    return contract_net(
        name,
        stage=STAGE,
        by="TSO",
        of=participant,
        cfp=CallForOffers,
        propose=Offers,
        refuse=NoOffer,
        accept=Acceptance,
        reject=Rejection,
        result=DeliveryRecord,
        failure=Withdrawal,
        paper=paper,
    )


def _notice(name: str, step: str) -> Protocol:
    paper: Mapping[type[Message], str] = {AcceptanceNotice: step}
    return request(name, stage=STAGE, ask=AcceptanceNotice, by="TSO", of="DSO", results=(Done,), paper=paper)


OFFERING = _offering("offering", "BSP", {Offers: "5.1", Acceptance: "5.5"})
OFFERING_WITH_DSO = _offering("offering-with-dso", "BSP", {Offers: "6.1", Acceptance: "6.8"})
OFFERING_BY_DSO = _offering("offering-by-dso", "DSO", {Offers: "9.1"})
ACCEPTANCE_NOTICE = _notice("acceptance-notice", "5.5")
ACCEPTANCE_NOTICE_WITH_DSO = _notice("acceptance-notice-with-dso", "6.8")
MOL_VALIDATION = request(
    "mol-validation",
    stage=STAGE,
    ask=MeritOrderList,
    by="TSO",
    of="DSO",
    results=(MeritOrderVerdict,),
    paper={MeritOrderList: "6.4", MeritOrderVerdict: "6.5"},
)
MOL_NOTICE = request(
    "mol-notice",
    stage=STAGE,
    ask=MeritOrderNotice,
    by="TSO",
    of="DSO",
    results=(Done,),
    paper={MeritOrderNotice: "9.4"},
)
FORECAST = query(
    "forecast",
    stage=STAGE,
    ask=ForecastQuery,
    by="TSO",
    of="DSO",
    results=(BaselineForecast,),
    paper={BaselineForecast: "9.5"},
)
PROTOCOLS = (
    OFFERING,
    OFFERING_WITH_DSO,
    OFFERING_BY_DSO,
    ACCEPTANCE_NOTICE,
    ACCEPTANCE_NOTICE_WITH_DSO,
    MOL_VALIDATION,
    MOL_NOTICE,
    FORECAST,
)
