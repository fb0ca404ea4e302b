// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Nothing: where the keyring is, the grant says.
struct KeyFileConfiguration: Decodable, Sendable {}
