// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Why a call failed: what a handler throws, and what a client call throws.
public struct PluginError: Error, Sendable, Hashable {
    /// Canonical status codes, those of gRPC.
    public enum Code: Int32, Sendable, Hashable, CaseIterable {
        /// The caller gave up.
        case cancelled = 1
        /// Of another system, without a code.
        case unknown = 2
        /// The request can never be served.
        case invalidArgument = 3
        /// The time was over.
        case deadlineExceeded = 4
        /// What was asked for is not there.
        case notFound = 5
        /// What was to be made is there.
        case alreadyExists = 6
        /// The caller may not.
        case permissionDenied = 7
        /// A limit was reached.
        case resourceExhausted = 8
        /// The state does not allow it.
        case failedPrecondition = 9
        /// Another was faster; start over.
        case aborted = 10
        /// Beyond the end.
        case outOfRange = 11
        /// Not offered here.
        case unimplemented = 12
        /// A fault of the callee.
        case `internal` = 13
        /// Not now; try again.
        case unavailable = 14
        /// Bytes were lost or damaged.
        case dataLoss = 15
        /// The caller is not known.
        case unauthenticated = 16
    }

    /// What the failed call did to the world.
    public enum Effect: UInt32, Sendable, Hashable {
        /// Nothing: safe to send elsewhere.
        case none = 0
        /// Perhaps: reconcile with the same idempotency key before anything else.
        case unknown = 1
        /// It happened; only the answer failed.
        case applied = 2
    }

    /// Whether the same request may be sent to the same place again.
    public enum Retry: Sendable, Hashable {
        /// Not with the same request.
        case never
        /// At any time.
        case safe
        /// Not before that many milliseconds have passed.
        case after(milliseconds: UInt64)
    }

    /// Canonical code.
    public var code: Code
    /// Stable, lower-case, dotted: `ledger.insufficient_funds`.
    public var reason: String
    /// One sentence for a person, without secrets.
    public var message: String
    /// What the call did.
    public var effect: Effect
    /// Whether to try again.
    public var retry: Retry
    /// JSON pointer to the request field at fault, or empty.
    public var detail: String

    /// An error with everything said.
    public init(
        _ code: Code, _ reason: String, _ message: String, effect: Effect = .none, retry: Retry = .never,
        detail: String = ""
    ) {
        self.code = code
        self.reason = reason
        self.message = message
        self.effect = effect
        self.retry = retry
        self.detail = detail
    }
}

extension PluginError {
    /// INVALID_ARGUMENT that points at a field of the request: `.invalid("/amount", "ledger.bad_amount", "…")`.
    public static func invalid(_ pointer: String, _ reason: String, _ message: String) -> PluginError {
        PluginError(.invalidArgument, reason, message, detail: pointer)
    }

    /// NOT_FOUND.
    public static func notFound(_ reason: String, _ message: String) -> PluginError {
        PluginError(.notFound, reason, message)
    }

    /// UNIMPLEMENTED `plugin.unimplemented`, for optional operations.
    public static func unimplemented(_ operation: String) -> PluginError {
        PluginError(.unimplemented, "plugin.unimplemented", "\(operation) is not offered by this plugin.")
    }
}

extension PluginError: CustomStringConvertible {
    /// `notFound ledger.no_entry: There is no such entry.`
    public var description: String {
        "\(code) \(reason): \(message)\(detail.isEmpty ? "" : " (\(detail))")"
    }
}
