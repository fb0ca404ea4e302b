// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Why the engine refused or failed; the plugin turns it into the error of the call.
struct SQLiteError: Error, Sendable, Hashable {
    /// The canonical codes the engine uses.
    enum Code: Sendable, Hashable {
        case cancelled, invalidArgument, notFound, alreadyExists, permissionDenied, resourceExhausted
        case failedPrecondition, aborted, outOfRange, `internal`, unavailable, dataLoss
    }

    var code: Code
    /// Stable and dotted, such as `sql.unique`.
    var reason: String
    var message: String
    /// JSON pointer into the request, or empty.
    var detail: String = ""

    init(_ code: Code, _ reason: String, _ message: String, detail: String = "") {
        self.code = code
        self.reason = reason
        self.message = message
        self.detail = detail
    }

    /// The same error, said of one part of the request.
    func at(_ pointer: String) -> SQLiteError {
        var error = self
        error.detail = pointer
        return error
    }

    /// The same error with what it happened in before its message.
    func within(_ place: String) -> SQLiteError {
        var error = self
        error.message = "\(place): \(message)"
        return error
    }

    static let cancelled = SQLiteError(.cancelled, "sql.cancelled", "The call ended before its statement did.")
    static let closed = SQLiteError(.unavailable, "sql.closed", "The database is closed.")

    static func timeout(milliseconds: Int) -> SQLiteError {
        SQLiteError(
            .aborted, "sql.transaction_timeout",
            "The transaction was open for \(milliseconds) ms, its limit, and was rolled back; do less in it.")
    }

    static func syntax(_ message: String) -> SQLiteError { SQLiteError(.invalidArgument, "sql.syntax", message) }
}
