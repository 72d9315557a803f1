"""The cheapest dispatch of true states, which nobody in a run can know: the yardstick of a comparison.

feeder.py     a grid in one true state, asked what becomes of it when points inject: limits, import, losses by AC
cheapest.py   linear programs on its slopes, repeated until AC agrees and nothing cheaper is seen
"""
