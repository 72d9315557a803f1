"""Which agents, which grid, how long – and what came out: scenarios, runs, records, audit, KPIs, command line."""
