// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import CTheatrePlugin
import OpenBaoEntry
import TheatrePlugin

/// Makes an instance; called by the host through the plugin's table.
@c(theatre_create_OpenBao)
public func createOpenBao(
    host: UnsafePointer<theatre_host>?, create: UnsafePointer<theatre_create>?,
    instance: UnsafeMutablePointer<UnsafeMutablePointer<theatre_instance>?>?,
    error: UnsafeMutablePointer<theatre_error>?
) -> Int32 {
    PluginEntry.create(OpenBao.self, host, create, instance, error)
}
