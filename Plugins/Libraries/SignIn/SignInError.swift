// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import TheatrePlugin

/// Why a provider that asks somebody else refuses a call.
public enum SignInError {
    /// One answer for whatever is wrong with a proof.
    public static func refused() -> PluginError {
        PluginError(.unauthenticated, "auth.refused", "The sign-in does not count; start it again.")
    }

    /// The other side takes our own credentials for wrong, or is not what the configuration says.
    public static func misconfigured(_ text: String) -> PluginError {
        PluginError(
            .failedPrecondition, "auth.misconfigured",
            "The provider is not set up as the other side wants it: \(text). Look at its configuration and grants.")
    }

    /// No answer came. A code may be used up: only the person can start again.
    public static func unreachable(_ text: String) -> PluginError {
        PluginError(
            .unavailable, "auth.unreachable", "The other side did not answer: \(text). Start the sign-in again.")
    }

    /// The other side asks for a pause.
    public static func throttled(milliseconds: UInt64) -> PluginError {
        PluginError(
            .resourceExhausted, "auth.throttled", "Too many sign-ins at this time; try again later.",
            retry: .after(milliseconds: milliseconds))
    }

    /// The place to return to is none of those configured.
    public static func redirect() -> PluginError {
        .invalid(
            "/redirect_uri", "auth.bad_redirect", "This instance does not return to that URL; configure it first.")
    }

    /// An error of the host's egress.
    public static func transport(_ error: PluginError) -> PluginError {
        switch error.code {
        case .cancelled: error
        case .permissionDenied, .invalidArgument, .failedPrecondition, .notFound: misconfigured(error.message)
        default: unreachable(error.message)
        }
    }
}
