"""What a cohort's numbers say: descriptions, tests, effects, agreement, intervals. The unit is the patient."""
