// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import NIOHTTP1
public import Runtime
internal import SwiftProtobuf
internal import Synchronization
internal import TheatreContracts
public import TheatreManifest

/// A route with what serves it.
public final class RouteEntry: Sendable {
    /// As the manifest states it.
    public let route: Manifest.Route
    /// Instance that serves it.
    public let instance: String
    /// METHOD and template, as in the context and the metrics.
    public let key: String
    let body: RouteBody
    let parameterNames: [String]
    /// POST, PUT, PATCH and DELETE.
    let isMutating: Bool
    let access: RouteAccess
    let success: HTTPResponseStatus
    /// Nanoseconds; 0 for the operation's default.
    let timeout: UInt64
    /// What every context of this route has in common.
    let context: HostContext
    /// The same, encoded.
    let contextFields: [UInt8]
    /// What a route of a project asks of its caller.
    let rule: AccessRule?
    /// The request message has the row's project, which is filled in from where the row is stored.
    let takesProject: Bool
    /// Its body holds a password, a code or the like: no digest of it is kept, by which it could be guessed.
    let hidesBody: Bool
    /// Raw routes: lower-case names of the header fields handed over.
    let rawHeaders: [[UInt8]]
    /// Takes Authorization itself, where it is no bearer's: a route for anyone that asks for the field.
    let takesAuthorization: Bool
    let counters = RouteCounters()
    private let resolve: @Sendable () throws(CallError) -> CallTarget
    private let resolved = Mutex<CallTarget?>(nil)

    /// A route.
    ///
    /// - Parameters:
    ///   - target: looks the operation up; called once, and again after the instance was swapped. Its error is the
    ///     answer while there is no target.
    public init(
        route: Manifest.Route, instance: String, body: RouteBody,
        target: @escaping @Sendable () throws(CallError) -> CallTarget
    ) {
        self.route = route
        self.instance = instance
        self.body = body
        resolve = target
        key = "\(route.method) \(route.path)"
        parameterNames = PathTrie.parameters(of: route.path)
        isMutating = route.method != "GET"
        access = RouteAccess(rawValue: route.access) ?? .admin
        rawHeaders = (route.headers + ["content-type"]).map { Array($0.lowercased().utf8) }
        takesAuthorization = access == .anyone && rawHeaders.contains(Array("authorization".utf8))
        success = HTTPResponseStatus(statusCode: route.status)
        timeout = UInt64(route.timeoutMilliseconds) * 1_000_000
        rule = AccessRule(route)
        if rule?.isRow == true, case .message(let codec) = body {
            takesProject = codec.takes("project_id")
        } else {
            takesProject = false
        }
        // Where an answer is kept, the key must stay bound to what was asked.
        if route.idempotent, case .message(let codec) = body {
            hidesBody = codec.takesSecrets
        } else {
            hidesBody = false
        }
        let context = HostContext.with {
            $0.route = "\(route.method) \(route.path)"
            $0.resource = route.resource
            $0.action = route.action
            $0.audit = route.audit
            $0.decision = "allowed: \(route.access)"
            // An idempotent route's answers are never replayed, so none is kept: theirs may hold tokens.
            $0.answerRequired = route.method != "GET" && route.audit == "change" && !route.idempotent
        }
        self.context = context
        contextFields = context.bytes
    }

    /// Whether a request was refused for a project that is not the one its path leads to.
    func namesAnotherProject(_ error: CallError) -> Bool {
        guard let rule, error.reason == "request.conflict" else { return false }
        return error.detail == "/project_id" || (!rule.isRow && error.detail == "/\(rule.parameter)")
    }

    /// The target as it serves now.
    func target() throws(CallError) -> CallTarget {
        if let known = resolved.withLock({ $0 }) { return known }
        let fresh = try resolve()
        resolved.withLock { $0 = fresh }
        return fresh
    }

    /// An answer is not the operation's response message.
    func noteMalformedAnswer(_ error: any Error) {
        resolved.withLock { $0 }?.noteMalformedAnswer("an answer that is no message of its contract: \(error)")
    }

    /// Makes the next ``target()`` look it up again.
    func forgetTarget() { resolved.withLock { $0 = nil } }
}

/// Who may call a route.
enum RouteAccess: String, Sendable {
    case anyone
    case user
    case service
    case admin
}
