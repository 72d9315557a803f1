"""What a scenario says about a distribution grid; pure validation, without numpy and without pandapower.

grid.py          the source, limits, taps, loads, planning cases, profiles, protection
uncertainty.py   series, forecast error, load recovery, security margin, regulators
part.py          what every part shares: frozen, no unknown keys, numbers and clock times that say what is wrong

Names are imported from their modules, as everywhere in grid/.
"""
