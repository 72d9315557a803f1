"""What the fuzz tests share stands beside them in modules, which the soak tests import too."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
