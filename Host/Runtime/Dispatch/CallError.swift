// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Why a call failed: `theatre_error` as a Swift value.
public struct CallError: Error, Sendable, Hashable {
    /// A canonical status code.
    public var code: StatusCode
    /// What the failed call did to the world.
    public var effect: Effect
    /// Whether the same request may be sent again.
    public var retry: Retry
    /// Stable dotted code, such as `ledger.insufficient_funds`.
    public var reason: String
    /// One sentence for a person, without secrets.
    public var message: String
    /// JSON pointer to the request field at fault, or empty.
    public var detail: String

    /// An error; without more said, nothing happened and the call must not be repeated.
    public init(
        _ code: StatusCode, _ reason: String, _ message: String, effect: Effect = .none, retry: Retry = .never,
        detail: String = ""
    ) {
        self.code = code
        self.effect = effect
        self.retry = retry
        self.reason = reason
        self.message = message
        self.detail = detail
    }

    /// What a failed call did to the world.
    public enum Effect: UInt32, Sendable, Hashable {
        /// Nothing.
        case none = 0
        /// Perhaps something: reconcile before anything else.
        case unknown = 1
        /// It happened; only the answer failed.
        case applied = 2
    }

    /// Whether the same request may be sent to the same place again.
    public enum Retry: Sendable, Hashable {
        /// No.
        case never
        /// Yes.
        case safe
        /// Yes, but not before this many milliseconds have passed.
        case after(milliseconds: UInt64)
    }
}

extension CallError: CustomStringConvertible {
    /// `FAILED_PRECONDITION ledger.insufficient_funds: 3 CHIP are available, 10 are needed`.
    public var description: String { "\(code) \(reason): \(message)" }
}

/// gRPC's canonical status codes.
public enum StatusCode: Int32, Sendable, Hashable, CaseIterable, CustomStringConvertible {
    case ok = 0
    case cancelled
    case unknown
    case invalidArgument
    case deadlineExceeded
    case notFound
    case alreadyExists
    case permissionDenied
    case resourceExhausted
    case failedPrecondition
    case aborted
    case outOfRange
    case unimplemented
    case `internal`
    case unavailable
    case dataLoss
    case unauthenticated

    /// The code for a raw value; anything unknown reads as UNKNOWN.
    public init(lenient raw: Int32) { self = StatusCode(rawValue: raw) ?? .unknown }

    /// As in gRPC: `FAILED_PRECONDITION`.
    public var description: String {
        switch self {
        case .ok: "OK"
        case .cancelled: "CANCELLED"
        case .unknown: "UNKNOWN"
        case .invalidArgument: "INVALID_ARGUMENT"
        case .deadlineExceeded: "DEADLINE_EXCEEDED"
        case .notFound: "NOT_FOUND"
        case .alreadyExists: "ALREADY_EXISTS"
        case .permissionDenied: "PERMISSION_DENIED"
        case .resourceExhausted: "RESOURCE_EXHAUSTED"
        case .failedPrecondition: "FAILED_PRECONDITION"
        case .aborted: "ABORTED"
        case .outOfRange: "OUT_OF_RANGE"
        case .unimplemented: "UNIMPLEMENTED"
        case .internal: "INTERNAL"
        case .unavailable: "UNAVAILABLE"
        case .dataLoss: "DATA_LOSS"
        case .unauthenticated: "UNAUTHENTICATED"
        }
    }
}
