"""What users add to a scenario in Python: plugins with messages, protocols and behaviours, and strategies."""
