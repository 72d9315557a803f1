"""The TSO buys energy: call and gate, merit order list, the DSOs' verdicts, acceptance and who learns of it."""
