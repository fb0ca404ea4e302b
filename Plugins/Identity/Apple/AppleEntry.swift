// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import AppleEntry
public import CTheatrePlugin
import TheatrePlugin

/// Makes an instance; called by the host through the plugin's table.
@c(theatre_create_Apple)
public func createApple(
    host: UnsafePointer<theatre_host>?, create: UnsafePointer<theatre_create>?,
    instance: UnsafeMutablePointer<UnsafeMutablePointer<theatre_instance>?>?,
    error: UnsafeMutablePointer<theatre_error>?
) -> Int32 {
    PluginEntry.create(Apple.self, host, create, instance, error)
}
