#!/bin/bash
# Sends `oriel serve` what it must survive. Usage: Tests/Interop/hostile.sh [PATH_TO_ORIEL] [--long] [further options of hostile.py]
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
oriel=$here/../../.build/debug/oriel
if (($# > 0)) && [[ $1 != -* ]]; then
    oriel=$1
    shift
fi
[[ -x $oriel ]] || { echo "there is no $oriel: run swift build --product oriel first" >&2; exit 2; }
PYTHONDONTWRITEBYTECODE=1 exec python3 "$here/hostile.py" "$oriel" "$@"
