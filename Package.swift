// swift-tools-version: 6.2
import PackageDescription

/// What every Swift target of this package is compiled with. The upcoming features are the language defaults to come;
/// strict memory safety makes each unsafe step visible in the source as `unsafe`.
let settings: [SwiftSetting] = {
    var settings: [SwiftSetting] = [
        .strictMemorySafety(),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
        .enableUpcomingFeature("InferIsolatedConformances"),
        .enableUpcomingFeature("ImmutableWeakCaptures"),
    ]
    // A dependant must not fail on a warning that a newer compiler invents, so only our own CI is strict.
    if Context.environment["ORIEL_WARNINGS_AS_ERRORS"] == "1" {
        settings.append(.treatAllWarnings(as: .error))
    }
    return settings
}()

/// The commit that a release is built from, which the program then tells.
let revision: [CSetting] = Context.environment["ORIEL_REVISION"].map { [.define("ORIEL_REVISION", to: "\"\($0)\"")] } ?? []

/// A library that only the daemon links; a consumer without the trait does not even fetch its package.
func collector(_ name: String, _ package: String) -> Target.Dependency {
    .product(name: name, package: package, condition: .when(traits: ["Collector"]))
}

let package = Package(
    name: "oriel",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "Oriel", targets: ["Oriel", "OrielClient"]),
        .library(name: "OrielTesting", targets: ["OrielTesting"]),
        .executable(name: "oriel", targets: ["OrielCommand"]),
    ],
    traits: [
        .trait(name: "Collector", description: "The daemon and the command line: OrielCollector and the product oriel."),
        .trait(name: "TLS", description: "TLS for the daemon's listeners and the client's delivery."),
        .trait(name: "ServiceLifecycle", description: "The client as a service of swift-service-lifecycle."),
        .default(enabledTraits: ["Collector", "TLS", "ServiceLifecycle"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics.git", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing.git", from: "1.7.3"),
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.1", traits: []),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-http2.git", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-nio-extras.git", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types.git", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
        .package(url: "https://github.com/swift-server/async-http-client.git", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
    ],
    targets: [
        // The client: light; of system libraries only zlib.
        .target(name: "OrielTelemetry", swiftSettings: settings),
        .target(name: "OrielOTLP", dependencies: ["OrielTelemetry"], swiftSettings: settings),
        // What works outside the cooperative pool: threads of our own, and how they wait.
        .target(name: "OrielThreads", swiftSettings: settings),
        .target(name: "OrielClient", dependencies: ["OrielOTLP", "OrielTelemetry", "OrielThreads"], swiftSettings: settings),
        .target(
            name: "OrielExporterOTLP",
            dependencies: [
                "OrielClient", "OrielOTLP", "OrielTelemetry", "OrielThreads", "CZlib",
                .product(name: "NIOSSL", package: "swift-nio-ssl", condition: .when(traits: ["TLS"])),
                .product(name: "NIOEmbedded", package: "swift-nio", condition: .when(traits: ["TLS"])),
                .product(name: "NIOCore", package: "swift-nio", condition: .when(traits: ["TLS"])),
                .product(name: "NIOTLS", package: "swift-nio", condition: .when(traits: ["TLS"])),
            ],
            path: "Exporters/OTLP",
            swiftSettings: settings
        ),
        .target(
            name: "OrielExporterConsole", dependencies: ["OrielClient", "OrielOTLP", "OrielTelemetry"], path: "Exporters/Console",
            swiftSettings: settings),
        .target(
            name: "OrielExporterPrometheus", dependencies: ["OrielClient", "OrielTelemetry", "OrielThreads"], path: "Exporters/Prometheus",
            swiftSettings: settings),
        .target(
            name: "Oriel",
            dependencies: [
                "OrielClient", "OrielOTLP", "OrielTelemetry", "OrielThreads", "OrielExporterOTLP", "OrielExporterConsole", "OrielExporterPrometheus",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle", condition: .when(traits: ["ServiceLifecycle"])),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "OrielTesting",
            dependencies: [
                "Oriel", "OrielClient", "OrielOTLP", "OrielTelemetry",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ],
            swiftSettings: settings
        ),

        // System libraries as modules.
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        // glibc's malloc.h, which its module leaves out.
        .systemLibrary(name: "CMalloc"),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(name: "CSnappy", providers: [.apt(["libsnappy-dev"])]),
        .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),

        // The daemon, from the bottom up.
        .target(name: "OrielCompression", dependencies: ["CZlib", "CZstd", "CSnappy"], swiftSettings: settings),
        .target(name: "OrielStore", dependencies: ["OrielTelemetry"], swiftSettings: settings),
        .target(
            name: "OrielSQLite",
            dependencies: ["OrielStore", "OrielTelemetry", "OrielThreads", "OrielCompression", "CSQLite"],
            swiftSettings: settings
        ),
        .target(
            name: "OrielCollector",
            dependencies: [
                "OrielStore", "OrielSQLite", "OrielOTLP", "OrielClient", "OrielCompression", "OrielTelemetry", "CYAML",
                collector("Hummingbird", "hummingbird"),
                collector("HummingbirdCore", "hummingbird"),
                collector("NIOCore", "swift-nio"),
                collector("NIOPosix", "swift-nio"),
                collector("NIOHTTP1", "swift-nio"),
                collector("NIOConcurrencyHelpers", "swift-nio"),
                collector("NIOHTTP2", "swift-nio-http2"),
                collector("NIOHTTPTypes", "swift-nio-extras"),
                collector("NIOHTTPTypesHTTP1", "swift-nio-extras"),
                collector("NIOHTTPTypesHTTP2", "swift-nio-extras"),
                collector("HTTPTypes", "swift-http-types"),
                collector("Crypto", "swift-crypto"),
                collector("ServiceLifecycle", "swift-service-lifecycle"),
                .product(name: "NIOSSL", package: "swift-nio-ssl", condition: .when(traits: ["TLS"])),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings
        ),
        .target(name: "CRevision", cSettings: revision),
        .executableTarget(
            name: "OrielCommand",
            dependencies: [
                .target(name: "CMalloc", condition: .when(platforms: [.linux])), "CRevision", "OrielCollector", "OrielStore", "OrielSQLite", "OrielOTLP",
                "Oriel", "OrielClient", "OrielCompression", "OrielTelemetry",
                collector("ArgumentParser", "swift-argument-parser"),
                collector("AsyncHTTPClient", "async-http-client"),
                collector("ServiceLifecycle", "swift-service-lifecycle"),
                collector("UnixSignals", "swift-service-lifecycle"),
                collector("NIOCore", "swift-nio"),
                collector("NIOPosix", "swift-nio"),
                collector("NIOHTTP1", "swift-nio"),
                collector("NIOHPACK", "swift-nio-http2"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ],
            swiftSettings: settings
        ),

        // What any engine must pass, and the model that engines are compared with.
        .target(
            name: "OrielStoreConformance", dependencies: ["OrielStore", "OrielTelemetry"], path: "Tests/OrielStoreConformance", swiftSettings: settings),

        // Random OTLP messages, for whoever must keep every field of them.
        .target(name: "OrielOTLPMessages", dependencies: ["OrielOTLP", "OrielTelemetry"], path: "Tests/OrielOTLPMessages", swiftSettings: settings),

        .testTarget(name: "OrielTelemetryTests", dependencies: ["OrielTelemetry"], swiftSettings: settings),
        .testTarget(
            name: "OrielOTLPTests", dependencies: ["OrielOTLPMessages", "OrielOTLP", "OrielTelemetry"], exclude: ["Fixtures"], swiftSettings: settings),
        .testTarget(name: "OrielCompressionTests", dependencies: ["OrielCompression", "CZlib", "CZstd", "CSnappy"], swiftSettings: settings),
        .testTarget(name: "OrielClientTests", dependencies: ["OrielClient", "OrielOTLP", "OrielTelemetry", "OrielThreads"], swiftSettings: settings),
        .testTarget(
            name: "OrielExporterTests",
            dependencies: [
                "OrielExporterOTLP", "OrielExporterConsole", "OrielExporterPrometheus", "OrielClient", "OrielOTLP", "OrielTelemetry", "OrielThreads",
                "OrielCompression",
            ],
            swiftSettings: settings),
        // Apart from the others, since NIO's modules lay claim to the structures of socket addresses.
        .testTarget(
            name: "OrielExporterTLSTests",
            dependencies: [
                "OrielExporterOTLP", "OrielClient", "OrielTelemetry", "OrielThreads",
                .product(name: "NIOSSL", package: "swift-nio-ssl", condition: .when(traits: ["TLS"])),
                .product(name: "NIOCore", package: "swift-nio", condition: .when(traits: ["TLS"])),
                .product(name: "NIOPosix", package: "swift-nio", condition: .when(traits: ["TLS"])),
                .product(name: "NIOHTTP1", package: "swift-nio", condition: .when(traits: ["TLS"])),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "OrielTests",
            dependencies: [
                "Oriel", "OrielTesting", "OrielExporterPrometheus", "OrielClient", "OrielOTLP", "OrielTelemetry",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle", condition: .when(traits: ["ServiceLifecycle"])),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "OrielStoreTests", dependencies: ["OrielStoreConformance", "OrielStore", "OrielTelemetry"], swiftSettings: settings),
        .testTarget(
            name: "OrielSQLiteFilesTests",
            dependencies: ["OrielSQLite", "OrielStore", "OrielTelemetry", "OrielThreads", "OrielCompression", "CSQLite"], swiftSettings: settings
        ),
        .testTarget(
            name: "OrielSQLiteColumnsTests", dependencies: ["OrielSQLite", "OrielStore", "OrielTelemetry", "OrielThreads", "OrielCompression"],
            swiftSettings: settings),
        .testTarget(
            name: "OrielSQLiteTests", dependencies: ["OrielSQLite", "OrielStoreConformance", "OrielStore", "OrielTelemetry", "OrielThreads"],
            swiftSettings: settings),
        .testTarget(
            name: "OrielRoundTripTests",
            dependencies: ["OrielOTLPMessages", "OrielSQLite", "OrielStore", "OrielOTLP", "OrielTelemetry"], swiftSettings: settings),
        .testTarget(
            name: "OrielCollectorTests",
            dependencies: [
                "OrielCollector", "OrielSQLite", "OrielStoreConformance", "OrielStore", "OrielOTLP", "OrielClient", "OrielCompression", "OrielTelemetry",
                collector("AsyncHTTPClient", "async-http-client"),
                collector("Hummingbird", "hummingbird"),
                collector("HTTPTypes", "swift-http-types"),
                collector("NIOCore", "swift-nio"),
                collector("NIOPosix", "swift-nio"),
                collector("NIOHTTP1", "swift-nio"),
                collector("NIOHTTP2", "swift-nio-http2"),
                collector("NIOHTTPTypes", "swift-nio-extras"),
                collector("NIOHTTPTypesHTTP2", "swift-nio-extras"),
                collector("ServiceLifecycle", "swift-service-lifecycle"),
                .product(name: "NIOSSL", package: "swift-nio-ssl", condition: .when(traits: ["TLS"])),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "OrielCommandTests",
            dependencies: [
                "OrielCommand", "OrielCollector", "OrielStoreConformance", "OrielStore", "OrielOTLP", "Oriel", "OrielClient", "OrielTelemetry",
                collector("ArgumentParser", "swift-argument-parser"),
            ],
            swiftSettings: settings
        ),
    ],
    swiftLanguageModes: [.v6]
)
