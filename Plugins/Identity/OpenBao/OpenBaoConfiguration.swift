// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatrePlugin

/// The configuration of an instance; the schema in `plugin.json` holds defaults and bounds.
struct OpenBaoConfiguration: Decodable, Sendable {
    /// Where the server is.
    var address: String
    /// Empty for the root namespace.
    var namespace: String
    var authentication: Authentication
    /// Where AppRole is mounted.
    var appRoleMount: String
    var transitMount: String
    var transitKey: String
    var kvMount: String
    var timeoutMilliseconds: UInt32

    /// How the server knows us.
    enum Authentication: String, Decodable, Sendable {
        case token
        case appRole = "approle"
    }

    enum CodingKeys: String, CodingKey {
        case address, namespace, authentication
        case appRoleMount = "approle_mount"
        case transitMount = "transit_mount"
        case transitKey = "transit_key"
        case kvMount = "kv_mount"
        case timeoutMilliseconds = "timeout_ms"
    }

    /// Plain HTTP is for a server on the same machine, in development.
    func check(development: Bool) throws {
        guard !address.hasPrefix("https://") else { return }
        guard development, isLoopback else { throw OpenBaoError.plainAddress }
    }

    private var isLoopback: Bool {
        let authority = address.drop { $0 != "/" }.drop { $0 == "/" }.prefix { $0 != "/" }
        if authority.hasPrefix("[") { return authority.prefix { $0 != "]" } == "[::1" }
        let host = authority.prefix { $0 != ":" }
        return host == "localhost"
            || host.wholeMatch(of: #/127\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}/#) != nil
    }

    /// The URL of an API path.
    func url(_ path: String) -> String {
        var base = Substring(address)
        while base.hasSuffix("/") { base.removeLast() }
        return "\(base)/v1/\(path)"
    }
}
