"""How much of what is offered the grid can bear: AC power flow decides, linear slopes only propose.

activation ─▶ legs ─┐                       ┌─▶ separately            each alone
cases ──────────────┼─▶ judging ─▶ allowing ┼─▶ walking               in the order of the list
constraints ────────┘    AC verdicts        ├─▶ subsets ◀─ patterns   whatever a TSO may pick
             slopes, marginal: proposals    └─▶ sharing               in proportion
                                               headroom: how much more each unit may inject, both ways
"""
