"""The real command line."""

import subprocess
import sys

import pytest


@pytest.fixture
def stroke(stroke_environment, tmp_path):
    """Run ``stroke`` for real; with a limit on file size where asked."""

    def run(*words, largest=None):
        code = "import sys; from StrokeCommand.main import run; sys.argv[0] = 'stroke'; run()"
        if largest is not None:
            code = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({largest}, {largest})); " + code
        command = [sys.executable, "-c", code, *map(str, words)]
        return subprocess.run(
            command, capture_output=True, text=True, env=stroke_environment, cwd=tmp_path, timeout=300, check=False
        )

    return run
