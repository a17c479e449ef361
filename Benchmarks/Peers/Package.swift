// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [.strictMemorySafety(), .enableUpcomingFeature("ExistentialAny")]

// Compares the client library with its peers. Apart from the other benchmarks, so that these resolve where the peers cannot be fetched.
let package = Package(
    name: "peer-benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "oriel", path: "../..", traits: []),
        .package(name: "benchmarks", path: ".."),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics.git", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing.git", from: "1.7.3"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
        .package(url: "https://github.com/swift-server/swift-prometheus.git", from: "2.1.0"),
        // Without an exporter: what is measured is the calls, not a network.
        .package(url: "https://github.com/swift-otel/swift-otel.git", from: "1.0.0", traits: []),
    ],
    targets: [
        .executableTarget(
            name: "PeerBenchmark",
            dependencies: [
                .product(name: "Oriel", package: "oriel"),
                .product(name: "BenchmarkTools", package: "benchmarks"),
                .product(name: "Prometheus", package: "swift-prometheus"),
                .product(name: "OTel", package: "swift-otel"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings
        )
    ],
    swiftLanguageModes: [.v6]
)
