"""Comparisons: what the DSO's participation changes – every scheme, the same truth, one table.

schemes × forecast errors × seeds ─▶ runs and `ideal` ─▶ accounts ─▶ table, intervals, page

schemes.py      what is compared            account.py, curtailment.py   what a run came to, from its record
performing.py   runs it, resumed            foresight.py                 the lower bound: `ideal`
table.py, paired.py   rows, and what seeds say      told.py, page.py, command.py   terminal, compare.html, CLI
"""
