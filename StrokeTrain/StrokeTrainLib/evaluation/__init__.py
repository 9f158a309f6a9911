"""A model on patients whom it has not seen: every measure, every patient, the statistics over them, a report."""
