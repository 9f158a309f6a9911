"""The tables of the four papers, each made again on any cohort by one command, beside the published numbers."""
