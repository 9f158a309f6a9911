"""The command line: outermost, imports all, imported by none."""
