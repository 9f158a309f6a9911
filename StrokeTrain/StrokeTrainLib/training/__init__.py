"""Training: run folder, engine, checkpoints that survive a kill, folds, predictions, the finished bundle."""
