"""What holds for every test: properties are tried with the same examples each time and leave nothing behind."""

import sys
from pathlib import Path

from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))  # what tests of several folders share stands beside this file

settings.register_profile("gridpact", deadline=None, derandomize=True, database=None)
settings.load_profile("gridpact")
