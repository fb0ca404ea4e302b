// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import BaghdadEntry
import CTheatrePlugin
import TheatrePlugin

/// Creates an instance for a host.
@c(theatre_create_Baghdad)
public func createBaghdad(
    host: UnsafePointer<theatre_host>?, create: UnsafePointer<theatre_create>?,
    instance: UnsafeMutablePointer<UnsafeMutablePointer<theatre_instance>?>?,
    error: UnsafeMutablePointer<theatre_error>?
) -> Int32 {
    PluginEntry.create(Baghdad.self, host, create, instance, error)
}
