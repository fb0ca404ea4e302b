// swift-tools-version: 6.2
// TheatreOS
// SPDX-License-Identifier: Apache-2.0
// What plugins are written against, in Swift, for packages of their own: `.package(path: "…/PluginAPI")`. `make install`
// puts it into share/theatreos, with the one library that it needs beside it, so that it builds without a network.

import FoundationEssentials
import PackageDescription

/// The SDK's warnings are for those who write the SDK.
let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
    .unsafeFlags(["-suppress-warnings"]),
]
let protobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")
let isInstalled = FileManager.default.fileExists(atPath: "\(Context.packageDirectory)/swift-protobuf/Package.swift")

let package = Package(
    name: "PluginAPI",
    products: [
        .library(
            name: "TheatrePlugin", targets: ["TheatrePlugin", "TheatreContracts", "TheatreManifest", "CTheatrePlugin"]),
        .library(name: "TheatrePluginTesting", targets: ["TheatrePluginTesting"]),
        .library(name: "TheatreSchedules", targets: ["TheatreSchedules"]),
        .library(name: "TheatreStorage", targets: ["TheatreStorage"]),
    ],
    dependencies: [
        isInstalled
            ? .package(path: "swift-protobuf")
            : .package(url: "https://github.com/apple/swift-protobuf.git", from: "1.39.0", traits: [])
    ],
    targets: [
        .target(name: "CTheatrePlugin", path: "CTheatrePlugin"),
        .target(name: "TheatreContracts", dependencies: [protobuf], path: "TheatreContracts"),
        .target(name: "TheatreSchedules", path: "TheatreSchedules", swiftSettings: strict),
        .target(
            name: "TheatreStorage", dependencies: ["TheatreContracts", "TheatreSchedules", protobuf],
            path: "TheatreStorage", swiftSettings: strict),
        .target(name: "TheatreManifest", path: "TheatreManifest", swiftSettings: strict),
        .target(
            name: "TheatrePlugin", dependencies: ["CTheatrePlugin", "TheatreContracts", "TheatreManifest", protobuf],
            path: "TheatrePlugin",
            swiftSettings: strict + [.enableUpcomingFeature("NonisolatedNonsendingByDefault")]),
        .target(
            name: "TheatrePluginTesting",
            dependencies: ["TheatrePlugin", "TheatreContracts", "TheatreManifest", "CTheatrePlugin", protobuf],
            path: "TheatrePluginTesting", swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
