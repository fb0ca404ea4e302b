// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatrePlugin

extension PluginError {
    /// What the engine says, as the error of a call. A refused or rolled back transaction did nothing.
    init(_ error: SQLiteError) {
        let code: Code =
            switch error.code {
            case .cancelled: .cancelled
            case .invalidArgument: .invalidArgument
            case .notFound: .notFound
            case .alreadyExists: .alreadyExists
            case .permissionDenied: .permissionDenied
            case .resourceExhausted: .resourceExhausted
            case .failedPrecondition: .failedPrecondition
            case .aborted: .aborted
            case .outOfRange: .outOfRange
            case .internal: .internal
            case .unavailable: .unavailable
            case .dataLoss: .dataLoss
            }
        let isTransient = error.reason == "sql.busy" || error.reason == "sql.transaction_timeout"
        self.init(
            code, error.reason, error.message, effect: error.code == .internal ? .unknown : .none,
            retry: isTransient ? .safe : .never, detail: error.detail)
    }
}

/// Runs `body` and gives its engine errors to the caller as the plugin's.
func translating<Output>(_ body: () throws -> Output) throws -> Output {
    do { return try body() } catch let error as SQLiteError { throw PluginError(error) }
}

/// Runs `body` and gives its engine errors to the caller as the plugin's.
func translating<Output>(_ body: () async throws -> Output) async throws -> Output {
    do { return try await body() } catch let error as SQLiteError { throw PluginError(error) }
}
