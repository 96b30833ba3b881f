from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seeds", type=int, default=20, help="random calls of each op")
    parser.addoption("--samples", type=int, default=4, help="samples of each op and dtype of torch's database")


@pytest.fixture(scope="session")
def seeds(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("--seeds"))


@pytest.fixture(scope="session")
def samples(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("--samples"))
