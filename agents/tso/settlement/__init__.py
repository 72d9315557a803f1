"""The TSO settles: what was metered, what is proposed and agreed, what limits are compensated with."""
