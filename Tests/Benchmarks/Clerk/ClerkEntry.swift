// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import CTheatrePlugin
internal import TheatrePlugin

/// Makes an instance for the host.
@c(theatre_create_Clerk)
public func createClerk(
    host: UnsafePointer<theatre_host>?, create: UnsafePointer<theatre_create>?,
    instance: UnsafeMutablePointer<UnsafeMutablePointer<theatre_instance>?>?,
    error: UnsafeMutablePointer<theatre_error>?
) -> Int32 {
    PluginEntry.create(Clerk.self, host, create, instance, error)
}
