"""The grid as it physically is, of which there is one, and which is no market party.

plant.py ─▶ state.py        a solved moment, and what meters read of it
    │  ◀─── protection.py   overload counted, and taken out where it lasts
    └  ◀─── recovery.py     loads that take back what a lower voltage took
"""
