#!/bin/bash
# Real clients against `oriel serve`: the OpenTelemetry SDK for Python and a Node.js script.
#
# Usage: Tests/Interop/run.sh [PATH_TO_ORIEL]
#
# Needs python3 with venv, node 18 or later, and a package index that pip can reach.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
oriel=${1:-$root/.build/debug/oriel}
[[ -x $oriel ]] || { echo "there is no $oriel: run swift build --product oriel first" >&2; exit 2; }

environment=${ORIEL_INTEROP_ENVIRONMENT:-$root/.build/interop}
if ! cmp -s "$here/requirements.txt" "$environment/installed.txt"; then
    python3 -m venv "$environment"
    "$environment/bin/pip" install --quiet --disable-pip-version-check --requirement "$here/requirements.txt"
    cp "$here/requirements.txt" "$environment/installed.txt"
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
export PYTHONDONTWRITEBYTECODE=1
status=0
"$environment/bin/python" "$here/python_sdk.py" "$oriel" 2>&1 | tee -a "$log" || status=1
python3 "$here/node_client.py" "$oriel" 2>&1 | tee -a "$log" || status=1

awk '/: [0-9]+ passed, [0-9]+ failed$/ { passed += $(NF - 3); failed += $(NF - 1) } END { print passed + 0 " passed, " failed + 0 " failed" }' "$log"
exit $status
