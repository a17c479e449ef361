#!/bin/bash
# Tests under ThreadSanitizer or AddressSanitizer: the client and the engine, everything that needs no other packages than those of swift-log, swift-metrics and
# swift-distributed-tracing. TLS, ServiceLifecycle and the daemon are left out, since all their packages would have to be built too.
#
# Usage: Tests/Sanitizers/run.sh thread|address|both [--all | REGULAR_EXPRESSION]
#
# Without a filter the client's tests run, all of OrielClientTests, OrielExporterTests and OrielTests, and of the others the suites that have most to lose: for threads those in
# which threads meet, for memory the parsers, codecs and file formats.
# --all runs every test, an expression the tests whose name (Target.Suite/test) it matches. Any report of the sanitizer fails the run.
#
# ORIEL_SANITIZER_CONFIGURATION=release looks closer at threads: in a debug build what happens within arrays and dictionaries is the standard library's, which is not instrumented,
# and only optimized code has it compiled in. Such a build takes twice as long.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

sanitizer=${1:-}
filter=${2:-}
configuration=${ORIEL_SANITIZER_CONFIGURATION:-debug}
client='OrielClientTests\.|OrielExporterTests\.|OrielTests\.'
if [[ $sanitizer == both ]]; then
    # Side by side: much of either is waiting.
    "$0" thread "$filter" &
    thread=$!
    status=0
    "$0" address "$filter" || status=$?
    wait "$thread" || status=$?
    exit "$status"
fi
case $sanitizer in
    thread)
        # Without the checks of conformance, for the time that they take: random histories over the busy store meet the same threads.
        chosen="$client"'|ConcurrencyTests|ThreadTests|StreamDictionaryTests|\.StoreTests|PressureTests|MaintenanceTests|ScanTests/(?!conformance)|SQLiteStoreTests/busy(Model|Options)|SegmentTests/manyThreads'
        export TSAN_OPTIONS="halt_on_error=0 exitcode=66 ${TSAN_OPTIONS:-}"
        ;;
    address)
        chosen="$client"'|OrielTelemetryTests\.|OrielOTLPTests\.|OrielCompressionTests\.|OrielSQLiteColumnsTests\.|RedoTests|HotDamageTests|DamageTests|ConnectionTests'
        # Objects of the Swift runtime live until the process ends; looking for leaks would list them all.
        export ASAN_OPTIONS="detect_leaks=0 exitcode=66 ${ASAN_OPTIONS:-}"
        ;;
    *)
        sed -n '2,13s/^# \{0,1\}//p' "$0" >&2
        exit 2
        ;;
esac
case $filter in
    '') filter=$chosen ;;
    --all) filter=. ;;
esac

# A package over the same folders, so that neither the daemon's dependencies nor the daemon are built once more for each sanitizer.
package=$root/.build/sanitizers-$sanitizer
mkdir -p "$package"
ln -sfn "$root/Sources" "$package/Sources"
ln -sfn "$root/Tests" "$package/Tests"
ln -sfn "$root/Exporters" "$package/Exporters"
if [[ $sanitizer == thread ]]; then
    mkdir -p "$package/Annotations/include"
    touch "$package/Annotations/include/Annotations.h"
    rm -f "$package/Annotations/"*.c
    ln -s "$root/Tests/Sanitizers/MutexAnnotations.c" "$package/Annotations/"
    if [[ $configuration == release ]]; then ln -s "$root/Tests/Sanitizers/ReferenceAnnotations.c" "$package/Annotations/"; fi
