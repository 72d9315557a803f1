"""Somebody else's BSP, in any language, among scripted partners: what it does right and wrong, step by step.

    gridpact conform ── plays the TSO and the DSO ══ broker ══ the BSP under test, by the AsyncAPI document

findings.py   what was found          play.py      who is played, and what is heard
script.py     the steps in order      qualifying, offering, delivering, settling, manners: the steps
"""
