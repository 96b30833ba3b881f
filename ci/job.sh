#!/usr/bin/env bash
# Runs nox sessions by name, as a developer would: ci/job.sh SESSION...
set -euo pipefail
cd "$(dirname "$0")/.."
exec python3 noxfile.py -s "$@"
