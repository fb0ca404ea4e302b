// TheatreOS
// SPDX-License-Identifier: Apache-2.0

extension Scenarios {
    static let people = [
        Scenario(
            "theatre.auth.v1.Provider", by: "Password", configuration: quickHashes,
            [
                .call("Enroll", #"{"identifier": "ann@stage.example", "secret": "a curtain of rain"}"#, as: "ann"),
                .refused("Enroll", "auth.exists", #"{"identifier": "ann@stage.example", "secret": "another curtain"}"#),
                .refused("Enroll", "auth.weak_secret", #"{"identifier": "bo@stage.example", "secret": "short"}"#),
                .call("Verify", #"{"identifier": "ann@stage.example", "secret": "a curtain of rain"}"#),
                .refused(
                    "Verify", "auth.refused", #"{"identifier": "ann@stage.example", "secret": "a wrong curtain"}"#),
                .refused(
                    "Verify", "auth.refused", #"{"identifier": "nobody@stage.example", "secret": "a wrong curtain"}"#),
                // A password is proved in one step.
                .refused("Start", "instance.no_operation", #"{"identifier": "ann@stage.example"}"#),
                .call("Remove", #"{"subject": "$ann.subject"}"#),
                .refused(
                    "Verify", "auth.refused", #"{"identifier": "ann@stage.example", "secret": "a curtain of rain"}"#),
            ]),
        Scenario(
            "theatre.keysource.v1.Source", by: "KeyFile",
            [
                .call("Describe", "{}"),
                .chance("Wrap", #"{"plaintext": "AAECAwQFBgc=", "associated_data": "cGxhY2U="}"#, as: "key"),
                .call("Unwrap", #"{"wrapped": "$key.wrapped", "associated_data": "cGxhY2U="}"#),
                .chance("Rewrap", #"{"wrapped": "$key.wrapped", "associated_data": "cGxhY2U="}"#, as: "anew"),
                .call("Unwrap", #"{"wrapped": "$anew.wrapped", "associated_data": "cGxhY2U="}"#),
                .refused(
                    "Unwrap", "keysource.tampered", #"{"wrapped": "$key.wrapped", "associated_data": "b3RoZXI="}"#),
                .refused("Wrap", "keysource.bad_key", #"{"plaintext": ""}"#),
            ]),
        Scenario(
            "theatre.secretsource.v1.Source", by: "OpenBao",
            configuration: #"{"address": "https://vault.example.org:8200"}"#,
            [
                .call("Read", #"{"path": "stage/mail"}"#),
                .refused("Read", "secretsource.missing", #"{"path": "stage/mail", "field": "user"}"#),
                .refused("Read", "secretsource.missing", #"{"path": "stage/../mail"}"#),
            ]),
        Scenario(
            "theatre.accounts.v1.Accounts", by: "Accounts",
            [
                .call("Register", person("ann"), as: "ann", by: ""),
                .refused("Register", "accounts.exists", person("ann"), by: ""),
                .call("Login", #"{"email": "ann@stage.example", "password": "a curtain of rain"}"#, as: "in", by: ""),
                .refused(
                    "Login", "accounts.refused", #"{"email": "ann@stage.example", "password": "a wrong curtain"}"#,
                    by: ""),
                .call("Refresh", #"{"refresh_token": "$in.refresh_token"}"#, by: ""),
                .refused("Refresh", "accounts.refused", #"{"refresh_token": "no such token"}"#, by: ""),
                .call("Me", "{}", by: "$ann.account.id"),
                .refused("Me", "accounts.not_found", "{}", by: "usr_nowhere"),
                .call("UpdateMe", #"{"bio": "走州桥", "time_zone": "Asia/Shanghai"}"#, by: "$ann.account.id"),
                .refused("UpdateMe", "accounts.bad_locale", #"{"locale": "en_GB"}"#, by: "$ann.account.id"),
                .call("GetUser", #"{"user_id": "$ann.account.id"}"#),
                .refused("GetUser", "accounts.no_user", #"{"user_id": "usr_nowhere"}"#),
                .call("ListSessions", "{}", as: "sessions", by: "$ann.account.id"),
                .call("RevokeSession", #"{"session_id": "$sessions.items.0.id"}"#, by: "$ann.account.id"),
                .refused(
                    "RevokeSession", "accounts.no_session", #"{"session_id": "$sessions.items.0.id"}"#,
                    by: "$ann.account.id"),
                .call("Logout", "{}", by: "$ann.account.id", in: "ses_nowhere"),
            ]),
        Scenario(
            "theatre.accounts.v1.Identities", by: "Accounts",
            [
                .call("SignInDevice", "{\"device_secret\": \"\(device)\"}", as: "guest", by: ""),
                .refused(
                    "SignInDevice", "accounts.bad_locale", "{\"device_secret\": \"\(device)\", \"locale\": \"en_GB\"}",
                    by: ""),
                .refused("SendCode", "accounts.no_provider", #"{"channel": "pigeon", "identifier": "x"}"#, by: ""),
                .refused(
                    "VerifyCode", "accounts.no_provider",
                    #"{"channel": "pigeon", "identifier": "x", "code": "1", "challenge": "x"}"#, by: ""),
                .refused("StartOAuth", "accounts.no_provider", #"{"provider": "password"}"#, by: ""),
                .refused("FinishOAuth", "accounts.no_provider", #"{"provider": "password", "code": "1"}"#, by: ""),
                .call("ListIdentities", "{}", as: "ways", by: "$guest.account.id"),
                .refused(
                    "UnlinkIdentity", "accounts.last_identity", #"{"identity_id": "$ways.items.0.id"}"#,
                    by: "$guest.account.id"),
                .call(
                    "LinkIdentity",
                    #"{"provider": "password", "identifier": "gu@stage.example", "secret": "a curtain of rain"}"#,
                    by: "$guest.account.id"),
                .call("theatre.accounts.v1.Accounts/Register", person("li"), as: "li", by: ""),
                .call("MergeAccounts", merging("true"), by: "$guest.account.id"),
                .call("MergeAccounts", merging("false"), as: "merge", by: "$guest.account.id"),
                .call("UndoMerge", #"{"merge_id": "$merge.id"}"#, by: "$guest.account.id"),
                .refused("UndoMerge", "accounts.no_merge", #"{"merge_id": "$merge.id"}"#, by: "$guest.account.id"),
                .call("UnlinkIdentity", #"{"identity_id": "$ways.items.0.id"}"#, by: "$guest.account.id"),
            ]),
        Scenario(
            "theatre.accounts.v1.SecondFactor", by: "Accounts",
            [
                .call("theatre.accounts.v1.Accounts/Register", person("ann"), as: "ann", by: ""),
                .refused("ConfirmFactor", "accounts.no_factor", #"{"code": "123456"}"#, by: "$ann.account.id"),
                .call("EnrollFactor", "{}", by: "$ann.account.id"),
                .refused("ConfirmFactor", "accounts.code_refused", #"{"code": "none"}"#, by: "$ann.account.id"),
                .refused("CompleteSignIn", "accounts.code_refused", #"{"challenge": "none", "code": "1"}"#, by: ""),
                .refused("RemoveFactor", "accounts.no_factor", #"{"code": "123456"}"#, by: "$ann.account.id"),
            ]),
        Scenario(
            "theatre.accounts.v1.Bans", by: "Accounts",
            [
                .call("theatre.accounts.v1.Accounts/Register", person("ann"), as: "ann", by: ""),
                .call("BanUser", #"{"user_id": "$ann.account.id", "reason": "shouts"}"#),
                .refused(
                    "theatre.accounts.v1.Accounts/Login", "accounts.banned",
                    #"{"email": "ann@stage.example", "password": "a curtain of rain"}"#, by: ""),
                .call("UnbanUser", #"{"user_id": "$ann.account.id"}"#),
                .refused("BanUser", "accounts.no_user", #"{"user_id": "usr_nowhere", "reason": "shouts"}"#),
            ]),
        Scenario(
            "theatre.accounts.v1.Credentials", by: "Accounts",
            [
                .call("theatre.accounts.v1.Accounts/Register", person("ann"), as: "ann", by: ""),
                .refused(
                    "CreateKey", "accounts.bad_scope",
                    #"{"name": "n", "scopes": ["x"], "expires_at": "2026-01-01T00:00:00Z"}"#, by: "$ann.account.id"),
                .refused(
                    "CreateKey", "accounts.bad_expiry",
                    #"{"name": "n", "scopes": ["*"], "expires_at": "2026-01-01T00:00:00Z"}"#, by: "$ann.account.id"),
                .call("ListKeys", "{}", by: "$ann.account.id"),
                .refused("RevokeKey", "accounts.no_such_key", #"{"key_id": "key_1"}"#, by: "$ann.account.id"),
                .call("CreateClient", #"{"name": "farm", "scopes": ["run:read"]}"#),
                .refused("CreateClient", "accounts.client_exists", #"{"name": "farm", "scopes": ["run:read"]}"#),
                .call("ListClients", "{}"),
                .call("RevokeClient", #"{"client_id": "svc:farm"}"#),
                .refused("RevokeClient", "accounts.no_client", #"{"client_id": "svc:farm"}"#),
            ]),
        Scenario(
            "theatre.accounts.v1.Privacy", by: "Accounts",
            [
                .call("theatre.accounts.v1.Accounts/Register", person("ann"), as: "ann", by: ""),
                .call("RequestErasure", "{}", as: "wish", by: "$ann.account.id"),
                .call("GetErasure", #"{"erasure_id": "$wish.id"}"#, by: ""),
                .call("CancelErasure", "{}", by: "$ann.account.id"),
                .refused("CancelErasure", "accounts.no_erasure", "{}", by: "$ann.account.id"),
                .refused("GetErasure", "accounts.no_erasure", #"{"erasure_id": "era_none"}"#, by: ""),
                // Its times are texts.
                .chance("ExportMe", "{}", by: "$ann.account.id"),
                .refused("ExportMe", "accounts.not_found", "{}", by: "usr_nowhere"),
            ]),
        Scenario(
            "theatre.privacy.v1.Holder", by: "Inbox",
            [
                .call("theatre.notification.v1.Channel/Send", message("msg_1")),
                .chance("Export", #"{"person": "usr_1"}"#),
                .call("Erase", #"{"person": "usr_1"}"#),
                .call("Erase", #"{"person": "usr_1"}"#),
                .call("Export", #"{"person": "usr_1"}"#),
            ]),
        Scenario(
            "theatre.accounts.v1.Keys", by: "Accounts",
            [.refused("ResolveKey", "accounts.key_refused", #"{"key": "thk_none"}"#)]),
        Scenario(
            "theatre.access.v1.Projects", by: "Access",
            [
                .call("CreateProject", #"{"name": "灯会", "language": "zh-CN"}"#, as: "project"),
                .refused("CreateProject", "access.bad_name", #"{"name": " "}"#),
                .refused("CreateProject", "access.no_principal", #"{"name": "灯会"}"#, by: ""),
                .call("ListProjects", "{}"),
                .call("GetProject", #"{"project_id": "$project.id"}"#),
                .refused("GetProject", "access.no_project", #"{"project_id": "prj_nowhere"}"#),
                .call("UpdateProject", #"{"project_id": "$project.id", "name": "元宵"}"#),
                .call("PutMember", member("usr_2", "ADMIN")),
                .refused("PutMember", "access.owner_only", member("usr_3", "OWNER"), by: "usr_2"),
                .refused("PutMember", "access.last_owner", member("usr_1", "VIEWER")),
                .refused("PutMember", "access.bad_member", member("root", "VIEWER")),
                .call("ListMembers", #"{"project_id": "$project.id", "limit": 1}"#, as: "page"),
                .call("ListMembers", #"{"project_id": "$project.id", "cursor": "$page.next_cursor"}"#),
                .call("RemoveMember", #"{"project_id": "$project.id", "user_id": "usr_2"}"#),
                .refused("RemoveMember", "access.last_owner", #"{"project_id": "$project.id", "user_id": "usr_1"}"#),
                .call("DeleteProject", #"{"project_id": "$project.id"}"#),
                .refused("GetProject", "access.no_project", #"{"project_id": "$project.id"}"#),
            ]),
        Scenario(
            "theatre.access.v1.Policy", by: "Access",
            [
                .call("theatre.access.v1.Projects/CreateProject", #"{"name": "灯会"}"#, as: "project"),
                .call("GetStanding", #"{"principal": "usr_1", "project": "$project.id"}"#),
                .call("GetStanding", #"{"principal": "usr_2", "project": "$project.id"}"#),
                .call("GetStanding", #"{"principal": "usr_1", "project": "prj_nowhere"}"#),
                .call("RequestApproval", asking, as: "approval"),
                .refused("UseApproval", "access.not_approved", using),
                .call("theatre.access.v1.Approvals/DecideApproval", deciding, by: "usr_2"),
                .call("UseApproval", using),
                .refused("UseApproval", "access.not_approved", using),
            ]),
        Scenario(
            "theatre.access.v1.Roles", by: "Access",
            [
                .call("PutRole", #"{"role_id": "runner", "base": "VIEWER", "permissions": ["run:start"]}"#),
                .refused("PutRole", "access.bad_role_name", #"{"role_id": "owner", "base": "VIEWER"}"#),
                .call("ListRoles", "{}"),
                .call("DeleteRole", #"{"role_id": "runner"}"#),
            ]),
        Scenario(
            "theatre.access.v1.Approvals", by: "Access",
            [
                .call("theatre.access.v1.Projects/CreateProject", #"{"name": "灯会"}"#, as: "project"),
                .call("PutFourEyes", #"{"project_id": "$project.id", "actions": ["project:delete"]}"#),
                .call("GetFourEyes", #"{"project_id": "$project.id"}"#),
                .call("theatre.access.v1.Policy/RequestApproval", asking, as: "approval"),
                .call("ListApprovals", #"{"project_id": "$project.id"}"#),
                .refused("DecideApproval", "access.own_approval", deciding),
                .call("DecideApproval", deciding, by: "usr_2"),
                .refused("DecideApproval", "access.decided", deciding, by: "usr_2"),
            ]),
        Scenario(
            "theatre.http.v1.Handler", by: "Accounts",
            [
                .call(
                    "Handle", #"{"method": "GET", "path": "/.well-known/jwks.json", "route": "/.well-known/jwks.json"}"#
                ),
                .refused("Handle", "accounts.no_path", #"{"method": "GET", "path": "/x", "route": "/x"}"#),
            ]),
        Scenario(
            "theatre.notification.v1.Channel", by: "Inbox",
            [
                .call("Send", message("msg_1"), as: "one"),
                .call("Send", message("msg_1")),
                .call("Send", message("msg_2")),
                .refused("Send", "notification.missing", #"{"message_id": "msg_3", "title": "To nobody"}"#),
                .call("Check", "{}"),
            ]),
        Scenario(
            "theatre.inbox.v1.Inbox", by: "Inbox",
            [
                .call("theatre.notification.v1.Channel/Send", message("msg_1")),
                .call("theatre.notification.v1.Channel/Send", message("msg_2")),
                .call("ListMessages", #"{"limit": 1}"#, as: "page"),
                .call("ListMessages", #"{"limit": 1, "cursor": "$page.next_cursor"}"#),
                .call("MarkRead", #"{"ids": ["$page.items.0.id"]}"#),
                .call("ListMessages", #"{"unread": true}"#),
                .refused("ListMessages", "inbox.no_owner", "{}", by: ""),
            ]),
        Scenario(
            "theatre.jobs.v1.Worker", by: "Webhook", configuration: #"{"url": "https://hooks.example/in"}"#,
            [
                // Title "Tonight", body "The curtain rises." as the notification it is to send.
                .call(
                    "Run",
                    #"{"job": {"job_id": "job_1", "queue": "deliveries", "kind": "theatre.notification.v1.SendRequest", "payload": "CgVtc2dfMRIFdXNyXzEiDXN0YWdlLnRvbmlnaHQqB1RvbmlnaHQyElRoZSBjdXJ0YWluIHJpc2VzLg==", "attempts": 1}}"#
                )
            ]),
        Scenario(
            "theatre.admin.v1.Plugins", by: "Admin", configuration: #"{"operators": ["usr_1"]}"#,
            [
                .call("List", "{}"), .call("Show", #"{"instance": "ledger"}"#),
                .call("Logs", #"{"instance": "ledger", "limit": 5}"#),
                .call("Enable", operate), .call("Disable", operate), .call("Quarantine", operate),
                .call("Release", operate), .call("Rollback", operate), .call("Swap", #"{"instance": "ledger"}"#),
                .refused("List", "admin.not_an_operator", "{}", by: "usr_2"),
                .refused("Disable", "admin.not_an_operator", operate, by: ""),
            ]),
        Scenario(
            "theatre.admin.v1.Audit", by: "Admin", configuration: #"{"operators": ["usr_1"]}"#,
            [
                .call("SearchAudit", #"{"actor": "usr_1", "limit": 5}"#), .call("VerifyAudit", "{}"),
                .refused("SearchAudit", "admin.not_an_operator", "{}", by: "usr_2"),
                .refused("VerifyAudit", "admin.not_an_operator", "{}", by: ""),
            ]),
    ]

    private static let device = String(repeating: "d", count: 43)

    private static func merging(_ dryRun: String) -> String {
        """
        {"provider": "password", "identifier": "li@stage.example", "secret": "a curtain of rain", "dry_run": \(dryRun)}
        """
    }

    private static let operate = #"{"instance": "ledger", "reason": "it is time"}"#

    private static let asking = #"""
        {"principal": "usr_1", "project": "$project.id", "action": "run:start", "role": "EDITOR", "request": "POST /x",
         "digest": "AAAA"}
        """#
    private static let using = #"{"approval": "$approval.id", "principal": "usr_1", "digest": "AAAA"}"#
    private static let deciding = #"{"project_id": "$project.id", "approval_id": "$approval.id", "approve": true}"#

    private static func member(_ id: String, _ role: String) -> String {
        #"{"project_id": "$project.id", "user_id": "\#(id)", "role": "\#(role)"}"#
    }

    private static func person(_ name: String) -> String {
        """
        {"email": "\(name)@stage.example", "password": "a curtain of rain", "nickname": "\(name)", "locale": "zh-CN"}
        """
    }

    private static func message(_ id: String) -> String {
        """
        {"message_id": "\(id)", "user": "usr_1", "category": "stage", "title": "Tonight", "body": "帷幕升起",
         "data": "{\\"seat\\": 7}"}
        """
    }
}
