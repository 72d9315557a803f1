"""Containment reserve (FCR): a contract net for capacity, then a statement; nobody orders it, the frequency does.

BSP                   TSO                    DSO
 │◀── CallForReserve ──│                      │        reply-by = gate closure
 │─── ReserveOffers ──▶│                      │
 │◀──── ReserveAward ──│─── ReserveNotice ───▶│        cheapest first, until the need is met
 │  … kept for hours …                        │
 │─── ReserveRecord ──▶│                      │
 │◀─ ReserveStatement ─│                      │        paid for the time in which it followed the frequency
"""

from ..information.offering import NoOffer, Rejection, Withdrawal
from ..information.reserve import (
    CallForReserve,
    ReserveAward,
    ReserveNotice,
    ReserveOffers,
    ReserveRecord,
    ReserveStatement,
)
from ..information.settlement import StatementAccepted, StatementDisputed
from ..messages import Done
from ..templates import contract_net, propose, request

STAGE = "reserve"

RESERVE_TENDER = contract_net(
    "reserve-tender",
    stage=STAGE,
    by="TSO",
    of="BSP",
    cfp=CallForReserve,
    propose=ReserveOffers,
    refuse=NoOffer,
    accept=ReserveAward,
    reject=Rejection,
    result=ReserveRecord,
    failure=Withdrawal,
)
RESERVE_NOTICE = request("reserve-notice", stage=STAGE, ask=ReserveNotice, by="TSO", of="DSO", results=(Done,))
RESERVE_STATEMENT = propose(
    "reserve-statement",
    stage=STAGE,
    offer=ReserveStatement,
    by="TSO",
    to="BSP",
    accept=StatementAccepted,
    reject=StatementDisputed,
)
PROTOCOLS = (RESERVE_TENDER, RESERVE_NOTICE, RESERVE_STATEMENT)
