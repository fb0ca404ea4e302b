// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatrePlugin

/// Why an instance cannot be made; what a sign-in is refused with is every such provider's.
enum OIDCError {
    static func plainIssuer() -> PluginError {
        .invalid(
            "/issuer", "auth.plain_issuer",
            "An issuer is an https URL outside of development; what comes over plain HTTP proves nothing.")
    }
}
