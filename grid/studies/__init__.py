"""What a DSO can compute: its belief of the grid, never the truth.

studies.py     prequalification, validation, headroom, limits, tap blocks, each on forecasts and readings
assessing.py   from solved states to what a DSO says of them
"""
