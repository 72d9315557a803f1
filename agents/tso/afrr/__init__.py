"""The TSO's secondary control (aFRR): from the area control error to a set-point for everybody, in every cycle.

definitive MOL ─▶ requests.py    offers put under control before their period
ACE ─▶ market/regulation.py ─▶ set_points.py   the demand, shared by the offers, published to who has subscribed
what is heard of both ─▶ talk.py
"""
