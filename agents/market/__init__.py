"""What a market computes: merit order, selection, dispatch, settlement. Pure functions of offers."""
