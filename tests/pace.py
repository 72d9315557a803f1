"""Whether the hosts of a run kept the pace of its clock; what a run over hosts promises holds only if they did."""

from gridpact.scenarios.record.run import Run

IN_TURN = 10  # messages that answer one another, from a call or a limit to the set-point that comes of it


def is_behind(run: Run) -> bool:
    """Whether ticks were missed, or messages took so long that what comes of them all is met a tick later."""
    missed = sum(host["realtime"]["missed"] for host in run.timing["hosts"])
    longest_s = (run.messages["received_at"] - run.messages["sent_at"]).max().total_seconds()
    print(f"{missed} ticks missed, a message took up to {longest_s:.2f} s of the run")  # noqa: T201 - shown if it fails
    return bool(missed or IN_TURN * longest_s > min(run.scenario.ticks.lengths_us) / 1e6)
