"""Whether the hosts of a run kept the pace of its clock; what a run over hosts promises holds only if they did."""

from gridpact.scenarios.record.run import Run


def is_behind(run: Run) -> bool:
    """Whether ticks were missed, or a message took longer than the least tick: an order is met a tick later then."""
    missed = sum(host["realtime"]["missed"] for host in run.timing["hosts"])
    longest_s = (run.messages["received_at"] - run.messages["sent_at"]).max().total_seconds()
    print(f"{missed} ticks missed, a message took up to {longest_s:.2f} s of the run")  # noqa: T201 - shown if it fails
    return bool(missed or longest_s > min(run.scenario.ticks.lengths_us) / 1e6)
