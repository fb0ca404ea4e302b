// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatrePlugin

/// Why the plugin refuses a number; the rest is every provider of codes'.
enum PhoneOTPError {
    static func identifier() -> PluginError {
        .invalid(
            "/identifier", "auth.bad_identifier", "This is no mobile number; write one like +8613800138000.")
    }

    static func unserved() -> PluginError {
        .invalid(
            "/identifier", "auth.unserved", "No codes are sent to numbers of this country; sign in another way.")
    }
}
