#!/bin/bash
# Builds a package that depends on product Oriel with no traits, and fails when that fetches, builds or links what only the daemon needs.
# Usage: Tests/Consumer/check.sh [SCRATCH]. Without SCRATCH a temporary folder is used and removed.
set -euo pipefail
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)

if [ $# -gt 0 ]; then
    scratch=$1
else
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
fi
# An old resolution would decide what is fetched.
rm -f "$here/Package.resolved"

failed=0
fail() {
    echo "consumer: $1" >&2
    failed=1
}

if ! swift build --package-path "$here" --scratch-path "$scratch" >"$scratch.log" 2>&1; then
    grep -E 'error' "$scratch.log" >&2 || cat "$scratch.log" >&2
    rm -f "$scratch.log"
    echo "consumer: a package that depends on product Oriel with traits: [] does not build" >&2
    exit 1
fi
rm -f "$scratch.log"

# What is fetched. A bare repository is kept even for a package that is not checked out in the end, so both are looked at.
fetched=$( (ls "$scratch/checkouts" 2>/dev/null; ls "$scratch/repositories" 2>/dev/null | sed -E 's/-[0-9a-f]{8}$//') | sort -u)
surplus=$(comm -23 <(echo "$fetched") <(sort -u "$here/allowed-checkouts.txt"))
missing=$(comm -13 <(echo "$fetched") <(sort -u "$here/allowed-checkouts.txt"))
if [ -n "$surplus" ]; then
    fail "fetched, but not in allowed-checkouts.txt: $(echo $surplus). Guard the dependency in Package.swift with a trait."
fi
if [ -n "$missing" ]; then
    fail "in allowed-checkouts.txt, but not fetched any more: $(echo $missing). Take it off the list."
fi

# What is built: each target with an object file. SwiftPM describes the daemon's targets in its plan too, but must not compile them.
binaries=$(swift build --package-path "$here" --scratch-path "$scratch" --show-bin-path)
built=$(find "$binaries"/*.build -name '*.o' | sed -E 's#.*/([^/]+)\.build/.*#\1#' | sort -u)
surplus=$(comm -23 <(echo "$built") <(sort -u "$here/allowed-modules.txt"))
if [ -n "$surplus" ]; then
    fail "built, but not in allowed-modules.txt: $(echo $surplus). A client builds none of the daemon and no system library."
fi

# What is linked.
libraries=$(ldd "$binaries/ConsumerProgram" 2>/dev/null || true)
for library in libzstd libsnappy libsqlite3 libz libyaml libre2 libFoundation libicu; do
    if grep -q "^[[:space:]]*$library" <<<"$libraries"; then fail "$library is linked"; fi
done

# And that it runs.
expected='consumer_runs_total{kind="check"} 1'
output=$("$binaries/ConsumerProgram")
if ! grep -qxF "$expected" <<<"$output"; then
    fail "the program does not print $expected, but: $output"
fi

if [ $failed -eq 0 ]; then echo "consumer: ok (fetched $(echo $fetched); built $(echo $built))"; fi
exit $failed
