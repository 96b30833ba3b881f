"""Print runtimes.toml and the families of options.toml as one JSON object. Run by Runtimes.cmake."""

import json
import sys
import tomllib
from pathlib import Path

runtimes, options = (tomllib.loads(Path(argument).read_text(encoding="utf-8")) for argument in sys.argv[1:])
families = {
    name: {"label": family["label"], "runtimes": family["runtimes"]} for name, family in options["families"].items()
}
print(json.dumps({**runtimes, "families": families}, indent=1))
