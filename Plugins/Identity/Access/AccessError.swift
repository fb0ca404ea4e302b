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

    static var roleName: PluginError {
        .invalid(
            "/role_id", "access.bad_role_name",
            "A role of your own is named with 2 to 40 of a-z, 0-9, - and _, a letter first, and by no common name.")
    }

    static var roleBase: PluginError {
        .invalid("/base", "access.bad_base", "A role of your own is built on VIEWER or EDITOR.")
    }

    static var permissions: PluginError {
        .invalid(
            "/permissions", "access.bad_permission",
            "An action is resource:action as its route declares them, in a role also resource:*, 100 at most.")
    }

    static var noRole: PluginError {
        .invalid("/custom_role", "access.no_role", "The tenant has no such role; see GET /api/v1/auth/roles.")
    }

    static var twoRoles: PluginError {
        .invalid("/custom_role", "access.two_roles", "Somebody has a common role or one of your own; give one of both.")
    }

    static var conditions: PluginError {
        .invalid(
            "/conditions", "access.bad_conditions",
            "A role has at most 20 hours and 50 networks, and that of an owner none.")
    }

    static var hours: PluginError {
        .invalid(
            "/conditions/hours", "access.bad_hours",
            "Hours have days such as mon, from and until such as 08:30, and a time zone such as Asia/Shanghai.")
    }

    static var networks: PluginError {
        .invalid(
            "/conditions/networks", "access.bad_network",
            "A network is a block of addresses like 10.0.0.0/8, with no bit set behind its length.")
    }

    static func tooManyRoles(_ most: Int64) -> PluginError {
        PluginError(
            .resourceExhausted, "access.too_many_roles", "The tenant has \(most) roles already; take one away first.")
    }

    static func roleInUse(_ holders: Int64) -> PluginError {
        PluginError(
            .failedPrecondition, "access.role_in_use",
            "\(holders) members have this role; give them another first.")
    }

    static var noApproval: PluginError { .notFound("access.no_approval", "Nothing of this id waits for approval.") }

    static var ownApproval: PluginError {
        PluginError(
            .permissionDenied, "access.own_approval",
            "Nobody approves what he asked for himself; ask somebody else of the project.")
    }

    static var approverRole: PluginError {
        PluginError(
            .permissionDenied, "access.approver_role",
            "Whoever approves needs the role that the action itself needs; ask one who has it.")
    }

    static var decided: PluginError {
        PluginError(
            .failedPrecondition, "access.decided",
            "This was decided already, or waited for too long; have it asked again.")
    }

    static var notApproved: PluginError {
        PluginError(
            .failedPrecondition, "access.not_approved",
            "There is no approval for this very request; send it without one, and have that approved.")
    }

    static func tooManyApprovals(_ most: Int64) -> PluginError {
        PluginError(
            .resourceExhausted, "access.too_many_approvals",
            "\(most) requests of the project wait for approval already; have some decided first.")
    }

    static var note: PluginError { .invalid("/note", "access.bad_note", "A note has at most 500 characters.") }

    static func full(_ most: Int64) -> PluginError {
        PluginError(
            .resourceExhausted, "access.too_many_members",
            "The project has \(most) members already; take somebody's role first.")
    }
}
