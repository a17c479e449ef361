#!/bin/bash
# Builds a package that depends on product Oriel, and fails when that fetches, builds or links what only the daemon needs. Twice: with no traits, and with ServiceLifecycle alone.
# Usage: Tests/Consumer/check.sh [SCRATCH]. Without SCRATCH a temporary folder is used and removed.
set -euo pipefail
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)

if [ $# -gt 0 ]; then
    scratch=$1
    mkdir -p "$scratch"
else
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
fi

failed=0
fail() {
    echo "consumer: $1" >&2
    failed=1
}

# allowed LIST TRAITS: the lines of allowed-LIST.txt, and of the list that the traits add.
allowed() {
    cat "$here/allowed-$1.txt" "$here/allowed-$1-$2.txt" 2>/dev/null | sort -u
}

# check TRAITS: what is fetched, built and linked with these traits must be in the lists.
check() {
    local traits=$1 folder=$scratch/${1:-none} log fetched surplus missing binaries built maps libraries output line
    export ORIEL_CONSUMER_TRAITS=$traits
    mkdir -p "$folder"
    # An old resolution would decide what is fetched.
    rm -f "$here/Package.resolved"
    log=$folder/build.log
    if ! swift build --package-path "$here" --scratch-path "$folder" >"$log" 2>&1; then
        grep -E 'error' "$log" >&2 || cat "$log" >&2
        echo "consumer: a package that depends on product Oriel with traits: [$traits] does not build" >&2
        exit 1
    fi

    # What is fetched. A bare repository is kept even for a package that is not checked out in the end, so both are looked at.
    fetched=$( (ls "$folder/checkouts" 2>/dev/null; ls "$folder/repositories" 2>/dev/null | sed -E 's/-[0-9a-f]{8}$//') | sort -u)
    surplus=$(comm -23 <(echo "$fetched") <(allowed checkouts "$traits"))
    missing=$(comm -13 <(echo "$fetched") <(allowed checkouts "$traits"))
    if [ -n "$surplus" ]; then
        fail "fetched, but not in allowed-checkouts.txt: $(echo $surplus). Guard the dependency in Package.swift with a trait."
    fi
    if [ -n "$missing" ]; then
        fail "in allowed-checkouts.txt, but not fetched any more: $(echo $missing). Take it off the list."
    fi

    # What is built: each target with an object file. SwiftPM describes the daemon's targets in its plan too, but must not compile them.
    binaries=$(swift build --package-path "$here" --scratch-path "$folder" --show-bin-path)
    built=$(find "$binaries"/*.build -name '*.o' | sed -E 's#.*/([^/]+)\.build/.*#\1#' | sort -u)
    surplus=$(comm -23 <(echo "$built") <(allowed modules "$traits"))
    if [ -n "$surplus" ]; then
        fail "built, but not in allowed-modules.txt: $(echo $surplus). A client builds none of the daemon."
    fi

    # Which system libraries have their headers read: the module maps of this package that the compiler was given. Only zlib's is needed, for gzip.
    maps=$(find "$binaries"/*.build -name '*.d' -exec grep -ohE '[^ ]*/Sources/[A-Za-z0-9_]+/module\.modulemap' {} + | sed -E 's#.*/Sources/([^/]+)/.*#\1#' | sort -u)
    surplus=$(comm -23 <(echo "$maps") <(allowed system-modules "$traits"))
    if [ -n "$surplus" ]; then
        fail "the headers of $(echo $surplus) are needed, which is not in allowed-system-modules.txt. A client builds without the daemon's libraries."
    fi

    # What is linked.
    libraries=$(ldd "$binaries/ConsumerProgram" 2>/dev/null || true)
    for library in libzstd libsnappy libsqlite3 libyaml libre2 libssl libFoundation libicu lib_FoundationICU; do
        if grep -q "^[[:space:]]*$library" <<<"$libraries"; then fail "$library is linked"; fi
    done

    # And that it runs, and ends though nobody takes what it sends.
    output=$(timeout 30 "$binaries/ConsumerProgram" 2>&1) || fail "the program ended with status $?: $output"
    for line in 'consumer_runs_total{kind="check"} 1' 'consumer_size_bytes_bucket{le="1000"} 1' 'consumer_state{state="up"} 1' \
        'log lines: emitted 1, dropped 1, 1 of them at the end'; do
        if ! grep -qxF "$line" <<<"$output"; then fail "the program does not print $line, but: $output"; fi
    done
    tail -n 1 <<<"$output"
    echo "traits: [$traits]: fetched $(echo $fetched); built $(echo $built); system modules $(echo $maps)"
}

check ""
check ServiceLifecycle
if [ $failed -eq 0 ]; then echo "consumer: ok"; fi
exit $failed
