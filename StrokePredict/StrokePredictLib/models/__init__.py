"""Model bundles: find, verify, load."""
