"""From images as they come to images on one grid inside the brain."""
