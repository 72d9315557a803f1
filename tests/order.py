"""The order in which files are tried: those that take longest first, so that none is begun when all others are over."""

LONG = (
    "hosts/test_killed_hosts",
    "scenarios/test_audit",
    "grid/test_fallback",
    "scenarios/test_readme",
    "documentation/test_guides",
    "comparison/test_bound",
    "hosts/test_three_hosts",
    "scenarios/test_purity",
    "comparison/test_compare",
    "scenarios/test_report",
    "sweep/test_sweep",
    "grid/test_shipped_networks",
    "scenarios/test_determinism",
    "conformance/test_own",
    "conformance/test_conform_dso",
    "scenarios/test_frequency_trip",
    "live/test_live",
    "swarm/test_growth",
    "scenarios/test_diff",
)
RANKS = {f"{name}.py": rank for rank, name in enumerate(LONG)}


def rank(file: str) -> int:
    """The place of a file, named from this folder; all others come after the long ones, in their own order."""
    return RANKS.get(file, len(RANKS))
