// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatrePlugin
import TheatreStorage

extension PluginError {
    /// What storage says, as the error of a call.
    init(_ error: StorageError) {
        let code: Code =
            switch error.code {
            case .cancelled: .cancelled
            case .invalidArgument: .invalidArgument
            case .deadlineExceeded: .deadlineExceeded
            case .notFound: .notFound
            case .alreadyExists: .alreadyExists
            case .permissionDenied: .permissionDenied
            case .resourceExhausted: .resourceExhausted
            case .failedPrecondition: .failedPrecondition
            case .aborted: .aborted
            case .outOfRange: .outOfRange
            case .unimplemented: .unimplemented
            case .internal: .internal
            case .unavailable: .unavailable
            case .dataLoss: .dataLoss
            }
        let retry: Retry =
            switch error.retry {
            case .never: .never
            case .safe: .safe
            case .after(let milliseconds): .after(milliseconds: milliseconds)
            }
        self.init(
            code, error.reason, error.message, effect: error.effect == .none ? .none : .unknown, retry: retry,
            detail: error.detail)
    }
}

/// Runs `body` and gives its storage errors to the caller as the plugin's.
func translating<Output>(_ body: () throws -> Output) throws -> Output {
    do { return try body() } catch let error as StorageError { throw PluginError(error) }
}

/// Runs `body` and gives its storage errors to the caller as the plugin's.
func translating<Output>(_ body: () async throws -> Output) async throws -> Output {
    do { return try await body() } catch let error as StorageError { throw PluginError(error) }
}
