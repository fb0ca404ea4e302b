// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CTheatrePlugin
import KnowledgeEntry
import TheatrePlugin

/// Creates an instance for a host.
@c(theatre_create_Knowledge)
public func createKnowledge(
    host: UnsafePointer<theatre_host>?, create: UnsafePointer<theatre_create>?,
    instance: UnsafeMutablePointer<UnsafeMutablePointer<theatre_instance>?>?,
    error: UnsafeMutablePointer<theatre_error>?
) -> Int32 {
    PluginEntry.create(Knowledge.self, host, create, instance, error)
}
