"""What connects pure agents to the world: hosts, exchange, clocks, journal; mango and asyncio live here only."""
