"""`gridpact check`: mistakes, with the grids built, and what is hardly meant."""
