"""The physical world as a run sees it: resources moved, grids carried along, meters read."""
