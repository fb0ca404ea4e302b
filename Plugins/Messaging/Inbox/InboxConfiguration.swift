// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// The configuration of an instance; the schema in `plugin.json` holds defaults and bounds.
struct InboxConfiguration: Decodable, Sendable {
    /// How many messages are kept for a person.
    var keep: Int
}