fi
{
    echo '// swift-tools-version: 6.2'
    echo 'import PackageDescription'
    # The language settings are the package's own.
    sed -n '/^let settings/,/^}()/p' "$root/Package.swift"
    echo 'let packages: [Package.Dependency] = ['
    # So are the packages of the APIs that Oriel is a backend of.
    grep -E '\.package\(url: "https://github.com/apple/swift-(log|metrics|distributed-tracing)\.git"' "$root/Package.swift"
    echo ']'
    cat <<'MANIFEST'
let apis: [Target.Dependency] = [
    .product(name: "Logging", package: "swift-log"),
    .product(name: "CoreMetrics", package: "swift-metrics"),
    .product(name: "Tracing", package: "swift-distributed-tracing"),
]
let isThread = Context.environment["ORIEL_SANITIZER"] == "thread"
let annotations: [Target.Dependency] = isThread ? ["Annotations"] : []
let engine: [Target.Dependency] = annotations + ["OrielSQLite", "OrielStoreConformance", "OrielStore", "OrielTelemetry", "OrielThreads", "OrielCompression", "CSQLite"]
let package = Package(
    name: "sanitized", platforms: [.macOS(.v15)], dependencies: packages,
    targets: (isThread ? [.target(name: "Annotations", path: "Annotations", publicHeadersPath: "include")] : []) + [
        .target(name: "OrielTelemetry", swiftSettings: settings),
        .target(name: "OrielOTLP", dependencies: ["OrielTelemetry"], swiftSettings: settings),
        .target(name: "OrielThreads", swiftSettings: settings),
        .target(name: "OrielClient", dependencies: ["OrielOTLP", "OrielTelemetry", "OrielThreads"], swiftSettings: settings),
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3"),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib"),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd"),
        .systemLibrary(name: "CSnappy"),
        .target(name: "OrielCompression", dependencies: ["CZlib", "CZstd", "CSnappy"], swiftSettings: settings),
        .target(
            name: "OrielExporterOTLP", dependencies: ["OrielClient", "OrielOTLP", "OrielTelemetry", "OrielThreads", "CZlib"], path: "Exporters/OTLP",
            swiftSettings: settings),
        .target(
            name: "OrielExporterConsole", dependencies: ["OrielClient", "OrielOTLP", "OrielTelemetry"], path: "Exporters/Console", swiftSettings: settings),
        .target(
            name: "OrielExporterPrometheus", dependencies: ["OrielClient", "OrielTelemetry", "OrielThreads"], path: "Exporters/Prometheus",
            swiftSettings: settings),
        .target(
            name: "Oriel",
            dependencies: apis + [
                "OrielClient", "OrielOTLP", "OrielTelemetry", "OrielThreads", "OrielExporterOTLP", "OrielExporterConsole", "OrielExporterPrometheus",
            ], swiftSettings: settings),
        .target(name: "OrielTesting", dependencies: apis + ["Oriel", "OrielClient", "OrielOTLP", "OrielTelemetry"], swiftSettings: settings),
        .target(name: "OrielStore", dependencies: ["OrielTelemetry"], swiftSettings: settings),
        .target(name: "OrielSQLite", dependencies: ["OrielStore", "OrielTelemetry", "OrielThreads", "OrielCompression", "CSQLite"], swiftSettings: settings),
        .target(name: "OrielStoreConformance", dependencies: ["OrielStore", "OrielTelemetry"], path: "Tests/OrielStoreConformance", swiftSettings: settings),
        .target(name: "OrielOTLPMessages", dependencies: ["OrielOTLP", "OrielTelemetry"], path: "Tests/OrielOTLPMessages", swiftSettings: settings),
        .testTarget(name: "OrielTelemetryTests", dependencies: ["OrielTelemetry"], swiftSettings: settings),
        .testTarget(name: "OrielOTLPTests", dependencies: ["OrielOTLPMessages", "OrielOTLP", "OrielTelemetry"], exclude: ["Fixtures"], swiftSettings: settings),
        .testTarget(name: "OrielClientTests", dependencies: ["OrielClient", "OrielOTLP", "OrielTelemetry", "OrielThreads"], swiftSettings: settings),
        .testTarget(
            name: "OrielExporterTests",
            dependencies: [
                "OrielExporterOTLP", "OrielExporterConsole", "OrielExporterPrometheus", "OrielClient", "OrielOTLP", "OrielTelemetry", "OrielThreads",
                "OrielCompression",
            ], swiftSettings: settings),
        .testTarget(
            name: "OrielTests",
            dependencies: apis + ["Oriel", "OrielTesting", "OrielExporterPrometheus", "OrielClient", "OrielOTLP", "OrielTelemetry"], swiftSettings: settings),
        .testTarget(name: "OrielCompressionTests", dependencies: ["OrielCompression", "CZlib", "CZstd", "CSnappy"], swiftSettings: settings),
        .testTarget(name: "OrielSQLiteFilesTests", dependencies: engine, swiftSettings: settings),
        .testTarget(name: "OrielSQLiteColumnsTests", dependencies: engine, swiftSettings: settings),
        .testTarget(name: "OrielSQLiteTests", dependencies: engine, swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6]
)
MANIFEST
} >"$package/Package.swift"

export ORIEL_SANITIZER=$sanitizer
log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
started=$SECONDS
options=(--configuration "$configuration")
# Only debug builds let tests see what is not public.
if [[ $configuration == release ]]; then options+=(-Xswiftc -enable-testing); fi
swift test --package-path "$package" --scratch-path "$root/.build/$sanitizer" "${options[@]}" --sanitize "$sanitizer" --no-parallel --filter "$filter" >"$log" 2>&1 ||
    status=$?
grep -vE '^\[|^Compiling|passed after|started\.$|^(Planning|Building|Write)' "$log" | tail -n 400 || true
reports=$(grep -cE '(WARNING: ThreadSanitizer|ERROR: AddressSanitizer)' "$log" || true)
echo "$sanitizer sanitizer: $reports reports in $((SECONDS - started)) s, $(grep -oE 'Test run with [0-9]+ tests.*' "$log" | tail -n 1)"
if ((reports > 0)); then exit 1; fi
exit "$status"
