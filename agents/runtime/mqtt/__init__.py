"""Agents of one run on many hosts, over an MQTT broker.

    agent ─ host (mango) ─ Dispatch ─ Line ═══ broker ═══ Line ─ Gate ─ inbox (mango) ─ host ─ agent
                                                 ║
                                          Line ─ PlantService ─ plants

Every agent has a line of its own, with its own identity: the broker lets it publish only under its own name, so who
speaks is known from the topic. Nothing here knows a scenario; `station.py` is what one process consists of.
"""
