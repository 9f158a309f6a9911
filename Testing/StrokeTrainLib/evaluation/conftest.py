"""One evaluation that the tests of this folder look at from all sides."""

import pytest
from support.evaluation_study import evaluated


@pytest.fixture(scope="session")
def study(tmp_path_factory):
    """A run of two folds on 12 patients, evaluated."""
    return evaluated(tmp_path_factory.mktemp("evaluation"))
