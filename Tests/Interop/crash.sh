#!/bin/bash
# Kills `oriel serve` under load and looks whether it kept its word. Usage: Tests/Interop/crash.sh [PATH_TO_ORIEL] [ROUNDS]
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
oriel=${1:-$here/../../.build/debug/oriel}
[[ -x $oriel ]] || { echo "there is no $oriel: run swift build --product oriel first" >&2; exit 2; }
PYTHONDONTWRITEBYTECODE=1 exec python3 "$here/crash.py" "$oriel" "${2:-20}"
