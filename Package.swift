// swift-tools-version: 6.2
// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

/// One plugin: its library, its targets and its unit tests.
struct PluginRow {
    let group: String
    let name: String
    var libraries: [Target.Dependency] = []
    /// Files of its folder that are embedded by its entry.
    var embedded: [String] = []
    /// What its unit tests need beside it.
    var tests: [Target.Dependency] = []
}

let plugins = [
    PluginRow(
        group: "Content", name: "Anthropic", libraries: ["ModelServers", "TheatreManifest"],
        tests: ["EmulatedHost", "Emulators", .product(name: "NIOHTTP1", package: "swift-nio")]),
    PluginRow(group: "Content", name: "Offline"),
    PluginRow(
        group: "Content", name: "OpenAI", libraries: ["ModelServers", "TheatreManifest"],
        tests: ["EmulatedHost", "Emulators"]),
    PluginRow(
        group: "Culture", name: "Baghdad", libraries: ["CulturePacks"], embedded: ["pack.json"],
        tests: ["TheatreManifest"]),
    PluginRow(
        group: "Culture", name: "Bianjing", libraries: ["CulturePacks"], embedded: ["pack.json"],
        tests: ["TheatreManifest"]),
    PluginRow(
        group: "Identity", name: "Access", libraries: ["PersonalExports", "TheatreManifest", "TheatreSchedules"],
        tests: ["SQLite"]),
    PluginRow(
        group: "Identity", name: "Accounts", libraries: ["Addresses", "PersonalExports"], tests: ["Password", "SQLite"]),
    PluginRow(
        group: "Identity", name: "Apple",
        libraries: ["SignIn", .product(name: "Crypto", package: "swift-crypto")],
        tests: ["EmulatedHost", "Emulators", "SQLite"]),
    PluginRow(
        group: "Identity", name: "EmailOTP", libraries: ["Addresses", "OneTimeCodes"],
        tests: ["EmulatedHost", "SQLite"]),
    PluginRow(
        group: "Identity", name: "KeyFile", libraries: [.product(name: "Crypto", package: "swift-crypto")]),
    PluginRow(group: "Identity", name: "OIDC", libraries: ["SignIn"], tests: ["EmulatedHost", "Emulators", "SQLite"]),
    PluginRow(
        group: "Identity", name: "OpenBao",
        tests: ["EmulatedHost", "Emulators", "OpenBaoServer", .product(name: "NIOHTTP1", package: "swift-nio")]),
    PluginRow(
        group: "Identity", name: "Password", libraries: ["Addresses", "CArgon2"], tests: ["SQLite"]),
    PluginRow(
        group: "Identity", name: "PhoneOTP", libraries: ["Addresses", "OneTimeCodes"],
        tests: ["AliyunSMS", "EmulatedHost", "Emulators", "SQLite"]),
    PluginRow(
        group: "Identity", name: "WeChat", libraries: ["SignIn"], tests: ["EmulatedHost", "Emulators", "SQLite"]),
    PluginRow(
        group: "Messaging", name: "AliyunSMS", libraries: ["Addresses", "TextMessages"],
        tests: ["EmulatedHost", "Emulators"]),
    PluginRow(group: "Messaging", name: "Inbox", libraries: ["PersonalExports"], tests: ["SQLite"]),
    PluginRow(group: "Messaging", name: "Telegram", tests: ["EmulatedHost", "Emulators"]),
    PluginRow(
        group: "Messaging", name: "TencentSMS", libraries: ["Addresses", "TextMessages"],
        tests: ["EmulatedHost", "Emulators"]),
    PluginRow(group: "Messaging", name: "Webhook", tests: ["EmulatedHost", "Emulators", "SQLite"]),
    PluginRow(group: "Money", name: "Ledger", libraries: ["PersonalExports"], tests: ["SQLite"]),
    PluginRow(
        group: "Money", name: "Orders", libraries: ["PersonalExports"], tests: ["Ledger", "PaymentSimulator", "SQLite"]),
    PluginRow(group: "Money", name: "PaymentSimulator", tests: ["SQLite"]),
    PluginRow(group: "Operations", name: "Admin", tests: ["SQLite"]),
    PluginRow(group: "Storage", name: "LocalBlobs", libraries: ["CCrypto"], tests: ["SQLite"]),
    PluginRow(
        group: "Storage", name: "PostgreSQL", libraries: ["CPostgreSQL", "TheatreStorage"],
        tests: ["PostgreSQLServer"]),
    PluginRow(group: "Storage", name: "SQLite", libraries: ["CSQLite", "TheatreStorage"], tests: ["CPowerCut"]),
    PluginRow(
        group: "Studio", name: "Drafting", libraries: ["PersonalExports"], tests: ["SQLite", "Offline", "Bianjing"]),
    PluginRow(group: "Studio", name: "Knowledge", tests: ["Offline", "PostgreSQL", "PostgreSQLServer", "SQLite"]),
]

