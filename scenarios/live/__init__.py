"""Watching a run while it happens: a page on this machine, and figures on the terminal.

    RunWriter ─▶ Sight (what has been seen, thinned) ─┬─▶ serving.py: http://127.0.0.1:PORT/  (page.html, page.js)
                                                      └─▶ terminal.py: progress, frequency, MW, limits (rich)

Whoever watches only reads: a run that is watched leaves the same record.
"""
