// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Who a verified token speaks for.
public struct Principal: Sendable, Hashable {
    /// A user id, `usr_…`, or `svc:NAME`.
    public var id: String
    /// A person or a program.
    public var kind: Kind
    /// The session the token belongs to, or empty.
    public var session: String
    /// Sorted.
    public var roles: [String]
    /// Whose data it may touch.
    public var tenant: String
    /// When the token ends, in milliseconds since 1970.
    public var expiresAt: Int64
    /// All that the token may do, as `RESOURCE:ACTION` of routes, `RESOURCE:*` or `*`; nil: all that its holder may.
    public var scopes: [String]?

    /// A principal.
    public init(
        id: String, kind: Kind, session: String = "", roles: [String] = [], tenant: String = "default",
        expiresAt: Int64,
        scopes: [String]? = nil
    ) {
        self.id = id
        self.kind = kind
        self.session = session
        self.roles = roles.sorted()
        self.tenant = tenant
        self.expiresAt = expiresAt
        self.scopes = scopes
    }

    /// Kinds of principals with tokens.
    public enum Kind: Sendable, Hashable {
        /// A person.
        case user
        /// A program with a credential of its own.
        case service
    }

    /// Whether what it came with is good for this, whatever its holder may.
    func permits(_ resource: String, _ action: String) -> Bool {
        guard let scopes else { return true }
        return scopes.contains { scope in
            scope == "*" || scope == "\(resource):\(action)" || scope == "\(resource):*"
        }
    }

    /// Whether it may call a route of this access.
    func mayCall(_ access: RouteAccess) -> Bool {
        switch access {
        case .anyone: true
        case .user: kind == .user
        case .service: kind == .service
        case .admin: roles.contains("admin")
        }
    }
}

/// Verifies bearer tokens. Called once for a token and event loop; what it returns is kept until it expires.
public protocol TokenVerifier: Sendable {
    /// Whom the token speaks for.
    ///
    /// - Throws: ``TokenError`` for any fault of the token.
    func verify(_ token: String) async throws -> Principal
}

/// Why a token is refused.
public struct TokenError: Error, Sendable, Hashable {
    /// Stable code, such as `auth.token_expired`.
    public let reason: String
    /// One sentence, without the token.
    public let message: String

    /// A refusal.
    public init(_ reason: String, _ message: String) {
        self.reason = reason
        self.message = message
    }
}
