"""A simulated stroke patient, from physics."""
