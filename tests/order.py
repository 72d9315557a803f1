"""The order in which files are tried: those that take longest first, so that none is begun when all others are over."""

LONG = (
    "hosts/test_killed_hosts",
    "scenarios/test_audit",
    "documentation/test_guides",
    "comparison/test_compare",
    "grid/test_fallback",
    "scenarios/test_readme",
    "hosts/test_three_hosts",
    "sweep/test_sweep",
    "scenarios/test_purity",
    "grid/test_shipped_networks",
    "scenarios/test_frequency_trip",
    "scenarios/test_report",
    "conformance/test_own",
    "conformance/test_conform_dso",
    "scenarios/test_determinism",
    "live/test_live",
    "swarm/test_growth",
    "comparison/test_bound",
    "loop/test_in_bulk",
    "scenarios/test_plots",
)
RANKS = {f"{name}.py": rank for rank, name in enumerate(LONG)}


def rank(file: str) -> int:
    """The place of a file, named from this folder; all others come after the long ones, in their own order."""
    return RANKS.get(file, len(RANKS))
