"""Commands that have no folder of their own, and how a command shows that it is at work."""