/// Plugins that do something wrong, in Tests/Fixtures.
let fixtures = [
    "AnswersGarbage", "BadConfig", "BelievesSizes", "Blocks", "Bookkeeper", "Brittle", "CallsHostOnly", "CompletesLate",
    "CompletesTwice", "Contrary", "CrashesInCreate", "Demanding", "Exits", "ExportsMore", "Faulty", "Fickle", "Good",
    "Gullible",
    "HangsInActivate", "Incomplete", "IsolatedOnly", "KeepsBorrowed", "Leaks", "Lies", "LiesOfContracts",
    "LiesOfCreate", "LiesOfEntry", "LiesOfMajor", "LiesOfManifest", "LiesOfName", "LiesOfRevision", "LiesOfSize",
    "Lingers", "Loose", "Meddles", "NeedsGrant", "NeedsSecret", "Needy", "NeverCompletes", "NewerHost", "NoEntry",
    "OddAttribute", "OddAttributeType", "OddCapability", "OddOperation", "OddRate", "OddRoute", "OpensSocket",
    "ReadsBeyond", "Remembers", "Shares", "Spawns", "Squats", "Stunted", "Tattles", "ThrowsInCreate", "TwoFaced",
    "Understates",
    "Unguarded",
    "Unruly", "WrongMajor",
    // Nothing is wrong with it but its age.
    "FirstRevision",
    // Nor with this one: a culture pack in C.
    "PackInC",
]

/// Plugins that do nothing wrong, in Tests/Fixtures, written with the SDK.
let sdkFixtures = ["Edition", "Journal", "Parrot", "Relay"]

/// Where an installed program finds the Swift libraries that are installed with it; in the build folder there are none.
func installedRuntime(_ folder: String) -> LinkerSetting {
    .unsafeFlags(["-Xlinker", "-rpath=$ORIGIN/\(folder)/lib/theatreos/swift"])
}

/// Only the entry is exported, nothing undefined remains, and the library is never unmapped.
let pluginLink: [LinkerSetting] = [
    .unsafeFlags([
        "-Xlinker", "--version-script=\(Context.packageDirectory)/PluginAPI/plugin.map",
        "-Xlinker", "-z", "-Xlinker", "defs",
        "-Xlinker", "-z", "-Xlinker", "nodelete",
        "-Xlinker", "--as-needed", "-Xlinker", "--gc-sections",
        "-Xlinker", "--build-id=sha1",
    ]),
    // A library is read, hashed and copied at every start, and tests start hosts by the hundred: without what only
    // debuggers read it is half the size, released a sixth. `THEATRE_SYMBOLS=1 swift build` leaves it in.
    .unsafeFlags(
        Context.environment["THEATRE_SYMBOLS"] == nil ? ["-Xlinker", "-s"] : []),
]

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
]
/// Asynchronous functions go on where their caller runs: in a plugin that is its own threads already, and every change
/// of executor left out is a look-up and perhaps a hop left out.
let staying: [SwiftSetting] = strict + [.enableUpcomingFeature("NonisolatedNonsendingByDefault")]
/// The modules every request runs through. Their state is either behind a lock or owned by one event loop, and the debug
/// build, which the tests run, keeps every exclusivity check; release leaves out the run-time ones, which cost a few
/// per cent of a request. Bounds and overflow checks stay.
let hotPath: [SwiftSetting] =
    staying + [.unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))]
let embed: [CSetting] = [.unsafeFlags(["-std=c2x", "-fvisibility=hidden", "-Wno-c23-extensions"])]

let protobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")
let log = Target.Dependency.product(name: "Logging", package: "swift-log")
func nio(_ name: String) -> Target.Dependency { .product(name: name, package: "swift-nio") }

