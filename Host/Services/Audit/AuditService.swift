// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
public import Runtime
internal import SwiftProtobuf
internal import TheatreContracts

/// `theatre.host.v1.Audit`: the audit log of the call's own tenant, for instances that have the grant `operate`.
public struct AuditService: HostService {
    /// Rows that one verification compares; it ends with the segment that reaches it and says where to go on.
    static let most: Int64 = 50_000

    /// The contract's full name.
    public let contract = "theatre.host.v1.Audit"
    private let caller: UnaryCaller
    private let storage: String
    private let keys: any KeySource
    private let key: String

    /// A service over the storage instance `storage`, and the key that signs its checkpoints.
    public init(calls: any CallStarting, storage: String, keys: any KeySource, key: String) {
        self.init(DispatchedCalls(calls: calls), storage: storage, keys: keys, key: key)
    }

    init(_ calls: any UnaryCalling, storage: String, keys: any KeySource, key: String) {
        caller = UnaryCaller(calls: calls)
        self.storage = storage
        self.keys = keys
        self.key = key
    }

    /// Serves one call; see ``HostService``.
    public func serve(_ operation: String, _ call: any HostCall) {
        do throws(CallError) {
            guard call.instance.grants.operates else {
                throw CallError(
                    .permissionDenied, "plugins.not_granted",
                    "Instance \(call.instance.instance) may not read the audit log; grant it `operate: true` in plugins.d."
                )
            }
            switch operation {
            case "Search": try search(try call.decode(HostAuditSearch.self), call)
            case "Verify": try verify(try call.decode(HostAuditVerification.self), call)
            default: call.failUnknown(operation, of: contract)
            }
        } catch {
            call.fail(error)
        }
    }

    private func search(_ search: HostAuditSearch, _ call: any HostCall) throws(CallError) {
        guard search.limit <= 200 else {
            throw CallError(
                .invalidArgument, "audit.bad_limit", "At most 200 rows are listed at once.", detail: "/limit")
        }
        var before: Int64 = 0
        if !search.cursor.isEmpty {
            guard let id = Int64(search.cursor), id > 0 else {
                throw CallError(
                    .invalidArgument, "audit.bad_cursor", "A cursor is what next_cursor said.", detail: "/cursor")
            }
            before = id
        }
        let request = SQLSearchAuditRequest.with {
            $0.tenant = call.context.message.tenant
            $0.from = search.from
            $0.to = search.to
            $0.actor = search.actor
            $0.resource = search.resource
            $0.action = search.action
            $0.outcome = search.outcome
            $0.project = search.project
            $0.limit = search.limit
            $0.beforeID = before
        }
        caller.call(storage, "theatre.sql.v1.Audit/SearchAudit", request, .system, deadline: call.deadline) {
            (result: Result<SQLSearchAuditResponse, CallError>) in
            do throws(CallError) {
                let found = try result.get()
                let records = HostAuditRecords.with {
                    $0.records = found.rows.map(HostAuditRecord.init(_:))
                    $0.nextCursor = found.next == 0 ? "" : String(found.next)
                }
                call.complete(try encoded(records))
            } catch {
                call.fail(error)
            }
        }
    }

    private func verify(_ asked: HostAuditVerification, _ call: any HostCall) throws(CallError) {
        let texts = try keys.publicKeys(of: key).map { Data($0.utf8) }
        guard let known = AuditPublicKeys(texts) else {
            throw CallError(.failedPrecondition, "keys.malformed", "The public half of key \(key) cannot be read.")
        }
        let walk = AuditWalk(
            tenant: call.context.message.tenant, from: asked.from, to: asked.to, keys: known, most: Self.most)
        AuditVerification(walk, caller, storage: storage, isWanted: { call.isWanted }) { result in
            do throws(CallError) { call.complete(try encoded(HostAuditVerdict(try result.get()))) } catch {
                call.fail(error)
            }
        }.start()
    }
}

extension HostAuditRecord {
    fileprivate init(_ row: SQLAuditRow) {
        self.init()
        at = row.at
        actor = row.principal
        project = row.project
        route = row.route
        resource = row.resource
        action = row.action
        decision = row.decision
        outcome = row.outcome
        reason = row.reason
        count = row.count
        requestID = row.requestID
        instance = row.caller
        network = row.network
        seq = row.seq
        hash = row.hash.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

extension HostAuditVerdict {
    fileprivate init(_ report: AuditReport) {
        self.init()
        intact = report.isIntact
        rows = report.rows
        checkpoints = report.checkpoints
        removedSegments = report.removedSegments
        checkedSeq = report.checkedSeq
        unchecked = report.unchecked
        nextFrom = report.nextFrom
        findings = report.findings.prefix(100).map { finding in
            .with {
                $0.code = finding.kind.code
                $0.seq = finding.seq
                $0.segment = finding.segment
                $0.message = finding.message
            }
        }
    }
}
