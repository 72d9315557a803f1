"""Units and pools: what the market parties' machines physically do when a set-point reaches them.

Nothing here knows prices, messages or networks. A resource is told a change from its baseline and follows it with its
delays, ramps, ranges and energy; where it is connected is only a name that the grid model knows as well.

Names are imported from their modules, so that a description is read without numpy.
"""
