// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// There is nothing to configure: the same input gives the same output everywhere.
struct OfflineConfiguration: Decodable, Sendable {}
