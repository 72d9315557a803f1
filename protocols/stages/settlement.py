"""Settlement: the TSO asks the DSO what it metered, then proposes a statement to each participant.

BSP                     TSO                      DSO
 │                       │─── MeteredQuery ──────▶│
 │                       │◀────── MeteredEnergy ──│
 │◀────── Statement ─────│
 │─ StatementAccepted ──▶│   or StatementDisputed: recomputed once, then escalated
"""

from ..information.settlement import MeteredEnergy, MeteredQuery, Statement, StatementAccepted, StatementDisputed
from ..tables import Protocol
from ..templates import propose, query

STAGE = "settlement"


def _statement(name: str, participant: str) -> Protocol:
    return propose(
        name,
        stage=STAGE,
        offer=Statement,
        by="TSO",
        to=participant,
        accept=StatementAccepted,
        reject=StatementDisputed,
    )


METERED_ENERGY = query("metered-energy", stage=STAGE, ask=MeteredQuery, by="TSO", of="DSO", results=(MeteredEnergy,))
STATEMENT = _statement("statement", "BSP")
DSO_STATEMENT = _statement("dso-statement", "DSO")
PROTOCOLS = (METERED_ENERGY, STATEMENT, DSO_STATEMENT)
