// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// What events say.
enum AccessEvent {
    /// Something about a project. Ids are made here and hold nothing that JSON would have to escape.
    static func project(_ id: String) -> String { #"{"project_id":"\#(id)"}"# }
}
