"""The TSO buys containment reserve: tenders, awards, what a limit takes, whether it follows, what it is paid."""
