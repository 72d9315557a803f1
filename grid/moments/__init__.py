"""Moments of a grid as rows: written while it runs, read back into pandapower, drawn.

snapshot.py   one row per moment, under fixed column names; the network of that moment from a row
one_line.py   rows as a one-line diagram: places, voltages, loadings
"""
