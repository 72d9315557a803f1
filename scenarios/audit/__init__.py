"""Does a record show the paper's use case? Integrity, conversations, steps, order, and what follows from them.

record ─▶ integrity    gap-free, in order, references, digests, derived files
       ─▶ dialogue     every conversation replayed through its protocol's table
       ─▶ chains       which steps of Figs 4 to 10 were due, and what fulfils each
       ─▶ rules        no acceptance before validation, nothing above a limit, nothing beyond the list
"""

from .auditing import Audit, audit

__all__ = ["Audit", "audit"]
