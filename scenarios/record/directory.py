"""Where a run is written: a hidden sibling that takes the run directory's name only when it is complete.

.RUN-xxxx/ … written … ──▶ RUN/        an earlier run of that name is replaced; anything else is left alone
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from ..errors import RecordError
from .manifest import is_run


class RunDirectory:
    """The folder in which a run grows, and the place that it will take."""

    def __init__(self, out: Path) -> None:
        """Raises RecordError if `out` may not be replaced or cannot be written."""
        self.out = out
        _check_free(out)
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            self.folder = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
            self.folder.chmod(0o755)
        except OSError as error:
            raise RecordError(f"{out}: cannot be written: {error.strerror}") from None

    def commit(self) -> Path:
        """Give the finished folder its name."""
        _check_free(self.out)
        if self.out.exists():
            shutil.rmtree(self.out)
        self.folder.rename(self.out)
        return self.out

    def discard(self) -> None:
        """Remove the unfinished folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _check_free(out: Path) -> None:
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise RecordError(f"{out}: exists and is no folder; name another one with --out")
    if out.is_dir() and any(out.iterdir()) and not is_run(out):
        raise RecordError(f"{out}: exists and holds other files than a run of gridpact; name another one with --out")
