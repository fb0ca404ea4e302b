// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// The configuration of an instance; the schema in `plugin.json` holds defaults and bounds.
struct LocalBlobsConfiguration: Decodable, Sendable {
    /// The folder; empty for the state folder.
    var path: String
    /// The largest blob, in bytes.
    var maxBytes: Int64
    /// What one plugin may store for one tenant, in bytes; 0 for no bound.
    var quotaBytes: Int64
    /// What all may store, in bytes; 0 for no bound.
    var totalBytes: Int64
    /// The types that may be stored; empty for every type.
    var contentTypes: [String]
    /// Threads that read and write files.
    var threads: Int
    /// Between two sweeps.
    var sweepMinutes: Int64
    /// How long a file that nothing refers to is left.
    var graceMinutes: Int64
    /// How long an upload may take.
    var uploadDays: Int64

    enum CodingKeys: String, CodingKey {
        case path
        case maxBytes = "max_bytes"
        case quotaBytes = "quota_bytes"
        case totalBytes = "total_bytes"
        case contentTypes = "content_types"
        case threads
        case sweepMinutes = "sweep_minutes"
        case graceMinutes = "grace_minutes"
        case uploadDays = "upload_days"
    }
}
