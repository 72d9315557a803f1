"""What loads and generators do over time, and what is expected of it.

blocks (CSV, Parquet) · simbench · synthetic ─▶ profiles ─▶ course: the truth
                   timestamps                       └─────▶ forecasting ─▶ outlook: what others may have of it
                                                               noise: seeded, whatever the order of calls
"""
