"""Prequalification: what a participant may offer, settled before any market.

Scenario I (Fig. 4)                                    Scenario II (Fig. 8)

    BSP                TSO                 DSO             TSO                    DSO
     │─ Application ───▶│                   │  4.1          │─ Requirements ──────▶│  8.1
     │◀──── Agree ──────│─ CapacityRequest ▶│  4.2          │◀──── TechnicalData ──│  8.1
     │                  │◀─ CapacityVerdict │  4.4          │─ TestOrder ─────────▶│  8.2
     │◀─── TestOrder ───│                   │  4.5          │◀──────── TestReport ─│  8.2
     │─── TestReport ──▶│                   │  4.5          │   … corrected, again │  8.3
     │◀─ Qualified ─────│                   │  4.5          │─ QualificationProp. ▶│  8.4
"""

from ..information.capacity import (
    Application,
    CapacityRequest,
    CapacityVerdict,
    NotQualified,
    QualificationAccepted,
    QualificationDeclined,
    QualificationProposal,
    Qualified,
    Requirements,
    TechnicalData,
    TestOrder,
    TestReport,
)
from ..templates import propose, request

STAGE = "prequalification"

PREQUALIFICATION = request(
    "prequalification",
    stage=STAGE,
    ask=Application,
    by="BSP",
    of="TSO",
    results=(Qualified, NotQualified),
    paper={Application: "4.1", Qualified: "4.5", NotQualified: "4.5"},
)
CAPACITY_VALIDATION = request(
    "capacity-validation",
    stage=STAGE,
    ask=CapacityRequest,
    by="TSO",
    of="DSO",
    results=(CapacityVerdict,),
    paper={CapacityRequest: "4.2", CapacityVerdict: "4.4"},
)
PREQUALIFICATION_TEST = request(
    "prequalification-test",
    stage=STAGE,
    ask=TestOrder,
    by="TSO",
    of="BSP",
    results=(TestReport,),
    paper={TestOrder: "4.5", TestReport: "4.5"},
)
TECHNICAL_DATA = request(
    "technical-data",
    stage=STAGE,
    ask=Requirements,
    by="TSO",
    of="DSO",
    results=(TechnicalData,),
    paper={Requirements: "8.1", TechnicalData: "8.1"},
)
DEMAND_RESPONSE_TEST = request(
    "demand-response-test",
    stage=STAGE,
    ask=TestOrder,
    by="TSO",
    of="DSO",
    results=(TestReport,),
    paper={TestOrder: "8.2", TestReport: "8.2"},
)
QUALIFICATION_ACKNOWLEDGEMENT = propose(
    "qualification-acknowledgement",
    stage=STAGE,
    offer=QualificationProposal,
    by="TSO",
    to="DSO",
    accept=QualificationAccepted,
    reject=QualificationDeclined,
    paper={QualificationProposal: "8.4"},
)
PROTOCOLS = (
    PREQUALIFICATION,
    CAPACITY_VALIDATION,
    PREQUALIFICATION_TEST,
    TECHNICAL_DATA,
    DEMAND_RESPONSE_TEST,
    QUALIFICATION_ACKNOWLEDGEMENT,
)