let api: [Target] = [
    .target(name: "CTheatrePlugin", path: "PluginAPI/CTheatrePlugin"),
    .target(name: "TheatreContracts", dependencies: [protobuf], path: "PluginAPI/TheatreContracts"),
    .target(name: "TheatreSchedules", path: "PluginAPI/TheatreSchedules", swiftSettings: strict),
    .target(
        name: "TheatreStorage", dependencies: ["TheatreContracts", "TheatreSchedules", protobuf],
        path: "PluginAPI/TheatreStorage", swiftSettings: strict),
    .target(name: "TheatreManifest", path: "PluginAPI/TheatreManifest", swiftSettings: strict),
    .target(
        name: "TheatrePlugin", dependencies: ["CTheatrePlugin", "TheatreContracts", "TheatreManifest", protobuf],
        path: "PluginAPI/TheatrePlugin", swiftSettings: hotPath),
    .target(
        name: "TheatrePluginTesting",
        dependencies: ["TheatrePlugin", "TheatreContracts", "TheatreManifest", "CTheatrePlugin", protobuf],
        path: "PluginAPI/TheatrePluginTesting", swiftSettings: strict),
]

let host: [Target] = [
    .target(name: "CTheatreHost", dependencies: ["CTheatrePlugin"], path: "Host/CTheatreHost"),
    .target(
        name: "JSONSchema", dependencies: ["TheatreManifest"], path: "Host/JSONSchema", swiftSettings: strict),
    .target(
        name: "Transcoding", dependencies: ["TheatreContracts", "TheatreManifest", protobuf],
        path: "Host/Transcoding", swiftSettings: strict),
    .target(
        name: "Registry", dependencies: ["TheatreManifest"], path: "Host/Registry", swiftSettings: hotPath),
    .target(
        name: "Runtime",
        dependencies: [
            "CTheatrePlugin", "CTheatreHost", "TheatreContracts", "TheatreManifest", "JSONSchema", "Registry",
            "Transcoding", protobuf,
            log, "Yams", .product(name: "Crypto", package: "swift-crypto"),
        ],
        path: "Host/Runtime", exclude: ["Health/README.md"], swiftSettings: hotPath),
    .target(
        name: "Services",
        dependencies: [
            "Runtime", "TheatreContracts", "TheatreManifest", "TheatreSchedules", protobuf, log, nio("NIOCore"),
            nio("NIOPosix"), nio("NIOHTTP1"),
            .product(name: "AsyncHTTPClient", package: "async-http-client"),
            .product(name: "NIOSSL", package: "swift-nio-ssl"), .product(name: "Crypto", package: "swift-crypto"),
            .product(name: "CryptoExtras", package: "swift-crypto"),
        ],
        path: "Host/Services", exclude: ["Audit/README.md", "Keys/README.md"], swiftSettings: strict),
    .target(
        name: "Gateway",
        dependencies: [
            "Runtime", "Registry", "Transcoding", "TheatreContracts", "TheatreManifest", protobuf, log, nio("NIOCore"),
            nio("NIOPosix"), nio("NIOHTTP1"), nio("NIOTLS"),
            .product(name: "NIOHTTP2", package: "swift-nio-http2"), .product(name: "NIOSSL", package: "swift-nio-ssl"),
            .product(name: "NIOExtras", package: "swift-nio-extras"), .product(name: "JWTKit", package: "jwt-kit"),
            .product(name: "Crypto", package: "swift-crypto"),
        ],
        path: "Host/Gateway", exclude: ["README.md"], swiftSettings: hotPath),
    .target(name: "CTheatreFrames", dependencies: ["CTheatrePlugin"], path: "Host/CTheatreFrames"),
    .target(
        name: "CTheatreIsolation", dependencies: ["CTheatreFrames", "CTheatrePlugin"], path: "Host/CTheatreIsolation"),
    .target(
        name: "Isolation",
        dependencies: [
            "CTheatreIsolation", "CTheatreFrames", "CTheatrePlugin", "CTheatreHost", "Runtime", "TheatreContracts",
            "TheatreManifest", log,
        ],
        path: "Host/Isolation", exclude: ["README.md"], swiftSettings: hotPath),
    .target(
        name: "Remote",
        dependencies: [
            "CTheatreHost", "CTheatrePlugin", "Runtime", "Registry", "Transcoding", "TheatreContracts",
            "TheatreManifest", protobuf, log, nio("NIOCore"), nio("NIOPosix"),
            .product(name: "GRPCCore", package: "grpc-swift-2"),
            .product(name: "GRPCNIOTransportHTTP2Posix", package: "grpc-swift-nio-transport"),
        ],
        path: "Host/Remote", exclude: ["README.md"], swiftSettings: strict),
    .executableTarget(
        name: "theatre-runner", dependencies: ["CTheatreFrames", "CTheatrePlugin"], path: "Host/theatre-runner",
        linkerSettings: [
            .linkedLibrary("dl"), .linkedLibrary("pthread"),
            // What a plugin's libraries call in place of the C library's.
            .unsafeFlags([
                "-Xlinker", "--export-dynamic-symbol=connect", "-Xlinker", "--export-dynamic-symbol=getaddrinfo",
            ]),
            installedRuntime("../.."),
        ]),
    .target(
        name: "Control", dependencies: ["TheatreManifest", nio("NIOCore"), nio("NIOPosix")], path: "Host/Control",
        swiftSettings: strict),
    .target(
        name: "Trust",
        dependencies: [
            "CTheatrePlugin", "Isolation", "Runtime", "Registry", "TheatreManifest",
            .product(name: "Crypto", package: "swift-crypto"),
        ],
        path: "Host/Trust", swiftSettings: strict),
    .target(name: "CValidator", path: "Host/CValidator"),
    .target(
        name: "Validator",
        dependencies: [
            "CValidator", "CTheatrePlugin", "Isolation", "Remote", "Runtime", "Registry", "JSONSchema", "Transcoding",
            "TheatreContracts", "TheatreManifest", protobuf, log,
        ],
        path: "Host/Validator", exclude: ["README.md"], swiftSettings: strict),
    .target(
        name: "Scaffold", dependencies: ["Transcoding", "TheatreContracts", "TheatreManifest", protobuf],
        path: "Host/Scaffold", swiftSettings: strict),
    .target(
        name: "CTheatreSamples", path: "Host/theatre/Samples", exclude: ["chapter.md"], cSettings: embed),
    .executableTarget(
        name: "theatre",
        dependencies: [
            "CTheatreSamples", "Control", "Trust", "Isolation", "Remote", "Gateway", "Transcoding", "Services",
            "Runtime", "Registry", "JSONSchema", "Validator", "Scaffold",
            "TheatreContracts",
            "TheatreManifest", log,
            nio("NIOPosix"), nio("NIOCore"), nio("NIOHTTP1"), protobuf,
            .product(name: "ArgumentParser", package: "swift-argument-parser"),
            .product(name: "AsyncHTTPClient", package: "async-http-client"),
            .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            .product(name: "UnixSignals", package: "swift-service-lifecycle"),
        ],
        path: "Host/theatre", exclude: ["Samples"], swiftSettings: strict, linkerSettings: [installedRuntime("..")]),
]

