"""Which steps of prequalification were due: Fig. 4 for each applicant, Fig. 8 for each DSO of scenario II."""

from __future__ import annotations

from .findings import Chain, Rows, Trail, moment_of
from .index import Index


def follow(index: Index, trail: Trail) -> None:
    """Follow every applicant through Fig. 4, and in scenario II every DSO through Fig. 8."""
    for applicant in index.scenario.providers:
        _applicant(index, trail.chain(applicant), applicant)
    if index.scenario.scheme == "scenario-2":
        for dso in index.scenario.dsos:
            _operator(index, trail.chain(dso), dso)


def _applicant(index: Index, chain: Chain, applicant: str) -> None:
    applications = [row for row in index.typed("application", applicant=applicant) if row["sender"] == applicant]
    asked = chain.message("4.1", "BSP → TSO", applications, "INFO 1")
    if asked and index.said(asked[0]["conversation_id"], "refuse"):
        return
    dso = index.scenario.dso_of(index.scenario.providers[applicant].grid)
    if dso is not None:
        _validated(index, chain, applicant, dso)
    if not asked or index.broken(asked[0]["conversation_id"]):
        return
    _tested(index, chain, applicant)
    answers = index.said(asked[0]["conversation_id"], "qualified", "not-qualified")
    told = chain.message("4.5", "TSO → BSP", answers, "INFO 2")
    if told and told[0]["type"] == "gridpact.qualified/1":
        chain.event("4.6", "BSP receives", index.noted("4.6", applicant))


def _validated(index: Index, chain: Chain, applicant: str, dso: str) -> None:
    requests = [row for row in index.typed("capacity-request", applicant=applicant) if row["receiver"] == dso]
    sent = chain.message("4.2", "TSO → DSO", requests, "INFO 1")
    if sent and index.broken(sent[0]["conversation_id"]):
        return
    chain.event("4.3", "DSO validates", index.noted("4.3", dso, applicant=applicant))
    verdicts = index.said(sent[0]["conversation_id"], "capacity-verdict") if sent else []
    chain.message("4.4", "DSO → TSO", verdicts, "INFO 2")


def _tested(index: Index, chain: Chain, applicant: str) -> None:
    """A test for every resource and direction that is qualified, ordered before it is judged."""
    for verdict in _qualified(index, applicant):
        what = {"resource": verdict["resource"], "direction": verdict["direction"]}
        sign = 1 if verdict["direction"] == "up" else -1
        orders = [
            row
            for row in index.typed("test-order", resource=verdict["resource"])
            if row["receiver"] == applicant and any(step["p_mw"] * sign > 0 for step in row["content"]["steps"])
        ]
        about = chain.trail.chain(f"{applicant} ({verdict['resource']} {verdict['direction']})")
        about.message("4.5", "TSO → BSP, test", orders)
        reports = index.said(orders[0]["conversation_id"], "test-report") if orders else []
        about.message("4.5", "BSP → TSO, test report", reports)
        about.event("4.5", "TSO judges the test", index.noted("4.5", applicant=applicant, **what))


def _qualified(index: Index, applicant: str) -> list[dict[str, object]]:
    told = [row for row in index.typed("qualified", applicant=applicant) if row["receiver"] == applicant]
    verdicts = told[0]["content"]["verdicts"] if told else []
    return [verdict for verdict in verdicts if verdict["max_mw"] > 0]


def _operator(index: Index, chain: Chain, dso: str) -> None:
    attempts = [row for row in index.typed("requirements") if row["receiver"] == dso]
    if not attempts:
        chain.message("8.1", "TSO → DSO", [], "INFO 1")
    for number, requirement in enumerate(attempts, start=1):
        chain.message("8.1", "TSO → DSO", [requirement], "INFO 1")
        if index.broken(requirement["conversation_id"]):
            return
        if number > 1:
            corrected = [row for row in index.noted("8.3", dso) if row["evidence"].get("attempt") == number]
            chain.event("8.3", "DSO corrects", corrected)
        offered = index.said(requirement["conversation_id"], "technical-data")
        chain.message("8.1", "DSO → TSO", offered, "INFO 9")
        if not (offered and offered[0]["content"]["resources"]):
            return
        judged = [row for row in index.noted("8.2", applicant=dso) if _in_attempt(row["at"], attempts, number)]
        chain.event("8.2", "TSO runs the tests", judged)
    told = [row for row in index.typed("qualification-proposal") if row["receiver"] == dso]
    chain.message("8.4", "TSO → DSO", told, "INFO 2")


def _in_attempt(at: str, attempts: Rows, number: int) -> bool:
    after = moment_of(at) > moment_of(attempts[number - 1]["sent_at"])
    return after and (number == len(attempts) or moment_of(at) <= moment_of(attempts[number]["sent_at"]))
