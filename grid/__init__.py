"""What physics allows: network, power flow, limits, tap changers, plants. Knows no agents.

    description ─▶ network ─▶ model (solver per tap position) ─▶ studies: what a DSO believes
                                                              └─▶ plant:   what is

Names are imported from their modules, so that reading a scenario imports neither solvers (scipy, half a second) nor
pandapower (two seconds); building a grid does.
"""
