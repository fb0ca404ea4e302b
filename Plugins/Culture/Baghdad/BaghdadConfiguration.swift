// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// The pack has nothing to configure.
struct BaghdadConfiguration: Decodable, Sendable {}
