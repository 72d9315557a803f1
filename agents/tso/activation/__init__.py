"""The TSO activates: orders down the merit order list, the DSOs' limits, replacement, and the quality of service."""
