"""`gridpact report`: the page of a run, or of a comparison, whichever a folder holds."""

from __future__ import annotations

from pathlib import Path


def written(folder: Path, out: Path | None) -> Path:
    """Write the page (default: into the folder); returns where it stands. RecordError if the folder is neither."""
    if (folder / "comparison.json").exists():
        from ..comparison.comparing import load_comparison
        from ..comparison.page import write_page

        return write_page(load_comparison(folder), out)
    from ..record.run import load_run
    from ..report import write_report

    return write_report(load_run(folder), out)
