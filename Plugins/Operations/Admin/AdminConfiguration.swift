// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Who is let in.
struct AdminConfiguration: Decodable, Sendable {
    /// Ids of people who are operators beside those whose token has the role `admin`.
    var operators: Set<String>
}
