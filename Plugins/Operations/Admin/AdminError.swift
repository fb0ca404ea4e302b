// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatrePlugin

/// Why the plugin refuses a call.
enum AdminError {
    static var notAnOperator: PluginError {
        PluginError(
            .permissionDenied, "admin.not_an_operator",
            "Only operators may look after plugins: those with the role admin, and those named in the instance's configuration."
        )
    }
}
