// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import SwiftProtobuf
public import TheatreContracts

/// An audit log in a file: for each tenant a line with the chain, then each checkpoint before its rows, a line that says
/// that no more checkpoints come, and the rows above the last one. Each line is a JSON object with one member.
public enum AuditExport {
    /// A line.
    public enum Line: Sendable, Hashable {
        /// Begins a tenant's log.
        case chain(SQLAuditChain)
        /// Begins a segment.
        case checkpoint(SQLAuditCheckpoint)
        /// Begins what no checkpoint is above of, of this tenant.
        case tail(String)
        /// A row.
        case row(SQLAuditRow)

        /// Without the end of the line.
        public func text() throws -> String {
            switch self {
            case .chain(let chain): "{\"chain\":\(try chain.jsonString())}"
            case .checkpoint(let checkpoint): "{\"checkpoint\":\(try checkpoint.jsonString())}"
            case .tail(let tenant): "{\"tail\":\(try SQLAuditChain.with { $0.tenant = tenant }.jsonString())}"
            case .row(let row): "{\"row\":\(try row.jsonString())}"
            }
        }

        /// Reads a line; throws where it is none.
        public init(_ text: some StringProtocol) throws {
            func body(_ name: String) -> String? {
                let start = "{\"\(name)\":"
                return text.hasPrefix(start) && text.hasSuffix("}}")
                    ? String(text.dropFirst(start.count).dropLast()) : nil
            }
            if let row = body("row") {
                self = .row(try SQLAuditRow(jsonString: row))
            } else if let checkpoint = body("checkpoint") {
                self = .checkpoint(try SQLAuditCheckpoint(jsonString: checkpoint))
            } else if let chain = body("chain") {
                self = .chain(try SQLAuditChain(jsonString: chain))
            } else if let tail = body("tail") {
                self = .tail(try SQLAuditChain(jsonString: tail).tenant)
            } else {
                throw AuditExportError()
            }
        }
    }

    /// Verifies an export line by line, with nothing but public keys.
    public struct Verifier: Sendable {
        private let tenant: String
        private let from: Int64
        private let to: Int64
        private let keys: AuditPublicKeys
        private var chain: ChainVerifier?
        private var hasTail = false
        /// What was found so far.
        public private(set) var report = AuditReport()

        /// As `AuditWalk`.
        public init(tenant: String, from: Int64 = 0, to: Int64 = 0, keys: AuditPublicKeys) {
            self.tenant = tenant
            self.from = from
            self.to = to
            self.keys = keys
        }

        /// The next line.
        public mutating func take(_ line: Line) {
            switch line {
            case .chain(let next):
                end()
                guard tenant.isEmpty || tenant == next.tenant else { return }
                report.chains += 1
                chain = ChainVerifier(next, keys: keys)
            case .checkpoint(let checkpoint):
                let looks = checkpoint.newest >= from && (to == 0 || checkpoint.oldest < to)
                chain?.begin(checkpoint, looksAtRows: looks, &report)
            case .tail:
                chain?.beginTail(&report)
                hasTail = true
            case .row(let row): chain?.take(row, &report)
            }
        }

        /// The end of the file; the report is complete then.
        public mutating func end() {
            if !hasTail { chain?.beginTail(&report) }
            chain?.end(&report)
            chain = nil
            hasTail = false
        }
    }
}

/// A line is none of an export.
public struct AuditExportError: Error {}
