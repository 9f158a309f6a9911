"""Cohorts: who has what, who is left out and why, reperfusion, splits, votes of readers."""
