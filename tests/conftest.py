"""What holds for every test: properties are tried with the same examples each time and leave nothing behind."""

from hypothesis import settings

settings.register_profile("gridpact", deadline=None, derandomize=True, database=None)
settings.load_profile("gridpact")
