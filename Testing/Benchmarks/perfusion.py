"""``python Testing/Benchmarks/perfusion.py``: the figures of `stroke bench perfusion`, from a checkout."""

import sys
from pathlib import Path

for folder in ("StrokePredict", "StrokeTrain"):
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / folder))

from StrokeCommand.benchmarks.perfusion import main  # noqa: E402

if __name__ == "__main__":
    main()
