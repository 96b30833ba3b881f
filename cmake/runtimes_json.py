"""Print what `threadwheel info` needs of runtimes.toml and options.toml as one JSON object. Run by Runtimes.cmake."""

import json
import sys
import tomllib
from pathlib import Path

runtimes, options = (tomllib.loads(Path(argument).read_text(encoding="utf-8")) for argument in sys.argv[1:])
first = next(option for option in options["options"].values() if option["kind"] == "threading")  # decides the family
families = {
    name: {
        "version_label": None if name == first["families"][first["default"]] else family["label"],
        "runtimes": family["runtimes"],
    }
    for name, family in options["families"].items()
}
print(json.dumps({**runtimes, "families": families}, indent=1))
