// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatrePlugin

/// Why the server did not do what it was asked for. What it says in words is repeated nowhere.
enum OpenBaoError {
    static var plainAddress: PluginError {
        .invalid(
            "/address", "openbao.plain_address",
            "The server's address is an https URL; plain http is for one on this machine, in development.")
    }

    static var badKey: PluginError {
        PluginError(.invalidArgument, "keysource.bad_key", "A data key has 1 to 64 bytes.", detail: "/plaintext")
    }

    static func noKey(_ what: String) -> PluginError {
        PluginError(.failedPrecondition, "keysource.no_key", "The master key cannot be used: \(what).")
    }

    static var unknownVersion: PluginError {
        PluginError(
            .failedPrecondition, "keysource.unknown_version",
            "The server no longer decrypts by that version of the key; lower its min_decryption_version.")
    }

    static var tampered: PluginError {
        PluginError(
            .failedPrecondition, "keysource.tampered",
            "The wrapped key or what it is for is not what this key source wrapped.")
    }

    static func missing(_ what: String) -> PluginError {
        PluginError(.notFound, "secretsource.missing", "The vault has no such secret: \(what).", detail: "/path")
    }

    static func refused(_ what: String) -> PluginError {
        PluginError(
            .failedPrecondition, "secretsource.refused", "The vault refuses this deployment: \(what).")
    }

    /// An answer that is none of what the request expects, in the words of the engine that was asked.
    static func failure(_ fault: BaoFault, of engine: BaoEngine) -> PluginError {
        switch fault {
        case .refused(let what), .misconfigured(let what):
            engine == .transit ? noKey(what) : refused(what)
        case .missing:
            engine == .transit ? noKey("there is no such key or engine") : missing("there is none at that path")
        case .rejected:
            engine == .transit
                ? noKey("the server does not take the request") : refused("the server does not take the request")
        case .unreachable(let what, let wait):
            unreachable(.unavailable, what, engine, retry: wait.map { .after(milliseconds: $0) } ?? .safe)
        case .transport(let error): transport(error, of: engine)
        }
    }

    /// An error of the host's own: of its egress, or of its secrets.
    private static func transport(_ error: PluginError, of engine: BaoEngine) -> PluginError {
        switch error.code {
        case .cancelled: error
        case .permissionDenied, .invalidArgument, .failedPrecondition, .notFound:
            failure(.misconfigured(error.message), of: engine)
        case .deadlineExceeded: unreachable(.deadlineExceeded, error.message, engine, retry: .safe)
        default: unreachable(.unavailable, error.message, engine, retry: .safe)
        }
    }

    /// Nothing that is asked of the server changes anything there.
    private static func unreachable(
        _ code: PluginError.Code, _ what: String, _ engine: BaoEngine, retry: PluginError.Retry
    ) -> PluginError {
        let message = "The vault does not answer: \(what)."
        return engine == .transit
            ? PluginError(code, "keysource.unreachable", message, retry: retry)
            : PluginError(code, "secretsource.unreachable", message, retry: retry)
    }
}
