// swift-tools-version: 6.2
// {{name}}
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

/// Where the SDK is installed: THEATRE_SDK, else where it was when this plugin was made.
let sdk = Context.environment["THEATRE_SDK"] ?? "{{sdk}}"

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let package = Package(
    name: "{{name}}",
    products: [.library(name: "{{name}}", type: .dynamic, targets: ["{{name}}"])],
    dependencies: [.package(path: sdk)],
    targets: [
        // Embeds plugin.json and contracts.binpb, and exports the one function that hosts look for.
        .target(
            name: "{{name}}Entry", dependencies: [.product(name: "TheatrePlugin", package: "PluginAPI")],
            exclude: ["contracts.binpb"], publicHeadersPath: ".",
            cSettings: [.unsafeFlags(["-std=c2x", "-fvisibility=hidden", "-Wno-c23-extensions"])]),
        .target(
            name: "{{name}}",
            dependencies: [
                "{{name}}Entry", .product(name: "TheatrePlugin", package: "PluginAPI"),
            ],
            swiftSettings: settings,
            // Only the entry is exported, nothing undefined remains, and the library is never unmapped.
            linkerSettings: [
                .unsafeFlags([
                    "-Xlinker", "--version-script=\(Context.packageDirectory)/plugin.map",
                    "-Xlinker", "-z", "-Xlinker", "defs", "-Xlinker", "-z", "-Xlinker", "nodelete",
                    "-Xlinker", "--as-needed", "-Xlinker", "--gc-sections", "-Xlinker", "--build-id=sha1",
                ]),
                .unsafeFlags(["-Xlinker", "-s"], .when(configuration: .release)),
            ]),
        .testTarget(
            name: "{{name}}Tests",
            dependencies: [
                "{{name}}", .product(name: "TheatrePlugin", package: "PluginAPI"),
                .product(name: "TheatrePluginTesting", package: "PluginAPI"),
            ],
            swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6]
)