let libraries: [Target] = [
    .systemLibrary(
        name: "CArgon2", path: "Plugins/CLibraries/CArgon2", pkgConfig: "libargon2",
        providers: [.apt(["libargon2-dev"])]),
    .systemLibrary(
        name: "CPostgreSQL", path: "Plugins/CLibraries/CPostgreSQL", pkgConfig: "libpq",
        providers: [.apt(["libpq-dev"])]),
    .systemLibrary(
        name: "CCrypto", path: "Plugins/CLibraries/CCrypto", pkgConfig: "libcrypto",
        providers: [.apt(["libssl-dev"])]),
    .systemLibrary(
        name: "CSQLite", path: "Plugins/CLibraries/CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]
    ),
]

/// What several plugins share; each has a copy of its own.
let shared: [Target] = [
    .target(
        name: "Addresses", dependencies: ["TheatrePlugin", "TheatreContracts", protobuf],
        path: "Plugins/Libraries/Addresses", exclude: ["README.md"], swiftSettings: staying),
    .target(
        name: "CulturePacks", dependencies: ["TheatrePlugin", "TheatreContracts", protobuf],
        path: "Plugins/Libraries/CulturePacks", exclude: ["README.md"], swiftSettings: staying),
    .target(
        name: "ModelServers", dependencies: ["TheatrePlugin", "TheatreContracts", "TheatreManifest", protobuf],
        path: "Plugins/Libraries/ModelServers", exclude: ["README.md"], swiftSettings: staying),
    .target(
        name: "SignIn",
        dependencies: [
            "TheatrePlugin", "TheatreContracts", "TheatreManifest", protobuf,
            .product(name: "Crypto", package: "swift-crypto"), .product(name: "CryptoExtras", package: "swift-crypto"),
        ],
        path: "Plugins/Libraries/SignIn", exclude: ["README.md"], swiftSettings: staying),
    .target(
        name: "OneTimeCodes",
        dependencies: ["Addresses", "TheatrePlugin", "TheatreContracts", "TheatreManifest", protobuf],
        path: "Plugins/Libraries/OneTimeCodes", exclude: ["README.md"], swiftSettings: staying),
    .target(
        name: "PersonalExports", dependencies: ["TheatrePlugin", "TheatreContracts", protobuf],
        path: "Plugins/Libraries/PersonalExports", exclude: ["README.md"], swiftSettings: staying),
    .target(
        name: "TextMessages",
        dependencies: ["Addresses", "TheatrePlugin", "TheatreContracts", "TheatreManifest", protobuf],
        path: "Plugins/Libraries/TextMessages", exclude: ["README.md"], swiftSettings: staying),
]

