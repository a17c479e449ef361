// swift-tools-version: 6.2
import PackageDescription

// A package as a user of the client library writes it: without the daemon's traits, or with those that ORIEL_CONSUMER_TRAITS names.
let traits = (Context.environment["ORIEL_CONSUMER_TRAITS"] ?? "").split(separator: ",").map { Package.Dependency.Trait(stringLiteral: String($0)) }
let hasLifecycle = traits.contains { $0.name == "ServiceLifecycle" }

var dependencies: [Target.Dependency] = [
    .product(name: "Oriel", package: "oriel"),
    .product(name: "Logging", package: "swift-log"),
    .product(name: "CoreMetrics", package: "swift-metrics"),
    .product(name: "Tracing", package: "swift-distributed-tracing"),
]
var packages: [Package.Dependency] = [
    .package(name: "oriel", path: "../..", traits: Set(traits)),
    .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-metrics.git", from: "2.13.0"),
    .package(url: "https://github.com/apple/swift-distributed-tracing.git", from: "1.7.3"),
]
if hasLifecycle {
    dependencies.append(.product(name: "ServiceLifecycle", package: "swift-service-lifecycle"))
    packages.append(.package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"))
}

let package = Package(
    name: "consumer",
    platforms: [.macOS(.v15)],
    dependencies: packages,
    targets: [
        .executableTarget(
            name: "ConsumerProgram",
            dependencies: dependencies,
            swiftSettings: [
                .enableUpcomingFeature("InternalImportsByDefault"), .enableUpcomingFeature("ExistentialAny"),
                // `import Oriel` has to be enough under this feature, too.
                .enableUpcomingFeature("MemberImportVisibility"),
            ] + (hasLifecycle ? [.define("ServiceLifecycle")] : [])
        )
    ],
    swiftLanguageModes: [.v6]
)
