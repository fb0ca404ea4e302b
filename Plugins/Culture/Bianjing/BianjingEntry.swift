// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import BianjingEntry
import CTheatrePlugin
import TheatrePlugin

/// Creates an instance for a host.
@c(theatre_create_Bianjing)
public func createBianjing(
    host: UnsafePointer<theatre_host>?, create: UnsafePointer<theatre_create>?,
    instance: UnsafeMutablePointer<UnsafeMutablePointer<theatre_instance>?>?,
    error: UnsafeMutablePointer<theatre_error>?
) -> Int32 {
    PluginEntry.create(Bianjing.self, host, create, instance, error)
}
