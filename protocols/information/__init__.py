"""The information that the parties exchange: INFO 1 to 10 of the paper, and what it leaves open.

capacity.py     INFO 1, 2, 9    prequalification          activation.py   INFO 6, 7, 8
offering.py     INFO 3, 4, 5, 10                          settlement.py   (no INFO in the paper)
"""
