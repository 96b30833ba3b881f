import json
from pathlib import Path

import PACKAGE_NAME


def test_it_sums() -> None:
    assert PACKAGE_NAME.sum_of_squares(1000) == sum(i * i for i in range(1000))


def test_the_file_says_what_was_compiled_in() -> None:
    path = Path(PACKAGE_NAME.__file__).with_name("build_info.json")
    assert json.loads(path.read_text()) == PACKAGE_NAME.build_info()
