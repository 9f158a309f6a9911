"""Pictures and pages for the reader."""
