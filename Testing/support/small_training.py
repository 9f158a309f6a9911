"""Recipes so small that a run takes seconds, and what a run's files hold."""

import json

from support.small_cohort import SMALL

from StrokeTrainLib.training.train import recipe_for

NAME = "debs2021-early"


def small_recipe(name=NAME, epochs=2, **more):
    """Return a recipe for two folds; ``optimiser__rate="0.1"`` sets ``optimiser.rate``."""
    changes = {key.replace("__", "."): value for key, value in more.items()}
    return recipe_for(name, "nowhere", overrides=SMALL | changes, folds=2, epochs=epochs)


def read(path):
    """Return a JSON file's content."""
    return json.loads(path.read_text(encoding="utf-8"))
