// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// The tables of jobs, schedules and leases.
///
/// `ready` of a job says which small index it stands in: 0 waits for `due_at`, 1 can be taken, 2 has ended. A running job
/// waits for its lease to run out, so a lost one becomes ready as a delayed one does. What is taken is found at the head
/// of an index however many jobs wait.
enum JobSchema {
    static func jobs(_ dialect: Dialect) -> [String] {
        let (text, integer, blob) = (dialect.text, dialect.integer, dialect.blob)
        return [
            """
            CREATE TABLE host__jobs (job_id \(text) NOT NULL PRIMARY KEY, owner \(text) NOT NULL, queue \(text) NOT NULL,
                kind \(text) NOT NULL, payload \(blob) NOT NULL, state \(integer) NOT NULL, ready \(integer) NOT NULL,
                due_at \(integer) NOT NULL, run_at \(integer) NOT NULL, priority \(integer) NOT NULL,
                unique_key \(text) NOT NULL, attempts \(integer) NOT NULL, max_attempts \(integer) NOT NULL,
                timeout_ms \(integer) NOT NULL, fencing_token \(integer) NOT NULL, worker \(text) NOT NULL,
                lease_until \(integer) NOT NULL, cancel_requested \(integer) NOT NULL, reason \(text) NOT NULL,
                message \(text) NOT NULL, result \(blob) NOT NULL, enqueued_at \(integer) NOT NULL,
                ended_at \(integer) NOT NULL, tenant \(text) NOT NULL, principal \(text) NOT NULL,
                traceparent \(text) NOT NULL, schedule \(text) NOT NULL)
            """,
            "CREATE INDEX host__jobs_ready ON host__jobs (owner, queue, priority DESC, due_at) WHERE ready = 1",
            "CREATE INDEX host__jobs_later ON host__jobs (owner, queue, due_at) WHERE ready = 0",
            "CREATE INDEX host__jobs_ended ON host__jobs (ended_at) WHERE ready = 2",
            "CREATE INDEX host__jobs_by_state ON host__jobs (owner, queue, state, job_id)",
            """
            CREATE UNIQUE INDEX host__jobs_unique ON host__jobs (owner, queue, tenant, unique_key)
                WHERE unique_key <> '' AND ready < 2
            """,
        ]
    }

    static func schedules(_ dialect: Dialect) -> [String] {
        let (text, integer, blob) = (dialect.text, dialect.integer, dialect.blob)
        return [
            """
            CREATE TABLE host__schedules (owner \(text) NOT NULL, name \(text) NOT NULL, cron \(text) NOT NULL,
                time_zone \(text) NOT NULL, catch_up \(integer) NOT NULL, queue \(text) NOT NULL, kind \(text) NOT NULL,
                payload \(blob) NOT NULL, priority \(integer) NOT NULL, max_attempts \(integer) NOT NULL,
                timeout_ms \(integer) NOT NULL, next_at \(integer) NOT NULL, last_at \(integer) NOT NULL,
                tenant \(text) NOT NULL, principal \(text) NOT NULL, revision \(integer) NOT NULL,
                put_at \(integer) NOT NULL, firing \(text) NOT NULL, PRIMARY KEY (owner, name))\(dialect.byKey)
            """,
            "CREATE INDEX host__schedules_next ON host__schedules (next_at)",
        ]
    }

    static func leases(_ dialect: Dialect) -> [String] {
        let (text, integer) = (dialect.text, dialect.integer)
        return [
            """
            CREATE TABLE host__leases (owner \(text) NOT NULL, name \(text) NOT NULL, holder \(text) NOT NULL,
                fencing_token \(integer) NOT NULL, expires_at \(integer) NOT NULL, PRIMARY KEY (owner, name))\(dialect.byKey)
            """
        ]
    }
}
