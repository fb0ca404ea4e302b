// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatrePlugin

/// Why the plugin refuses an address; the rest is every provider of codes'.
enum EmailOTPError {
    static func identifier() -> PluginError {
        .invalid("/identifier", "auth.bad_identifier", "This is no e-mail address; write one like name@example.org.")
    }
}
