// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CPostgreSQL

/// What a server or the way to it said.
struct WireError: Error, Sendable, Hashable {
    enum Kind: Sendable, Hashable {
        /// The server refused; `state` says why.
        case server
        /// The connection could not be made, or ended.
        case connection
        /// Something of this process.
        case local
        /// There is a server, but the way to it is not as safe as it was asked for.
        case untrusted
    }

    var kind: Kind
    /// SQLSTATE, empty where the server said nothing.
    var state = ""
    /// The server's first line, or libpq's, without line ends.
    var message: String
    /// The table or constraint the server names, or empty.
    var constraint = ""

    init(_ kind: Kind, state: String = "", message: String) {
        self.kind = kind
        self.state = state
        self.message = message
    }

    /// What a failed result says.
    init(result: OpaquePointer) {
        func field(_ code: Int32) -> String {
            PQresultErrorField(result, code).map { String(cString: $0) } ?? ""
        }
        kind = .server
        state = field(Int32(UInt8(ascii: "C")))
        message = field(Int32(UInt8(ascii: "M")))
        constraint = field(Int32(UInt8(ascii: "n")))
        if message.isEmpty {
            kind = .connection
            message = Self.firstLine(PQresultErrorMessage(result).map { String(cString: $0) } ?? "")
        }
    }

    /// What a connection says of itself.
    init(connection: OpaquePointer?) {
        kind = .connection
        message = Self.firstLine(PQerrorMessage(connection).map { String(cString: $0) } ?? "")
        if message.isEmpty { message = "the connection ended" }
        // libpq has no field for what the server said during the start.
        if message.contains("password authentication failed") { state = "28P01" }
        if Self.distrust.contains(where: message.contains) { kind = .untrusted }
        if message.contains("session is read-only") || message.contains("not in hot standby") { state = "25006" }
    }

    /// Parts of what libpq and OpenSSL say of a certificate or its authority, and of a server without TLS.
    private static let distrust = [
        "certificate verify failed", "does not match host name", "could not get server's host name from server cert",
        "server does not support SSL, but", "root certificate file",
    ]

    private static func firstLine(_ text: String) -> String {
        text.split(separator: "\n").joined(separator: "; ")
    }
}
