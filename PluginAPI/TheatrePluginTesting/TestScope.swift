// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import TheatrePlugin

/// What a test calls on behalf of: a principal of a tenant, as the gateway would have found them.
public struct TestScope: CallScope {
    /// Where the calls go out.
    public let origin: CallOrigin
}
