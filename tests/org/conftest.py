"""The company that tests of org stand on."""

import pytest

from tests.fakes.stage import Stage
from tests.org.company import Company


@pytest.fixture
def company(stage: Stage) -> Company:
    return Company.create(stage)
