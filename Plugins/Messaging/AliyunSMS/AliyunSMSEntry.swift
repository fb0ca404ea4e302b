// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import AliyunSMSEntry
public import CTheatrePlugin
import TheatrePlugin

/// Makes an instance; called by the host through the plugin's table.
@c(theatre_create_AliyunSMS)
public func createAliyunSMS(
    host: UnsafePointer<theatre_host>?, create: UnsafePointer<theatre_create>?,
    instance: UnsafeMutablePointer<UnsafeMutablePointer<theatre_instance>?>?,
    error: UnsafeMutablePointer<theatre_error>?
) -> Int32 {
    PluginEntry.create(AliyunSMS.self, host, create, instance, error)
}
