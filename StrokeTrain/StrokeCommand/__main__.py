"""``python -m StrokeCommand``."""

from StrokeCommand.main import run

run()
