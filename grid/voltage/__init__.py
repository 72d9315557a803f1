"""Voltage and what sets it: tap changers as they move, automatic regulators, and what lower voltage saves.

taps.py         one step after the other, each taking its time
regulation.py   a regulator per transformer: set-point, dead band, delay
cvr.py          conservation voltage reduction: the power that tap steps set free, as indivisible blocks
"""
