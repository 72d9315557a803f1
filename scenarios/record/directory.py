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
        check_free(out)
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            self.folder = self._beside()
        except OSError as error:
            raise RecordError(f"{out}: cannot be written: {error.strerror}") from None

    def commit(self) -> Path:
        """Give the finished folder its name; if that is interrupted, one of the two runs is there, and whole."""
        check_free(self.out)
        if not self.out.exists():
            return self.folder.rename(self.out)
        aside = self._beside()
        try:
            self.out.rename(aside / self.out.name)
            self.folder.rename(self.out)
        finally:
            if not self.out.exists():
                (aside / self.out.name).rename(self.out)
            shutil.rmtree(aside, ignore_errors=True)
        return self.out

    def _beside(self) -> Path:
        """A new hidden folder beside the place of the run."""
        folder = Path(tempfile.mkdtemp(prefix=f".{self.out.name}-", dir=self.out.parent))
        folder.chmod(0o755)
        return folder

    def discard(self) -> None:
        """Remove the unfinished folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


def check_free(out: Path) -> None:
    """RecordError if a run may not take this place, because of what is there or how it is called."""
    if out.name in ("", ".."):
        raise RecordError(f"{out}: a run is a folder with a name of its own; name one with --out, as runs/mine")
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise RecordError(f"{out}: exists and is no folder; name another one with --out")
    if out.is_dir() and any(out.iterdir()) and not is_run(out):
        raise RecordError(f"{out}: exists and holds other files than a run of gridpact; name another one with --out")
