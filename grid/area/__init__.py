"""The control area as a plant: frequency, inertia, self-regulation, containment reserve (FCR), neighbours.

description.py   what a scenario says            swing.py         frequencies and tie lines, exactly in sub-steps
disturbance.py   what disturbs the balance       containment.py   FCR: droop, dead band, saturation, lag, rate
area.py          all of it moved together        trajectory.py    many sub-steps as one matrix product
                                                 secondary.py     a neighbour's own load-frequency control

Names are imported from their modules, so that what a scenario says of an area is read without numpy.
"""
