"""Runs and protocols as Mermaid charts: what was said in which order, and what may be said."""
