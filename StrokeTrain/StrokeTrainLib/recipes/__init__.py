"""Recipes: everything that decides how a network is trained, typed, validated and saved with the run."""

from .registry import load_recipe, names
from .schema import Recipe

__all__ = ["Recipe", "load_recipe", "names"]
