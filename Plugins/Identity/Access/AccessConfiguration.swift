// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// The configuration of an instance; the schema in `plugin.json` holds defaults and bounds.
struct AccessConfiguration: Decodable, Sendable {
    /// Most members of a project.
    var members: Int64
}
