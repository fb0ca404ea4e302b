// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// What events say.
enum AccessEvent {
    /// Something about a project. Ids are made here and hold nothing that JSON would have to escape.
    static func project(_ id: String) -> String { #"{"project_id":"\#(id)"}"# }

    /// Something about a role of the tenant's own.
    static func role(_ id: String) -> String { #"{"role_id":"\#(id)"}"# }

    /// Something about a request that waits for approval, or did.
    static func approval(_ id: String, of project: String) -> String {
        #"{"approval_id":"\#(id)","project_id":"\#(project)"}"#
    }
}
