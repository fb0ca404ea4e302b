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

    static func noProvider() -> PluginError {
        .notFound("accounts.no_provider", "This deployment has no sign-in of this kind; ask which it has.")
    }

    static func identifier() -> PluginError {
        .invalid("/identifier", "accounts.bad_email", "This is no e-mail address; write one like name@example.org.")
    }

    static func deviceSecret() -> PluginError {
        .invalid(
            "/device_secret", "accounts.bad_device", "A device's secret has 43 to 200 characters; make 32 random bytes."
        )
    }

    static func identityTaken() -> PluginError {
        PluginError(
            .alreadyExists, "accounts.identity_taken",
            "This leads to an account already, or yours has one of the kind; merge the two, or unlink it first.")
    }

    static func noIdentity() -> PluginError {
        .notFound("accounts.no_identity", "Your account has no such way to sign in; look at the list of yours.")
    }

    static func lastIdentity() -> PluginError {
        PluginError(
            .failedPrecondition, "accounts.last_identity",
            "An account would be left without a way to sign in; link another first.")
    }

    static func noMerge() -> PluginError {
        .notFound("accounts.no_merge", "Your account has taken over none by this id, or gave it back.")
    }

    static func mergeFinal() -> PluginError {
        PluginError(
            .failedPrecondition, "accounts.merge_final", "Seven days have passed; what was merged stays together.")
    }

    static func ownAccount() -> PluginError {
        PluginError(.failedPrecondition, "accounts.own_account", "This is your own account; name another.")
    }

    static func noFactor() -> PluginError {
        PluginError(.failedPrecondition, "accounts.no_factor", "You have no second factor; enroll one first.")
    }

    static func factorOn() -> PluginError {
        PluginError(
            .failedPrecondition, "accounts.factor_on", "The account has a second factor; turn it off with a code first."
        )
    }

    /// One answer for whatever is wrong with a challenge or a code.
    static func codeRefused() -> PluginError {
        PluginError(
            .unauthenticated, "accounts.code_refused", "The code does not count; wait for the next, or sign in again.")
    }

    static func banned(until: Int64?, at now: Int64) -> PluginError {
        PluginError(
            .permissionDenied, "accounts.banned", "This account is shut out; ask those who look after this place.",
            retry: until.map { .after(milliseconds: UInt64(max(1000, $0 - now))) } ?? .never)
    }

    static func until() -> PluginError {
        .invalid("/until", "accounts.bad_until", "A ban ends in the future; name a later time or none.")
    }

    static func banReason() -> PluginError {
        .invalid("/reason", "accounts.bad_reason", "A ban has a reason; write one.")
    }

    static func byKey() -> PluginError {
        PluginError(
            .permissionDenied, "accounts.by_key",
            "A key makes no further credentials and erases no account; sign in as a person for that.")
    }

    static func unsealed() -> PluginError {
        PluginError(
            .internal, "accounts.unsealed", "The host sealed or opened another number of values than it was given.")
    }

    static func noErasure() -> PluginError {
        .notFound("accounts.no_erasure", "There is no such wish to be erased, or it was taken back.")
    }

    static func erasing() -> PluginError {
        PluginError(
            .failedPrecondition, "accounts.erasing",
            "This account is to be erased; that is taken back first, and no more once it has begun.")
    }

    static func jobKind(_ kind: String) -> PluginError {
        PluginError(.unimplemented, "accounts.unknown_job", "There is no work of the kind \"\(kind)\" here.")
    }

    static func keyName() -> PluginError {
        .invalid("/name", "accounts.bad_key_name", "A key has a name of 1 to 80 characters; say what it is for.")
    }

    static func clientName() -> PluginError {
        .invalid(
            "/name", "accounts.bad_client", "A service has a name of 1 to 40 lower-case letters, digits and dashes.")
    }

    static func scopes() -> PluginError {
        .invalid(
            "/scopes", "accounts.bad_scope", "Name 1 to 50 scopes, each RESOURCE:ACTION of a route, RESOURCE:* or *.")
    }

    static func expiry() -> PluginError {
        .invalid("/expires_at", "accounts.bad_expiry", "A key ends within a year; name an earlier time in the future.")
    }

    static func noKeyOfYours() -> PluginError {
        .notFound("accounts.no_such_key", "You have no such key, or it has ended; look at the list of yours.")
    }

    static func keyRefused() -> PluginError {
        PluginError(.unauthenticated, "accounts.key_refused", "The key does not count; make another.")
    }

    static func clientExists() -> PluginError {
        PluginError(.alreadyExists, "accounts.client_exists", "There is a service of this name; choose another.")
    }

    static func noClient() -> PluginError {
        .notFound("accounts.no_client", "There is no such service, or it has ended; look at the list.")
    }

    static func noPath() -> PluginError {
        .notFound("accounts.no_path", "There is nothing at this path.")
    }
}
