"""One scenario on many hosts: what each of them may know, what it runs, what it leaves behind, and the merged record.

public scenario + private file ─▶ host ─▶ part of the record ─┐
public scenario + private file ─▶ host ─▶ part of the record ─┼─ merge ─▶ one run directory, as of any other run
public scenario + private file ─▶ host ─▶ part of the record ─┘
"""
