// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Why a storage plugin refused or failed; it becomes the error of the call.
public struct StorageError: Error, Sendable, Hashable {
    /// The canonical codes that storage uses.
    public enum Code: Sendable, Hashable {
        case cancelled, invalidArgument, deadlineExceeded, notFound, alreadyExists, permissionDenied
        case resourceExhausted, failedPrecondition, aborted, outOfRange, unimplemented, `internal`, unavailable
        case dataLoss
    }

    /// Whether what was asked for happened.
    public enum Effect: Sendable, Hashable {
        /// Nothing was stored.
        case none
        /// It may have been stored.
        case unknown
    }

    /// Whether the same call may be made again.
    public enum Retry: Sendable, Hashable {
        case never, safe
        /// After this many milliseconds.
        case after(milliseconds: UInt64)
    }

    /// The canonical code.
    public var code: Code
    /// Stable and dotted, such as `sql.unique`.
    public var reason: String
    /// One sentence: the reason and the fix.
    public var message: String
    /// JSON pointer into the request, or empty.
    public var detail: String
    /// `none`, but where the engine failed in its midst.
    public var effect: Effect
    /// `never`, but for what passes by itself.
    public var retry: Retry

    /// An error; its effect is `unknown` where the code is `internal` and nothing else is said.
    public init(
        _ code: Code, _ reason: String, _ message: String, detail: String = "", effect: Effect? = nil,
        retry: Retry = .never
    ) {
        self.code = code
        self.reason = reason
        self.message = message
        self.detail = detail
        self.effect = effect ?? (code == .internal ? .unknown : .none)
        self.retry = retry
    }

    /// The same error, said of one part of the request.
    public func at(_ pointer: String) -> StorageError {
        var error = self
        error.detail = pointer
        return error
    }

    /// The same error with what it happened in before its message.
    public func within(_ place: String) -> StorageError {
        var error = self
        error.message = "\(place): \(message)"
        return error
    }

    /// Nobody waits for the answer any more.
    public static let cancelled = StorageError(
        .cancelled, "sql.cancelled", "The call ended before its statement did.")
    /// The instance has ended or has not begun.
    public static let closed = StorageError(.unavailable, "sql.closed", "The database is closed.", retry: .safe)

    /// A transaction outlived its limit.
    public static func transactionTimeout(milliseconds: Int) -> StorageError {
        StorageError(
            .aborted, "sql.transaction_timeout",
            "The transaction was open for \(milliseconds) ms, its limit, and was rolled back; do less in it.")
    }

    /// A statement outlived its limit.
    public static func statementTimeout(milliseconds: Int) -> StorageError {
        StorageError(
            .deadlineExceeded, "sql.statement_timeout",
            "The statement ran for \(milliseconds) ms, its limit, and was stopped; ask for less or allow more.")
    }

    /// A text that no engine would take.
    public static func syntax(_ message: String) -> StorageError {
        StorageError(.invalidArgument, "sql.syntax", message)
    }

    /// A number of a statement that this instance does not know.
    public static let unknownStatement = StorageError(
        .failedPrecondition, "sql.unknown_statement", "The prepared statement is not known here; prepare it again.",
        retry: .safe)
}
