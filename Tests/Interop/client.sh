#!/bin/bash
# Is cruel to programs that use the client library: to one that emits without mercy while its collector comes and goes, and to functions that are frozen and killed.
#
# Usage: Tests/Interop/client.sh [PATH_TO_ORIEL] [INVOCATIONS] [SECONDS]
#
# ORIEL_CLIENT_CONFIGURATION=release builds the programs as a service would be; ORIEL_CLIENT_SEED repeats a run.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
package=$here/../ClientPrograms
oriel=${1:-$here/../../.build/debug/oriel}
[[ -x $oriel ]] || { echo "there is no $oriel: run swift build --product oriel first" >&2; exit 2; }
configuration=${ORIEL_CLIENT_CONFIGURATION:-debug}

log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! swift build --configuration "$configuration" --package-path "$package" >"$log" 2>&1; then
    cat "$log" >&2
    exit 1
fi
programs=$(swift build --configuration "$configuration" --package-path "$package" --show-bin-path)
status=0
for script in torture.py sandboxes.py thaw.py; do
    arguments=("$oriel" "$programs" "${2:-60}")
    if [[ $script == torture.py ]]; then arguments=("$oriel" "$programs" "${3:-8}"); fi
    PYTHONDONTWRITEBYTECODE=1 python3 -u "$here/$script" "${arguments[@]}" 2>&1 | tee -a "$log" || status=1
done
awk '/: [0-9]+ passed, [0-9]+ failed$/ { passed += $(NF - 3); failed += $(NF - 1) } END { print passed + 0 " passed, " failed + 0 " failed" }' "$log"
exit $status
