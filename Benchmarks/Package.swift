// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [.strictMemorySafety(), .enableUpcomingFeature("ExistentialAny")]

// Measures what a call of the client library costs. Apart from the package, so that nobody who depends on that resolves or builds it.
let package = Package(
    name: "benchmarks",
    platforms: [.macOS(.v15)],
    products: [.library(name: "BenchmarkTools", targets: ["BenchmarkTools"])],
    dependencies: [
        .package(name: "oriel", path: "..", traits: []),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics.git", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing.git", from: "1.7.3"),
    ],
    targets: [
        // Counts the allocations of each thread. It defines malloc itself, so only this program may link it.
        .target(name: "CMallocCounter"),
        // Clocks and threads, for the comparison with peers too.
        .target(name: "BenchmarkTools", swiftSettings: settings),
        .executableTarget(
            name: "ClientBenchmark",
            dependencies: [
                "BenchmarkTools",
                "CMallocCounter",
                .product(name: "Oriel", package: "oriel"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ],
            swiftSettings: settings
        ),
    ],
    swiftLanguageModes: [.v6]
)
