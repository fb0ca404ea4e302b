// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatrePlugin

/// Why the plugin refuses a call.
enum AccountsError {
    static func email() -> PluginError {
        .invalid("/email", "accounts.bad_email", "This is no e-mail address; write one like name@example.org.")
    }

    static func nickname() -> PluginError {
        .invalid("/nickname", "accounts.bad_nickname", "A nickname has 1 to 40 visible characters; choose another.")
    }

    static func locale() -> PluginError {
        .invalid("/locale", "accounts.bad_locale", "This is no language tag; write one like en or zh-Hant.")
    }

    static func bio() -> PluginError {
        .invalid(
            "/bio", "accounts.bad_bio", "A text about oneself has at most 500 characters and no controls; change it.")
    }

    static func timeZone() -> PluginError {
        .invalid("/time_zone", "accounts.bad_time_zone", "This is no time zone; write one like Asia/Shanghai or UTC.")
    }

    static func noUser() -> PluginError { .notFound("accounts.no_user", "There is no such user.") }

    static func noSession() -> PluginError {
        .notFound("accounts.no_session", "You have no such session, or it has ended; look at the list of yours.")
    }

    static func exists() -> PluginError {
        PluginError(.alreadyExists, "accounts.exists", "There is an account with this address; sign in.")
    }

    static func inProgress() -> PluginError {
        PluginError(
            .aborted, "accounts.in_progress", "This address is being registered; try again in a moment.",
            retry: .after(milliseconds: 5000))
    }

    /// One answer for an unknown address and a wrong password.
    static func refused() -> PluginError {
        PluginError(.unauthenticated, "accounts.refused", "The address or the password is wrong; check both.")
    }

    /// One answer for whatever is wrong with a refresh token.
    static func refreshRefused() -> PluginError {
        PluginError(.unauthenticated, "accounts.refused", "The refresh token does not count; sign in again.")
    }

    static func locked(milliseconds: Int64) -> PluginError {
        PluginError(
            .resourceExhausted, "accounts.locked", "Too many sign-ins with this address failed; try again later.",
            retry: .after(milliseconds: UInt64(max(1000, milliseconds))))
    }

    static func noAccount() -> PluginError {
        .notFound("accounts.not_found", "The account of this token is gone; register again.")
    }

    static func noKey(_ key: String) -> PluginError {
        PluginError(
            .failedPrecondition, "accounts.no_key", "The host has no key \"\(key)\" for this instance; grant one.")
    }

    static func noPath() -> PluginError {
        .notFound("accounts.no_path", "There is nothing at this path.")
    }
}
