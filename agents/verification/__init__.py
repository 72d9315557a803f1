"""Exhaustive exploration of the agents themselves: all of them at their desks, the messages between them, the time.

actor.py          one agent at its desk as numbered standings, with a memory of every reaction
surroundings.py   what studies and readings may say: free choices from small sets
conduct.py        what no agent may do: the orderings of the paper, watched at each agent by itself
agreement.py      what must be agreed between agents when nothing is on its way
transit.py        what is on its way between agents, as numbers
window.py         what is explored of a world; its states and moves
world.py          all actors together: the system that is explored
essence.py        what of an agent's state decides nothing before settlement
cast.py           who takes part: a tiny market with one of everybody
stages.py         which stages of which schemes, from where to where, within which bounds
"""
