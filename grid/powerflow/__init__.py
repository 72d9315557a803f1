"""AC power flow: of many states at once on pandapower's own admittance matrix, or by pandapower itself, state by state.

operating_point ─▶ injections ─▶ solver ─┬─▶ fixed_point ─▶ newton      what fits the batch solver
 what is drawn      ZIP per load         ├─▶ blackout                   nothing left with supply
                                         └─▶ sensitivity                first derivatives
                   admittance ─▶ self_check                             at every compilation, against runpp
vicinity ─▶ chord                                                       few states near one, again and again
operating_point ─▶ fallback                                             what does not fit: slow, never wrong
"""
