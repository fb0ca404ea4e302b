// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreStorage

extension StorageError {
    /// What a server's refusal means to a caller. Its message is kept where it tells of the caller's statement.
    init(_ error: WireError, in namespace: Namespace) {
        guard error.kind == .server || !error.state.isEmpty else {
            self = .connectionLost(error.message)
            return
        }
        self = Self.known(error, namespace) ?? Self.ofClass(error)
    }

    private static func known(_ error: WireError, _ namespace: Namespace) -> StorageError? {
        let message = sentence(error.message)
        switch error.state {
        case "40001", "40P01": return .serialization
        case "23505", "23P01": return StorageError(.alreadyExists, "sql.unique", message)
        case "23503": return StorageError(.failedPrecondition, "sql.foreign_key", message)
        case "42P01", "3F000": return foreignTable(error, namespace) ?? .syntax(message)
        case "42501": return StorageError(.permissionDenied, "sql.foreign_table", message)
        case "25006": return .readOnly
        case "57014": return StorageError(.deadlineExceeded, "sql.statement_timeout", message)
        case "55P03": return StorageError(.aborted, "sql.busy", message, retry: .safe)
        case "25P03", "25P02": return .transactionTimeout(milliseconds: 2000)
        case "22P02" where error.message.contains(RowExpectation.mark): return RowExpectation.failure(error.message)
        case "42P08", "42P18":
            return .syntax("\(message) Write CAST(?N AS …) where a parameter that is NULL stands alone.")
        case "53100":
            return StorageError(
                .resourceExhausted, "sql.full", "The disk of the database is full; make room: \(message)",
                retry: .after(milliseconds: 1000))
        case "0A000": return StorageError(.aborted, "sql.schema_changed", message, retry: .safe)
        case "26000": return StorageError(.aborted, "sql.schema_changed", message, retry: .safe)
        case "XX001", "XX002": return StorageError(.dataLoss, "sql.corrupt", "The database is damaged: \(message)")
        case "58030":
            return StorageError(
                .unavailable, "sql.io", "The server cannot read or write: \(message)",
                retry: .after(milliseconds: 1000))
        default: return nil
        }
    }

    private static func ofClass(_ error: WireError) -> StorageError {
        let message = sentence(error.message)
        switch error.state.prefix(2) {
        case "08", "57": return .connectionLost(error.message)
        case "22": return StorageError(.invalidArgument, "sql.value", message)
        case "23": return StorageError(.failedPrecondition, "sql.check", message)
        case "28", "3D":
            return StorageError(.unavailable, "sql.refused", "The server lets nobody in: \(message)")
        case "40": return .serialization
        case "42": return .syntax(message)
        case "53": return StorageError(.resourceExhausted, "sql.resources", message, retry: .safe)
        case "54": return StorageError(.outOfRange, "sql.too_large", message)
        default: return StorageError(.internal, "sql.engine", "The engine failed with \(error.state): \(message)")
        }
    }

    /// A table of another namespace is refused alike whether it exists or not, so that nobody learns which do.
    private static func foreignTable(_ error: WireError, _ namespace: Namespace) -> StorageError? {
        let parts = error.message.split(separator: "\"", omittingEmptySubsequences: false)
        guard parts.count >= 3, let table = parts[1].split(separator: ".").last.map(String.init),
            table.contains("__"), !namespace.owns(table)
        else { return nil }
        return .foreign(table, namespace)
    }

    /// A table that is not the caller's.
    static func foreign(_ table: String, _ namespace: Namespace) -> StorageError {
        StorageError(
            .permissionDenied, "sql.foreign_table",
            "\"\(table)\" is not a table of \(namespace.name); name your own as {table}.")
    }

    private static func sentence(_ text: String) -> String {
        text.hasSuffix(".") || text.hasSuffix(";") ? text : "\(text)."
    }

    static let serialization = StorageError(
        .aborted, "sql.serialization", "Another transaction got in the way; begin again.", retry: .safe)
    static let readOnly = StorageError(
        .unavailable, "sql.read_only", "The server takes no writes at the moment; try again.", retry: .safe)

    static func connectionLost(_ message: String, effect: StorageError.Effect = .none) -> StorageError {
        StorageError(
            .unavailable, "sql.connection_lost", "The connection to the server ended: \(sentence(message))",
            effect: effect, retry: effect == .none ? .safe : .never)
    }

    /// Why there was no connection.
    init(_ error: PoolError) {
        switch error {
        case .closed: self = .closed
        case .cancelled: self = .cancelled
        case .busy(let milliseconds):
            self = StorageError(
                .resourceExhausted, "sql.pool_busy",
                "Every connection was in use for \(milliseconds) ms; try again, or allow more connections.",
                retry: .safe)
        case .unreachable(let error) where error.kind == .untrusted:
            self = StorageError(
                .unavailable, "sql.untrusted_server",
                "The server is not trusted, see hosts, sslmode and ca_file: \(Self.sentence(error.message))")
        case .unreachable(let error) where error.isFinal:
            self = StorageError(
                .unavailable, "sql.refused", "The server lets nobody in: \(Self.sentence(error.message))")
        case .unreachable(let error):
            self = StorageError(
                .unavailable, "sql.unreachable",
                "No server that takes writes can be reached: \(Self.sentence(error.message))", retry: .safe)
        }
    }

    /// Whether the engine itself may try again at once.
    var isPassing: Bool {
        retry == .safe && effect == .none
            && ["sql.serialization", "sql.read_only", "sql.connection_lost", "sql.schema_changed"].contains(reason)
    }
}
