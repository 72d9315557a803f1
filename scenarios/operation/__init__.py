"""From a scenario to a run: agents with what each may know, the physical side, what is measured at every tick.

profiles, nodes ─┐
plants, studies ─┼─ running ─▶ simulated or real time ─▶ recorder
mishaps ─────────┘
"""