let pluginTargets: [Target] = plugins.flatMap { row -> [Target] in
    let path = "Plugins/\(row.group)/\(row.name)"
    return [
        .target(
            name: "\(row.name)Entry", dependencies: ["CTheatrePlugin"], path: "\(path)/Entry",
            exclude: ["contracts.binpb"], publicHeadersPath: ".", cSettings: embed),
        .target(
            name: row.name,
            dependencies: ["TheatrePlugin", "TheatreContracts", .target(name: "\(row.name)Entry"), protobuf]
                + row.libraries,
            path: path, exclude: ["Entry", "README.md", "plugin.json"] + row.embedded, swiftSettings: staying,
            linkerSettings: pluginLink),
        .testTarget(
            name: "\(row.name)Tests",
            dependencies: [
                .target(name: row.name), "TheatrePluginTesting", "TheatreContracts", "SeededRandom", protobuf,
            ]
                + row.libraries + row.tests,
            path: "Tests/Unit/\(row.name)Tests", swiftSettings: strict),
    ]
}

let fixtureTargets: [Target] = fixtures.map { name in
    .target(
        name: name, dependencies: ["CTheatrePlugin"], path: "Tests/Fixtures/\(name)",
        exclude: ["contracts.binpb", "plugin.json"], publicHeadersPath: ".", cSettings: embed,
        linkerSettings: pluginLink)
}

let sdkFixtureTargets: [Target] = sdkFixtures.flatMap { name -> [Target] in
    let path = "Tests/Fixtures/\(name)"
    return [
        .target(
            name: "\(name)Entry", dependencies: ["CTheatrePlugin"], path: "\(path)/Entry",
            exclude: ["contracts.binpb"], publicHeadersPath: ".", cSettings: embed),
        .target(
            name: name, dependencies: ["TheatrePlugin", "TheatreContracts", .target(name: "\(name)Entry"), protobuf],
            path: path, exclude: ["Entry", "plugin.json"], swiftSettings: staying, linkerSettings: pluginLink),
    ]
}

/// Unit tests of what is not a plugin, in Tests/Unit.
func unitTests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(
        name: name, dependencies: dependencies + ["SeededRandom"], path: "Tests/Unit/\(name)", swiftSettings: strict)
}

