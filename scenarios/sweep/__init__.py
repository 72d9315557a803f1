"""Sweeps: one scenario over a grid of settings and seeds, on local processes or a cluster, resumed where it stopped.

    axes × seeds ─▶ points ─▶ workers (processes | Dask) ─▶ results/POINT.json ─▶ sweep.parquet, sweep.csv

What is done is never done again. A run that fails is a row with its error.
"""
