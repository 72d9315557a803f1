"""What physics allows: network, power flow, limits, tap changers, plants. Knows no agents.

    description ─▶ network ─▶ powerflow ─▶ model ─┬─▶ limits, voltage ─▶ studies    what a DSO believes
                              (a solver per tap   ├─▶ series ──────────▶ plant      what is
                               position)          └─▶ moments            dispatch   what would have been cheapest

    resources: units and pools that are connected to points.    area: frequency, to which all of it is one sum.

Here stands only what they share: arrays, clock, engine (how pandapower is run), errors, last (what was asked last),
model, readings, seeding.
Names are imported from their modules, so that reading a scenario imports neither solvers (scipy, half a second) nor
pandapower (two seconds); building a grid does.
"""
