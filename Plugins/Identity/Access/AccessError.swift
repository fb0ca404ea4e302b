// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatrePlugin

/// Why the plugin refuses a call.
enum AccessError {
    static var stranger: PluginError {
        PluginError(.unauthenticated, "access.no_principal", "A project belongs to somebody; sign in.")
    }

    static var name: PluginError {
        .invalid("/name", "access.bad_name", "A name has 1 to 120 characters, one of them visible; choose another.")
    }

    static var language: PluginError {
        .invalid("/language", "access.bad_language", "This is no language tag; write one like zh or en-GB.")
    }

    static var status: PluginError {
        .invalid("/status", "access.bad_status", "A project is made ACTIVE or ARCHIVED; to delete it, use DELETE.")
    }

    static var role: PluginError {
        .invalid("/role", "access.bad_role", "A role is VIEWER, EDITOR, ADMIN or OWNER.")
    }

    static var member: PluginError {
        .invalid("/user_id", "access.bad_member", "A member is a user, usr_ and an id, or a service, svc: and a name.")
    }

    static var expiry: PluginError {
        .invalid(
            "/expires_at", "access.bad_expiry",
            "A role ends in the future, and that of an owner not at all; leave it out.")
    }

    static var limit: PluginError { .invalid("/limit", "access.bad_limit", "A page has 1 to 200 entries.") }

    static var noProject: PluginError { .notFound("access.no_project", "There is no such project.") }

    static var ownerOnly: PluginError {
        PluginError(
            .permissionDenied, "access.owner_only",
            "Only an owner of the project makes or unmakes an owner; ask one of them.")
    }

    static var lastOwner: PluginError {
        PluginError(
            .failedPrecondition, "access.last_owner",
            "This is the project's only owner; make somebody else an owner first.")
    }

    static func full(_ most: Int64) -> PluginError {
        PluginError(
            .resourceExhausted, "access.too_many_members",
            "The project has \(most) members already; take somebody's role first.")
    }
}
