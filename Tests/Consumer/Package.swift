// swift-tools-version: 6.2
import PackageDescription

// A package as a user of the client library writes it: without the daemon's traits.
let package = Package(
    name: "consumer",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "oriel", path: "../..", traits: [])
    ],
    targets: [
        .executableTarget(
            name: "ConsumerProgram",
            dependencies: [.product(name: "Oriel", package: "oriel")],
            swiftSettings: [.enableUpcomingFeature("InternalImportsByDefault"), .enableUpcomingFeature("ExistentialAny")]
        )
    ],
    swiftLanguageModes: [.v6]
)
