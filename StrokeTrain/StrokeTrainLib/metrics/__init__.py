"""How good one patient's prediction is, and the tissue rules it is compared with."""
