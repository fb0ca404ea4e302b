// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import AnthropicEntry
public import CTheatrePlugin
import TheatrePlugin

/// Makes an instance; called by the host through the plugin's table.
@c(theatre_create_Anthropic)
public func createAnthropic(
    host: UnsafePointer<theatre_host>?, create: UnsafePointer<theatre_create>?,
    instance: UnsafeMutablePointer<UnsafeMutablePointer<theatre_instance>?>?,
    error: UnsafeMutablePointer<theatre_error>?
) -> Int32 {
    PluginEntry.create(Anthropic.self, host, create, instance, error)
}
