"""Cohorts, training, evaluation. Nothing in this package imports Slicer, Qt or VTK."""
