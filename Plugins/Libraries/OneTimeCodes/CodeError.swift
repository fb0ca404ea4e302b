// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import TheatrePlugin

/// Why a provider of one-time codes refuses a call.
public enum CodeError {
    /// One answer for whatever is wrong with a proof.
    public static func refused() -> PluginError {
        PluginError(.unauthenticated, "auth.refused", "The code does not count; ask for another.")
    }

    /// A budget is used up.
    public static func throttled(milliseconds: Int64) -> PluginError {
        PluginError(
            .resourceExhausted, "auth.throttled", "No more codes are sent at this time; try again later.",
            retry: .after(milliseconds: UInt64(max(1000, milliseconds))))
    }

    /// No code was sent, and none will be before somebody changes the deployment.
    static func misconfigured(_ reason: String) -> PluginError {
        PluginError(
            .failedPrecondition, "auth.misconfigured",
            "No code can be sent: the channel answers \(reason). Look at its configuration and grants.")
    }

    /// No code was sent.
    static func unreachable(_ reason: String) -> PluginError {
        PluginError(
            .unavailable, "auth.unreachable", "The code could not be sent now (\(reason)); ask for another.",
            retry: .after(milliseconds: 5000))
    }
}
