// TheatreOS
// SPDX-License-Identifier: Apache-2.0

extension Scenarios {
    static let storage = [
        Scenario(
            "theatre.sql.v1.Database", by: "SQLite",
            [
                .call("Migrate", notes, as: "migrated"), .call("Migrate", notes),
                .call("Commit", insert(1, "灯")), .refused("Commit", "sql.unique", insert(1, "again")),
                .call("Query", select), .call("QueryStream", select),
                .refused(
                    "Query", "sql.syntax",
                    #"{"statement": {"sql": "SELECT nothing FROM {notes} WHERE tenant = :tenant"}}"#),
                .chance("Prepare", #"{"sql": "SELECT body FROM {notes} WHERE tenant = :tenant"}"#, as: "prepared"),
                .call("Query", #"{"statement": {"statement_id": "$prepared.statement_id"}}"#),
                .call(
                    "Transact", #"{"begin": {}}"#,
                    #"{"statement": {"sql": "SELECT COUNT(*) AS n FROM {notes} WHERE tenant = :tenant"}}"#,
                    #"{"statement": {"sql": "INSERT INTO {notes} (tenant, id, body) VALUES (:tenant, 2, 'x')"}}"#,
                    #"{"commit": {"events": [{"type": "note.written", "aggregate": "2", "data": "{}"}]}}"#),
                .call("Query", select),
                .call(
                    "FindAnswer", #"{"tenant": "default", "principal": "usr_1", "route": "r", "idempotency_key": "k"}"#),
                .call(
                    "AppendAudit",
                    #"{"entries": [{"at": 1700000000000, "outcome": "refused", "reason": "test", "count": 2}]}"#),
            ]),
        Scenario(
            "theatre.sql.v1.Audit", by: "SQLite",
            [
                .call(
                    "theatre.sql.v1.Database/AppendAudit",
                    #"{"entries": [{"at": 1700000000000, "context": "CgJ0MQ==", "outcome": "read", "count": 1}]}"#),
                .call("ReadUnsealed", #"{"limit": 10}"#, as: "unsealed"),
                .refused("ReadUnsealed", "sql.audit_limit", #"{"limit": 1001}"#),
                .call("Seal", seal(from: 0)), .refused("Seal", "sql.audit_moved", seal(from: 0)),
                .refused("Seal", "sql.audit_step", #"{"steps": [{"from": {"tenant": "t1"}, "to": {"tenant": "t2"}}]}"#),
                .call("SearchAudit", #"{"tenant": "t1", "outcome": "read", "limit": 5}"#),
                .call("ListChains", #"{"limit": 5}"#), .call("ReadChain", #"{"tenant": "t1"}"#),
                .call("ListCheckpoints", #"{"tenant": "t1"}"#, as: "listed"),
                .refused("RemoveSegment", "sql.audit_step", #"{"checkpoint": {"tenant": "t1", "segment": 1}}"#),
                .refused(
                    "RemoveSegment", "sql.audit_moved",
                    #"{"checkpoint": {"tenant": "t1", "segment": 9, "removed_at": 5}}"#),
                .call(
                    "RemoveSegment",
                    #"{"checkpoint": {"tenant": "t1", "segment": 1, "first_seq": 1, "last_seq": 1, "signature": "AQID", "removed_at": 5, "removal_key_id": "k", "removal_signature": "AQ=="}}"#
                ),
            ]),
        Scenario(
            "theatre.sql.v1.Maintenance", by: "SQLite",
            [
                .call("Status", "{}"), .call("Verify", "{}"),
                .refused("Restore", "sql.bad_path", #"{"path": "nowhere"}"#),
                .chance("Backup", #"{"path": "$state.path"}"#), .call("Verify", #"{"path": "$state.path"}"#),
                .chance("Restore", #"{"path": "$state.path"}"#),
            ]),
        Scenario(
            "theatre.events.v1.Log", by: "SQLite",
            [
                .call(
                    "Append",
                    #"{"events": [{"type": "note.a", "aggregate": "1", "data": "{\"n\":1}"}, {"type": "note.b", "aggregate": "2", "data": "{}"}]}"#
                ),
                .refused("Append", "sql.event", #"{"events": [{"type": "", "aggregate": "1", "data": "{}"}]}"#),
                .call("Read", #"{"limit": 10}"#), .call("Read", #"{"types": ["note.b"], "limit": 10}"#),
                .call("MoveCursor", #"{"consumer": "c", "expected": 0, "offset": 1}"#),
                .call("MoveCursor", #"{"consumer": "c", "expected": 0, "offset": 2}"#),
                .call("ListConsumers", "{}"),
                .call(
                    "AddDeadLetter",
                    #"{"consumer": "c", "offset": 2, "reason": "test.broken", "message": "It broke.", "attempts": 3}"#),
                .call("ListDeadLetters", #"{"consumer": "c", "limit": 5}"#),
                .call("ResolveDeadLetters", #"{"consumer": "c", "offsets": [2], "resolution": "DROP"}"#),
                .call("PreviewTrim", #"{"before": 4102444800000, "limit": 1000}"#),
                .refused("PreviewTrim", "sql.trim", #"{"before": 1, "limit": 10}"#),
                .call("Trim", #"{"before": 1, "limit": 10}"#),
            ]),
        Scenario(
            "theatre.jobs.v1.Queue", by: "SQLite",
            [
                .call(
                    "Enqueue",
                    #"{"jobs": [{"queue": "work", "kind": "t.k", "payload": "AQI=", "unique_key": "u"}, {"queue": "work", "kind": "t.k"}]}"#,
                    as: "jobs"),
                .refused("Enqueue", "jobs.unknown_queue", #"{"jobs": [{"queue": "other", "kind": "t.k"}]}"#),
                .call("Get", #"{"job_id": "$jobs.job_ids.0"}"#),
                .refused("Get", "jobs.unknown", #"{"job_id": "job_nowhere"}"#),
                .call(
                    "Lease",
                    #"{"worker": "w", "queues": [{"owner": "tester", "queue": "work", "limit": 1, "concurrency": 4}], "lease_ms": 60000}"#,
                    as: "leased"),
                .call(
                    "Heartbeat",
                    #"{"worker": "w", "jobs": [{"job_id": "$leased.jobs.0.job_id", "fencing_token": "$leased.jobs.0.fencing_token"}], "lease_ms": 60000}"#
                ),
                .call(
                    "Finish",
                    #"{"outcomes": [{"job_id": "$leased.jobs.0.job_id", "fencing_token": "$leased.jobs.0.fencing_token", "state": "DONE", "result": "AQ=="}]}"#
                ),
                .call("Cancel", #"{"job_id": "$jobs.job_ids.1"}"#),
                .call("List", #"{"limit": 10}"#), .call("Stats", "{}"),
                .call("Control", #"{"action": "REMOVE", "job_ids": ["$jobs.job_ids.0"], "limit": 10}"#),
                .call(
                    "PutSchedule",
                    #"{"name": "nightly", "cron": "0 3 * * *", "time_zone": "Asia/Shanghai", "job": {"queue": "work", "kind": "t.k"}}"#,
                    as: "schedule"),
                .refused(
                    "PutSchedule", "jobs.bad_schedule",
                    #"{"name": "never", "cron": "99 99 * * *", "job": {"queue": "work", "kind": "t.k"}}"#),
                .call("DueSchedules", #"{"now": 4102444800000, "limit": 5}"#, as: "due"),
                .call(
                    "FireSchedule",
                    #"{"owner": "tester", "name": "nightly", "revision": "$schedule.revision", "times": [1700000000000], "next_at": 4102444800000}"#
                ),
                .call("DeleteSchedule", #"{"name": "nightly"}"#),
            ]),
        Scenario(
            "theatre.lease.v1.Leases", by: "SQLite",
            [
                .call("Acquire", #"{"name": "leader", "holder": "a", "ttl_ms": 60000}"#, as: "lease"),
                .refused("Acquire", "lease.taken", #"{"name": "leader", "holder": "b", "ttl_ms": 60000}"#),
                .call("Get", #"{"name": "leader"}"#),
                .call(
                    "Renew",
                    #"{"name": "leader", "holder": "a", "fencing_token": "$lease.fencing_token", "ttl_ms": 60000}"#),
                .refused(
                    "Renew", "lease.lost", #"{"name": "leader", "holder": "b", "fencing_token": 7, "ttl_ms": 60000}"#),
                .call("Release", #"{"name": "leader", "holder": "a", "fencing_token": "$lease.fencing_token"}"#),
            ]),
        Scenario(
            "theatre.blob.v1.Store", by: "LocalBlobs",
            [
                .call("Put", start("a/one"), #"{"data": "5oiP5Y+w"}"#, #"{"data": "AQID"}"#, as: "blob"),
                .refused("Put", "blob.bad_key", start("../etc"), #"{"data": "AQID"}"#),
                .refused("Put", "blob.no_start", #"{"data": "AQID"}"#),
                .call("Get", #"{"key": "a/one"}"#), .call("Get", #"{"key": "a/one", "offset": 2, "length": 3}"#),
                .refused("Get", "blob.unknown", #"{"key": "nowhere"}"#),
                .call("Stat", #"{"key": "a/one"}"#), .call("List", #"{"prefix": "a/", "limit": 10}"#),
                .call("Presign", #"{"method": "GET", "key": "a/one", "expires_in_s": 60}"#),
                .call("CreateUpload", start("a/two"), as: "upload"),
                .call("PutPart", #"{"start": {"upload_id": "$upload.upload_id", "number": 1}}"#, #"{"data": "AQID"}"#),
                .call("ListParts", #"{"upload_id": "$upload.upload_id"}"#, as: "parts"),
                .call("CompleteUpload", #"{"upload_id": "$upload.upload_id", "parts": "$parts.parts"}"#),
                .call("CreateUpload", start("a/three"), as: "given"),
                .call("AbortUpload", #"{"upload_id": "$given.upload_id"}"#),
                .refused("ListParts", "blob.unknown_upload", #"{"upload_id": "$given.upload_id"}"#),
                .call("Delete", #"{"key": "a/one"}"#), .refused("Stat", "blob.unknown", #"{"key": "a/one"}"#),
                .call("theatre.host.v1.Target/Fire", #"{"name": "sweep"}"#),
                .refused(
                    "theatre.http.v1.Handler/HandleStream", "blob.bad_url",
                    #"{"head": {"method": "GET", "path": "/b/x", "path_parameters": [{"name": "token", "value": "x"}]}}"#
                ),
            ]),
        Scenario("theatre.blob.v1.Maintenance", by: "LocalBlobs", [.chance("Status", "{}")]),
    ]

    private static let notes = """
        {"migrations": [{"name": "001-notes", "sql": "CREATE TABLE {notes} (tenant TEXT NOT NULL, id BIGINT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (tenant, id));"}]}
        """
    /// The row with the number 1, and a checkpoint above it.
    private static func seal(from seq: Int) -> String {
        """
        {"fencing_token": 3, "steps": [{"from": {"tenant": "t1", "seq": \(seq)},
         "to": {"tenant": "t1", "seq": \(seq + 1), "hash": "AQ==", "segments": 1, "checked_seq": 1, "checked_hash": "AQ=="},
         "rows": [{"id": 1, "seq": \(seq + 1), "hash": "AQ=="}],
         "checkpoint": {"tenant": "t1", "segment": 1, "first_seq": 1, "last_seq": 1, "last_hash": "AQ==",
          "oldest": 5, "newest": 5, "signed_at": 6, "key_id": "k", "signature": "AQID"}}]}
        """
    }
    private static let select =
        #"{"statement": {"sql": "SELECT id, body FROM {notes} WHERE tenant = :tenant ORDER BY id"}}"#

    private static func insert(_ id: Int, _ body: String) -> String {
        """
        {"statements": [{"sql": "INSERT INTO {notes} (tenant, id, body) VALUES (:tenant, ?1, ?2)",
         "parameters": [{"integer": \(id)}, {"text": "\(body)"}], "expect": 1}],
         "attachments": {"answer": {"payload": "AQ=="}}}
        """
    }

    private static func start(_ key: String) -> String {
        #"{"start": {"key": "\#(key)", "content_type": "text/plain", "metadata": {"from": "test", "b": "2"}}}"#
    }
}
