// swift-tools-version: 6.2
// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

let link: [LinkerSetting] = [
    .unsafeFlags([
        "-Xlinker", "--version-script=\(Context.packageDirectory)/../../PluginAPI/plugin.map",
        "-Xlinker", "-z", "-Xlinker", "defs", "-Xlinker", "-z", "-Xlinker", "nodelete",
        "-Xlinker", "--gc-sections", "-Xlinker", "--build-id=sha1",
    ])
]
let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]
let embed: [CSetting] = [.unsafeFlags(["-std=c2x", "-fvisibility=hidden", "-Wno-c23-extensions"])]
let sdk = Target.Dependency.product(name: "TheatrePlugin", package: "theatreos")
let host = Target.Dependency.product(name: "TheatreHost", package: "theatreos")
let protobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")
func nio(_ name: String) -> Target.Dependency { .product(name: name, package: "swift-nio") }

/// A plugin in C.
func cPlugin(_ name: String) -> Target {
    .target(
        name: name, dependencies: [.product(name: "CTheatrePlugin", package: "theatreos")], path: name,
        exclude: ["plugin.json", "contracts.binpb"],
        publicHeadersPath: ".", cSettings: embed, linkerSettings: link)
}

/// A plugin on the SDK.
func plugin(_ name: String) -> [Target] {
    [
        .target(
            name: "\(name)Entry", dependencies: [sdk], path: "\(name)/Entry", exclude: ["contracts.binpb"],
            publicHeadersPath: ".", cSettings: embed),
        .target(
            name: name, dependencies: [sdk, protobuf, .target(name: "\(name)Entry")], path: name,
            exclude: ["plugin.json", "Entry"], swiftSettings: strict, linkerSettings: link),
    ]
}

let package = Package(
    name: "benchmarks",
    products: [.executable(name: "benchmarks", targets: ["Benchmarks"])]
        + ["EchoC", "EchoInline", "EchoPool", "EchoGuarded", "Caller", "Clerk"].map {
            .library(name: $0, type: .dynamic, targets: [$0])
        },
    dependencies: [
        .package(name: "theatreos", path: "../.."),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-protobuf.git", from: "1.39.0", traits: []),
        .package(url: "https://github.com/grpc/grpc-swift-2.git", from: "2.4.3"),
        .package(url: "https://github.com/grpc/grpc-swift-nio-transport.git", from: "2.9.2"),
        .package(url: "https://github.com/vapor/jwt-kit.git", from: "5.7.1"),
    ],
    targets: [
        .target(name: "Baseline", path: "Baseline"),
        .target(name: "SQLiteBaseline", path: "SQLiteBaseline", linkerSettings: [.linkedLibrary("sqlite3")]),
        cPlugin("EchoC"), cPlugin("Caller"),
        .executableTarget(
            name: "Benchmarks",
            dependencies: [
                "Baseline", "SQLiteBaseline", host, protobuf, .product(name: "PostgreSQLServer", package: "theatreos"),
                nio("NIOCore"), nio("NIOPosix"), nio("NIOHTTP1"),
                .product(name: "Logging", package: "swift-log"), .product(name: "JWTKit", package: "jwt-kit"),
                .product(name: "GRPCCore", package: "grpc-swift-2"),
                .product(name: "GRPCNIOTransportHTTP2Posix", package: "grpc-swift-nio-transport"),
            ],
            path: "Benchmarks", swiftSettings: strict),
    ] + plugin("EchoInline") + plugin("EchoPool") + plugin("EchoGuarded") + plugin("Clerk"),
    swiftLanguageModes: [.v6]
)
