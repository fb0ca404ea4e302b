// swift-tools-version: 6.2
// TheatreOS
// SPDX-License-Identifier: Apache-2.0
// The library of https://github.com/apple/swift-protobuf alone, of the version that the host was built with: so a plugin
// builds without a network, and reads and writes what the host does. Its sources and licence come with `make install`.

import PackageDescription

let package = Package(
    name: "swift-protobuf",
    products: [.library(name: "SwiftProtobuf", targets: ["SwiftProtobuf"])],
    targets: [.target(name: "SwiftProtobuf", swiftSettings: [.enableUpcomingFeature("ExistentialAny")])],
    swiftLanguageModes: [.v6]
)
