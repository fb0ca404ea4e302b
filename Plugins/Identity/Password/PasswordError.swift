// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatrePlugin

/// Why the plugin refuses a call.
enum PasswordError {
    /// One answer for whatever is wrong with a proof.
    static func refused() -> PluginError {
        PluginError(.unauthenticated, "auth.refused", "The address or the password is wrong; check both.")
    }

    static func identifier() -> PluginError {
        .invalid("/identifier", "auth.bad_identifier", "This is no e-mail address; write one like name@example.org.")
    }

    static func length() -> PluginError {
        .invalid("/secret", "auth.weak_secret", "The password must have 10 to 128 characters; choose another.")
    }

    static func breached() -> PluginError {
        .invalid("/secret", "auth.weak_secret", "This password is among those tried first; choose another.")
    }

    static func sameAsIdentifier() -> PluginError {
        .invalid("/secret", "auth.weak_secret", "The password repeats the address; choose another.")
    }

    static func exists() -> PluginError {
        PluginError(.alreadyExists, "auth.exists", "There is a credential for this address; ask to replace it.")
    }

    static func busy() -> PluginError {
        PluginError(
            .resourceExhausted, "auth.busy", "Too many passwords are being checked; try again in a second.",
            retry: .after(milliseconds: 1000))
    }

    static func closed() -> PluginError {
        PluginError(.unavailable, "auth.closed", "The provider is being stopped; try again.", retry: .safe)
    }

    static func hashing(_ what: String) -> PluginError {
        PluginError(.internal, "auth.hashing", "The password could not be hashed: \(what).")
    }

    static func threads(_ code: Int32) -> PluginError {
        PluginError(.resourceExhausted, "auth.threads", "No thread could be started: error \(code).")
    }

    static func weakCost(_ cost: Argon2Cost) -> PluginError {
        .invalid(
            "/memory_kib", "auth.weak_cost",
            "\(cost.memoryKiB) KiB and \(cost.iterations) passes are below the OWASP minimum; raise memory_kib to 19456 with iterations 2."
        )
    }
}
