"""Exhaustive exploration: every order of delivery, silence, loss and doubling, of the very tables and desks that run.

search.py      breadth first over any system of states and moves; what cannot end, and the shortest way to what is wrong
story.py       a counterexample as a message sequence and as a Mermaid diagram
two_party.py   one protocol between two desks
"""
