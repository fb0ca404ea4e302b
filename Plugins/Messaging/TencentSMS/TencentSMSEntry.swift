// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import CTheatrePlugin
import TencentSMSEntry
import TheatrePlugin

/// Makes an instance; called by the host through the plugin's table.
@c(theatre_create_TencentSMS)
public func createTencentSMS(
    host: UnsafePointer<theatre_host>?, create: UnsafePointer<theatre_create>?,
    instance: UnsafeMutablePointer<UnsafeMutablePointer<theatre_instance>?>?,
    error: UnsafeMutablePointer<theatre_error>?
) -> Int32 {
    PluginEntry.create(TencentSMS.self, host, create, instance, error)
}
