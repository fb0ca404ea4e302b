// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// What calls are made on behalf of: a ``Call`` being served, or the ``PluginHost`` itself, which has no tenant.
public protocol CallScope: Sendable {
    /// Where the calls go out, and for which call.
    var origin: CallOrigin { get }
}

/// Where calls go out. Made by the SDK.
public struct CallOrigin: Sendable {
    package let connection: HostConnection
    package let onBehalfOf: UInt64

    package init(connection: HostConnection, onBehalfOf: UInt64) {
        self.connection = connection
        self.onBehalfOf = onBehalfOf
    }
}
