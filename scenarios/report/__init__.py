"""`gridpact report`: one self-contained page about a run, to be read in any browser, on a phone, offline."""

from .page import write_report

__all__ = ["write_report"]
