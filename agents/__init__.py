"""Who takes part, and how each decides: TSO, DSO, BSP and aggregator as pure functions of what they hear."""
