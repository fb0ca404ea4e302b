// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import SwiftProtobuf
public import TheatreContracts

/// Verifies the audit log of a storage: says what it wants to read next, and takes it. Reads a bounded part at a time.
public struct AuditWalk: Sendable {
    /// What to do.
    public enum Step: Sendable {
        /// Call `ListChains` and ``AuditWalk/take(_:)-(SQLListChainsResponse)``.
        case chains(SQLListChainsRequest)
        /// Call `ListCheckpoints`.
        case checkpoints(SQLListCheckpointsRequest)
        /// Call `ReadChain`.
        case rows(SQLReadChainRequest)
        /// Ready.
        case done(AuditReport)
    }

    private let tenant: String
    private let from: Int64
    private let to: Int64
    private let keys: AuditPublicKeys
    private let most: Int64
    private var report = AuditReport()
    /// A segment's own reading counts as this many rows.
    private static let segmentCost: Int64 = 20
    private var cost: Int64 = 0
    private var chains: [SQLAuditChain] = []
    private var lastTenant = ""
    private var isListed = false
    private var verifier: ChainVerifier?
    private var chain = SQLAuditChain()
    private var checkpoints: [SQLAuditCheckpoint] = []
    private var lastSegment: Int64 = 0
    private var checkpointsListed = false
    /// Rows to read: behind the first and up to the second.
    private var rows: (after: Int64, to: Int64, isTail: Bool)?

    /// A walk over one tenant's log, or everybody's where `tenant` is empty.
    ///
    /// - Parameters:
    ///   - from: segments whose rows are all older are looked at by their checkpoints only.
    ///   - to: as `from`; 0 for no end.
    ///   - most: rows after which it ends with a whole segment and says where to go on; of one tenant's log.
    public init(
        tenant: String, from: Int64 = 0, to: Int64 = 0, keys: AuditPublicKeys, most: Int64 = .max
    ) {
        self.tenant = tenant
        self.from = from
        self.to = to
        self.keys = keys
        self.most = most
    }

    /// What it wants next; without effect until that was taken.
    public mutating func next() -> Step {
        while true {
            if let rows {
                return .rows(
                    .with {
                        $0.tenant = chain.tenant
                        $0.afterSeq = rows.after
                        $0.toSeq = rows.to
                        $0.limit = 1000
                    })
            }
            if verifier != nil {
                guard !checkpoints.isEmpty || !checkpointsListed else {
                    finishChain()
                    continue
                }
                guard checkpoints.isEmpty else {
                    beginSegment(checkpoints.removeFirst())
                    continue
                }
                return .checkpoints(
                    .with {
                        $0.tenant = chain.tenant
                        $0.afterSegment = lastSegment
                        $0.limit = 1000
                    })
            }
            if !chains.isEmpty {
                begin(chains.removeFirst())
                continue
            }
            guard !isListed else { return .done(report) }
            return .chains(
                .with {
                    $0.tenant = tenant
                    $0.after = lastTenant
                    $0.limit = 1000
                })
        }
    }

    /// Chains that were asked for.
    public mutating func take(_ response: SQLListChainsResponse) {
        report.unsealed = response.unsealed
        chains = response.chains
        isListed = response.chains.count < 1000
        lastTenant = response.chains.last?.tenant ?? lastTenant
    }

    /// Checkpoints that were asked for.
    public mutating func take(_ response: SQLListCheckpointsResponse) {
        // What was signed since the chain was read belongs to a later look.
        checkpoints = response.checkpoints.filter { $0.segment <= chain.segments }
        checkpointsListed = response.checkpoints.count < 1000
        lastSegment = response.checkpoints.last?.segment ?? lastSegment
    }

    /// Rows that were asked for.
    public mutating func take(_ response: SQLReadChainResponse) {
        guard let asked = rows else { return }
        for row in response.rows { verifier?.take(row, &report) }
        let last = response.rows.last?.seq ?? asked.to
        guard response.rows.count < 1000 || last >= asked.to else {
            rows = (last, asked.to, asked.isTail)
            return
        }
        rows = nil
        if asked.isTail { endChain() }
    }

    private mutating func begin(_ chain: SQLAuditChain) {
        report.chains += 1
        self.chain = chain
        verifier = ChainVerifier(chain, keys: keys)
        checkpoints = []
        lastSegment = 0
        checkpointsListed = chain.segments == 0
    }

    private mutating func beginSegment(_ checkpoint: SQLAuditCheckpoint) {
        let isAsked = checkpoint.newest >= from && (to == 0 || checkpoint.oldest < to)
        if isAsked, cost >= most, report.nextFrom == 0 { report.nextFrom = max(1, checkpoint.oldest) }
        let looks = isAsked && report.nextFrom == 0
        if looks { cost += checkpoint.lastSeq - checkpoint.firstSeq + Self.segmentCost }
        verifier?.begin(checkpoint, looksAtRows: looks, &report)
        if looks, checkpoint.lastSeq >= checkpoint.firstSeq {
            rows = (checkpoint.firstSeq - 1, checkpoint.lastSeq, false)
        }
    }

    private mutating func finishChain() {
        verifier?.beginTail(&report)
        guard report.nextFrom == 0, chain.seq > chain.checkedSeq else { return endChain() }
        rows = (chain.checkedSeq, chain.seq, true)
    }

    private mutating func endChain() {
        if report.nextFrom == 0 { verifier?.end(&report) }
        verifier = nil
    }
}
