"""The TSO qualifies: applications, the DSOs' word on capacity, tests, and what of a resource counts in the end."""
