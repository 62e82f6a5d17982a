"""Optimisation: packing, buying, and the door to the solvers."""
