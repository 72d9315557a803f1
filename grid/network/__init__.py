"""From a name, a SimBench code or a file to a prepared pandapower network, and what its elements are called.

    scan ─▶ source ─▶ copies ─▶ building: limits, taps, loads, points ─▶ ratings, elements, columns
              ▲                                                            what states are judged by, and what varies
    shipped ──┘ names without pandapower              taps: who steps them, and how far

points.py     where market parties are connected       elements.py   groups and names of loads, generators, storages
standing.py   where they may stand                     columns.py    the buses at which anything is connected
"""