let tests: [Target] =
    [
        .target(name: "SeededRandom", path: "Tests/SeededRandom", swiftSettings: strict),
        .target(name: "CPowerCut", dependencies: ["CSQLite"], path: "Tests/PowerCut"),
        .target(
            name: "Emulators",
            dependencies: [
                nio("NIOCore"), nio("NIOPosix"), nio("NIOHTTP1"), .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
            ],
            path: "Tests/Emulators", swiftSettings: strict),
        .target(
            name: "EmulatedHost",
            dependencies: ["Emulators", "TheatrePluginTesting", "TheatrePlugin", "TheatreContracts", protobuf],
            path: "Tests/EmulatedHost", swiftSettings: strict),
        .target(name: "FileFaults", path: "Tests/FileFaults"),
        .target(
            name: "Staging",
            dependencies: [
                "Isolation", "Remote", "Runtime", "Registry", "Transcoding", "JSONSchema", "TheatreContracts",
                "TheatreManifest", log,
            ],
            path: "Tests/Staging", swiftSettings: strict),
        .target(
            name: "OpenAPIFaults", dependencies: ["TheatreManifest"], path: "Tests/OpenAPIFaults", swiftSettings: strict
        ),
        .target(
            name: "OpenBaoServer", dependencies: ["TheatreManifest", "Toolchains"], path: "Tests/OpenBaoServer",
            swiftSettings: strict),
        .target(name: "PostgreSQLServer", path: "Tests/PostgreSQLServer", swiftSettings: strict),
        .testTarget(
            name: "ContractTests",
            dependencies: [
                "theatre", "Runtime", "Registry", "Services", "JSONSchema", "Staging", "Transcoding",
                "TheatreContracts", "TheatrePlugin", "TheatrePluginTesting",
                "TheatreManifest", "CTheatrePlugin", protobuf, nio("NIOCore"), log,
            ],
            path: "Tests/Contract", exclude: ["Storage"], swiftSettings: strict),
        .testTarget(
            name: "StorageContractTests",
            dependencies: [
                "TheatrePlugin", "TheatrePluginTesting", "TheatreContracts", "SQLite", "PostgreSQL", "LocalBlobs",
                "PostgreSQLServer", "SeededRandom", protobuf,
            ],
            path: "Tests/Contract/Storage", swiftSettings: strict),
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "CSQLite", "Emulators", "OpenAPIFaults", "OpenBaoServer", "PostgreSQLServer", "Registry",
                "SeededRandom", "Staging",
                "TheatreContracts", "TheatreManifest", "Toolchains", "Transcoding",
                nio("NIOCore"), nio("NIOPosix"), nio("NIOHTTP1"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "NIOHPACK", package: "swift-nio-http2"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            path: "Tests/EndToEnd", exclude: ["Faults/README.md"], swiftSettings: strict),
        unitTests("JSONSchemaTests", ["JSONSchema", "TheatreManifest"]),
        unitTests(
            "DomainSuiteTests", ["TheatrePluginTesting", "TheatrePlugin", "TheatreContracts", "SQLite", protobuf]),
        unitTests(
            "TranscodingTests", ["OpenAPIFaults", "Transcoding", "TheatreContracts", "TheatreManifest", protobuf]),
        unitTests("RegistryTests", ["Registry", "TheatreManifest"]),
        unitTests(
            "RuntimeTests",
            [
                "Runtime", "Registry", "CTheatrePlugin", "CTheatreHost", "TheatreContracts", "TheatreManifest",
                protobuf,
                log,
            ]),
        unitTests(
            "ServicesTests",
            [
                "Services", "Runtime", "TheatreContracts", "TheatreManifest", protobuf, log, nio("NIOCore"),
                nio("NIOPosix"), nio("NIOHTTP1"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"), .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
            ]),
        unitTests(
            "GatewayTests",
            [
                "Gateway", "Runtime", "TheatreContracts", "TheatreManifest", protobuf, log, nio("NIOEmbedded"),
                nio("NIOPosix"), nio("NIOHTTP1"), .product(name: "JWTKit", package: "jwt-kit"),
                .product(name: "NIOHTTP2", package: "swift-nio-http2"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ]),
        unitTests(
            "IsolationTests",
            [
                "Staging", "Isolation", "CTheatreFrames", "CTheatreIsolation", "CTheatrePlugin", "Runtime",
                "TheatreContracts", "TheatreManifest", "JSONSchema", "theatre-runner", "Good", "Unruly", "Bianjing",
                "Offline", "SQLite",
                protobuf, log,
            ]),
        unitTests(
            "RemoteTests",
            [
                "Staging", "Remote", "Isolation", "CTheatrePlugin", "Runtime", "Registry", "Transcoding",
                "TheatreContracts",
                "TheatreManifest", "JSONSchema", "theatre", "theatre-runner", "Good", "Unruly", "Relay", "Parrot",
                "Bianjing", "Baghdad", "PackInC", "Offline", "SQLite", "Ledger", "Accounts", "Password", "Inbox",
                "Webhook", "Orders",
                "PaymentSimulator", "Admin", "Anthropic", "KeyFile", "LocalBlobs", "OpenBao", "Drafting", "Validator",
                .product(name: "GRPCCore", package: "grpc-swift-2"),
                .product(name: "GRPCNIOTransportHTTP2Posix", package: "grpc-swift-nio-transport"), protobuf, log,
            ]),
        unitTests(
            "TrustTests",
            [
                "Trust", "Control", "Runtime", "Registry", "TheatreManifest", "Good",
                .product(name: "Crypto", package: "swift-crypto"),
            ]),
        .target(name: "Toolchains", path: "Tests/Toolchains", swiftSettings: strict),
        .testTarget(
            name: "CodecTests", dependencies: ["Scaffold", "Toolchains", "SeededRandom", protobuf],
            path: "Tests/Unit/CodecTests", exclude: ["Contract", "Drivers"], swiftSettings: strict),
        unitTests("CulturePacksTests", ["CulturePacks", "TheatreContracts", "TheatrePlugin", protobuf]),
        unitTests("ScheduleTests", ["TheatreSchedules"]),
        unitTests(
            "ModelServersTests",
            ["ModelServers", "TheatreContracts", "TheatreManifest", "TheatrePlugin", protobuf]),
        unitTests(
            "SignInTests",
            [
                "SignIn", "TheatreManifest", "TheatrePlugin", .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
            ]),
        unitTests(
            "ValidatorTests",
            ["PostgreSQLServer", "theatre", "Validator", "Runtime", "JSONSchema", "Transcoding", "TheatreManifest"]),
        unitTests(
            "PumpTests",
            [
                "Services", "Runtime", "SQLite", "TheatrePlugin", "TheatrePluginTesting", "TheatreContracts", protobuf,
                log, nio("NIOCore"), nio("NIOPosix"),
            ]),
        unitTests(
            "TheatreTests",
            [
                "theatre", "Services", "Runtime", "TheatreContracts", protobuf,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        unitTests("TheatreManifestTests", ["TheatreManifest", "CTheatrePlugin"]),
        unitTests("TheatreStorageTests", ["TheatreStorage", "TheatreContracts", protobuf]),
        unitTests("TheatrePluginTests", ["TheatrePlugin", "TheatrePluginTesting", "TheatreContracts", protobuf]),
    ] + fixtureTargets + sdkFixtureTargets

let package = Package(
    name: "theatreos",
    products: [
        .executable(name: "theatre", targets: ["theatre"]),
        .executable(name: "theatre-runner", targets: ["theatre-runner"]),
    ]
        + plugins.map { .library(name: $0.name, type: .dynamic, targets: [$0.name]) },
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras.git", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-http2.git", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-protobuf.git", from: "1.39.0", traits: []),
        .package(url: "https://github.com/grpc/grpc-swift-2.git", from: "2.4.3"),
        .package(url: "https://github.com/grpc/grpc-swift-nio-transport.git", from: "2.9.2"),
        .package(url: "https://github.com/jpsim/Yams.git", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client.git", from: "1.37.0", traits: []),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
        .package(url: "https://github.com/vapor/jwt-kit.git", from: "5.7.1"),
    ],
    targets: api + host + libraries + shared + pluginTargets + tests,
    swiftLanguageModes: [.v6]
)

package.products += package.targets.filter { (fixtures + sdkFixtures).contains($0.name) }
    .map { .library(name: $0.name, type: .dynamic, targets: [$0.name]) }

/// Loaded into the server under test before the C library.
package.products.append(.library(name: "FileFaults", type: .dynamic, targets: ["FileFaults"]))

/// For packages beside this one: what plugins are written against, and the host without its program.
let libraryProducts = [
    ("CTheatrePlugin", ["CTheatrePlugin"]),
    ("TheatrePlugin", ["TheatrePlugin", "TheatreContracts", "TheatreStorage", "CTheatrePlugin"]),
    (
        "TheatreHost",
        [
            "Runtime", "Isolation", "Registry", "Gateway", "Services", "Transcoding", "TheatreContracts",
            "TheatreManifest",
        ]
    ),
    ("PostgreSQLServer", ["PostgreSQLServer"]),
]
let targetNames = Set(package.targets.map(\.name))
package.products += libraryProducts.filter { targetNames.isSuperset(of: $0.1) }
    .map { .library(name: $0.0, targets: $0.1) }
