"""What was recorded, once more: every agent fed its inputs again, what it knew at a moment, where two runs part."""
