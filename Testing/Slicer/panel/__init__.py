"""Tests of the panels; see `run_in_slicer`."""
