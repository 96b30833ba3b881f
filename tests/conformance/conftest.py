from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seeds", type=int, default=20, help="random calls of each op")


@pytest.fixture(scope="session")
def seeds(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("--seeds"))
