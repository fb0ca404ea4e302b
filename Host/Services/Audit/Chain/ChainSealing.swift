// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import Runtime
internal import SwiftProtobuf
internal import TheatreContracts

/// Works out how chains go on: which row gets which place and hash, and where a segment ends. Pure.
struct ChainSealing {
    /// Rows of one segment, at most.
    static let largest: Int64 = 1000
    /// How long after its first row was sealed a segment ends, in milliseconds.
    static let age: Int64 = 10_000

    /// Milliseconds since 1970.
    var now: Int64
    /// Every open segment ends, however young.
    var endsAll = false
    /// Adds key and signature to a checkpoint.
    var sign: (inout SQLAuditCheckpoint) throws(CallError) -> Void

    /// Steps for `rows`, which are in no chain, and for those of `chains` whose segment is to end.
    ///
    /// A step never crosses the end of a segment: rows that come after it wait for the next round.
    func steps(_ rows: [SQLAuditRow], _ chains: [SQLAuditChain]) throws(CallError) -> [SQLChainStep] {
        let known = Dictionary(chains.map { ($0.tenant, $0) }) { first, _ in first }
        let grouped = Dictionary(grouping: rows, by: \.tenant)
        var steps: [SQLChainStep] = []
        for tenant in Set(known.keys).union(grouped.keys).sorted() {
            let from = known[tenant] ?? SQLAuditChain.with { $0.tenant = tenant }
            let step = try step(from, grouped[tenant] ?? [])
            if !step.rows.isEmpty || step.hasCheckpoint { steps.append(step) }
        }
        return steps
    }

    private func step(_ from: SQLAuditChain, _ rows: [SQLAuditRow]) throws(CallError) -> SQLChainStep {
        var step = SQLChainStep()
        step.from = from
        var to = from
        for row in rows.prefix(Int(max(0, Self.largest - (from.seq - from.checkedSeq)))) {
            if to.openSince == 0 { (to.openSince, to.oldest, to.newest) = (max(1, now), row.at, row.at) }
            to.oldest = min(to.oldest, row.at)
            to.newest = max(to.newest, row.at)
            to.hash = AuditBytes.hash(row, at: to.seq + 1, after: to.hash)
            to.seq += 1
            step.rows.append(
                .with {
                    $0.id = row.id
                    $0.seq = to.seq
                    $0.hash = to.hash
                })
        }
        if isDue(to) { step.checkpoint = try close(&to) }
        step.to = to
        return step
    }

    private func isDue(_ chain: SQLAuditChain) -> Bool {
        guard chain.seq > chain.checkedSeq else { return false }
        // A clock that was set back is no reason to wait for it.
        return endsAll || chain.seq - chain.checkedSeq >= Self.largest || now < chain.openSince
            || now - chain.openSince >= Self.age
    }

    private func close(_ chain: inout SQLAuditChain) throws(CallError) -> SQLAuditCheckpoint {
        var checkpoint = SQLAuditCheckpoint()
        checkpoint.tenant = chain.tenant
        checkpoint.segment = chain.segments + 1
        checkpoint.firstSeq = chain.checkedSeq + 1
        checkpoint.lastSeq = chain.seq
        checkpoint.previousHash = chain.checkedHash
        checkpoint.lastHash = chain.hash
        checkpoint.oldest = chain.oldest
        checkpoint.newest = chain.newest
        checkpoint.signedAt = now
        try sign(&checkpoint)
        chain.segments += 1
        chain.checkedSeq = chain.seq
        chain.checkedHash = chain.hash
        (chain.openSince, chain.oldest, chain.newest) = (0, 0, 0)
        return checkpoint
    }
}
