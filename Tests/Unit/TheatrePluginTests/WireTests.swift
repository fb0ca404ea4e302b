// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SeededRandom
import SwiftProtobuf
import Testing
import TheatreContracts

@testable import TheatrePlugin

/// What is written and read without protobuf, held against protobuf.
struct WireTests {
    @Test(arguments: [1, 2, 3]) func theBytesAreProtobufs(seed: UInt64) throws {
        var chance = SeededGenerator(seed: seed)
        for _ in 0..<500 {
            let rows = Self.rows(&chance)
            try Self.agree(rows)
            #expect(try rows.quickBytes == rows.serializedBytes())
            let request = Self.request(&chance)
            try Self.agree(request)
            #expect(try request.quickBytes == request.serializedBytes())
            try Self.agree(Self.context(&chance))
            let commit = Self.commit(&chance)
            try Self.agree(commit)
            #expect(try commit.quickBytes == commit.serializedBytes())
            let response = Self.response(&chance)
            try Self.agree(response)
            #expect(try response.quickBytes == response.serializedBytes())
        }
    }

    @Test(arguments: [4, 5, 6]) func whatIsDamagedIsReadAsProtobufReadsItOrNotAtAll(seed: UInt64) throws {
        var chance = SeededGenerator(seed: seed)
        for _ in 0..<2000 {
            try Self.agree(SQLRows.self, damaged: Self.rows(&chance).serializedBytes(), &chance)
            try Self.agree(SQLQueryRequest.self, damaged: Self.request(&chance).serializedBytes(), &chance)
            try Self.agree(SQLCommitRequest.self, damaged: Self.commit(&chance).serializedBytes(), &chance)
            try Self.agree(SQLCommitResponse.self, damaged: Self.response(&chance).serializedBytes(), &chance)
            try Self.agree(HostContext.self, damaged: Self.context(&chance).serializedBytes(), &chance)
        }
    }

    @Test(arguments: [7, 8, 9]) func rowsAreTheSameWhateverColumnsWereExpected(seed: UInt64) throws {
        var chance = SeededGenerator(seed: seed)
        for _ in 0..<500 {
            let message = Self.rows(&chance)
            let bytes: [UInt8] = try message.serializedBytes()
            let others = Self.rows(&chance).columns
            for expected in [[], message.columns, others, message.columns + others, Array(message.columns.dropLast())] {
                let read = bytes.withUnsafeBytes { Rows(wire: $0, columns: expected) }
                let rows = try #require(read)
                #expect(rows.columns == message.columns && rows.changed == Int(message.changed))
                #expect(rows.map(\.values) == message.rows.map(\.values))
            }
        }
    }

    @Test(arguments: [10, 11, 12]) func aQueryByNumberIsReadWhereItLies(seed: UInt64) throws {
        var chance = SeededGenerator(seed: seed)
        for _ in 0..<500 {
            let values = Self.request(&chance).statement.parameters
            let options = ReadOptions(
                maxRows: .random(in: 0...3, using: &chance), timeout: Bool.random(using: &chance) ? .seconds(2) : nil,
                maxStaleness: Bool.random(using: &chance) ? .milliseconds(7) : .zero)
            let number = UInt64.random(in: 1 ... .max, using: &chance)
            let bytes = try #require(options.wire(number, values))
            let request = options.request(
                .with {
                    $0.statementID = number
                    $0.parameters = values
                })
            #expect(try SQLQueryRequest(serializedBytes: bytes) == request)
            let read = try bytes.withUnsafeBytes { bytes in
                let query = try #require(NumberedQuery(wire: bytes))
                #expect(query.number == number && query.maxRows == options.maxRows)
                return Array(IteratorSequence(query.parameters)).map(\.value)
            }
            try #require(read.count == values.count)
            for (read, value) in zip(read, values) where read != nil {
                if case .timestamp(let time)? = value.kind {
                    #expect(read?.integer == time)
                } else {
                    #expect(read == value)
                }
            }
        }
        let byText = SQLQueryRequest.with { $0.statement = .with { $0.sql = "SELECT 1" } }
        let text: [UInt8] = try byText.serializedBytes()
        #expect(text.withUnsafeBytes { NumberedQuery(wire: $0) == nil })
    }

    @Test func whatIsUnknownIsKept() throws {
        var rows = SQLRows.with { $0.columns = ["a"] }
        try rows.unknownFields = SQLRows(serializedBytes: [0xF8, 0x01, 0x07]).unknownFields
        #expect(!rows.unknownFields.data.isEmpty && rows.quickBytes == nil)
        let bytes = try rows.wireBytes()
        #expect(try bytes.withUnsafeBytes { try SQLRows(borrowing: $0) } == rows)
        #expect(bytes.withUnsafeBytes { SQLRows.quickly($0) } == nil)
    }

    private static func agree<M: Message & Equatable>(_ message: M) throws {
        let bytes: [UInt8] = try message.serializedBytes()
        #expect(bytes.withUnsafeBytes { M.quickly($0) } == message)
    }

    private static func agree<M: Message & Equatable>(
        _: M.Type, damaged bytes: [UInt8], _ chance: inout SeededGenerator
    ) throws {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...3, using: &chance) where !bytes.isEmpty {
            let place = Int.random(in: bytes.indices, using: &chance)
            if Bool.random(using: &chance) {
                bytes[place] = .random(in: 0...255, using: &chance)
            } else {
                bytes.remove(at: place)
            }
        }
        guard let quick = bytes.withUnsafeBytes({ M.quickly($0) }) else { return }
        // Compared by their bytes: NaN is not itself.
        let other = try M(serializedBytes: bytes)
        #expect(try quick.serializedBytes() as [UInt8] == other.serializedBytes())
    }

    // MARK: Messages

    private static func text(_ chance: inout SeededGenerator) -> String {
        let words = ["", "a", "naïve", "詞", String(repeating: "long ", count: 60), "x\u{0}y", "😀"]
        return words.randomElement(using: &chance) ?? ""
    }

    private static func integer(_ chance: inout SeededGenerator) -> Int64 {
        [0, 1, -1, 127, 128, .max, .min, .random(in: .min ... .max, using: &chance)].randomElement(using: &chance) ?? 0
    }

    private static func value(_ chance: inout SeededGenerator) -> SQLValue {
        .with {
            switch Int.random(in: 0..<7, using: &chance) {
            case 0: $0.integer = integer(&chance)
            case 1: $0.real = Double(integer(&chance)) / 3
            case 2: $0.text = text(&chance)
            case 3: $0.blob = Data(text(&chance).utf8)
            case 4: $0.timestamp = integer(&chance)
            case 5: $0.json = text(&chance)
            default: break
            }
        }
    }

    private static func rows(_ chance: inout SeededGenerator) -> SQLRows {
        .with {
            $0.columns = (0..<Int.random(in: 0..<4, using: &chance)).map { _ in text(&chance) }
            $0.rows = (0..<Int.random(in: 0..<4, using: &chance)).map { _ in
                SQLRow.with { row in
                    row.values = (0..<Int.random(in: 0..<4, using: &chance)).map { _ in value(&chance) }
                }
            }
            $0.changed = UInt32(truncatingIfNeeded: integer(&chance))
        }
    }

    private static func commit(_ chance: inout SeededGenerator) -> SQLCommitRequest {
        .with {
            $0.statements = (0..<Int.random(in: 0..<4, using: &chance)).map { _ in request(&chance).statement }
            if Bool.random(using: &chance) { $0.attachments = SQLAttachments() }
            if Bool.random(using: &chance) { $0.attachments.events.append(.with { $0.type = text(&chance) }) }
            $0.isolation = SQLIsolation.allCases.randomElement(using: &chance) ?? .serializable
            $0.timeoutMs = UInt32(truncatingIfNeeded: integer(&chance))
        }
    }

    private static func response(_ chance: inout SeededGenerator) -> SQLCommitResponse {
        .with {
            $0.results = (0..<Int.random(in: 0..<4, using: &chance)).map { _ in rows(&chance) }
            $0.lastOffset = integer(&chance)
            $0.jobIds = (0..<Int.random(in: 0..<3, using: &chance)).map { _ in text(&chance) }
        }
    }

    private static func request(_ chance: inout SeededGenerator) -> SQLQueryRequest {
        .with {
            $0.statement = .with { statement in
                statement.sql = text(&chance)
                statement.parameters = (0..<Int.random(in: 0..<4, using: &chance)).map { _ in value(&chance) }
                if Bool.random(using: &chance) { statement.expect = UInt32(truncatingIfNeeded: integer(&chance)) }
                statement.statementID = UInt64(bitPattern: integer(&chance))
            }
            $0.maxRows = UInt32(truncatingIfNeeded: integer(&chance))
            $0.timeoutMs = UInt32(truncatingIfNeeded: integer(&chance))
            $0.maxStalenessMs = UInt32(truncatingIfNeeded: integer(&chance))
        }
    }

    private static func context(_ chance: inout SeededGenerator) -> HostContext {
        .with {
            $0.tenant = text(&chance)
            $0.project = text(&chance)
            $0.principal = text(&chance)
            $0.principalKind = [.user, .service, .system, .unspecified].randomElement(using: &chance) ?? .user
            $0.session = text(&chance)
            $0.roles = (0..<Int.random(in: 0..<3, using: &chance)).map { _ in text(&chance) }
            $0.route = text(&chance)
            $0.resource = text(&chance)
            $0.action = text(&chance)
            $0.decision = text(&chance)
            $0.audit = text(&chance)
            $0.traceparent = text(&chance)
            $0.locale = text(&chance)
            $0.requestID = text(&chance)
            $0.idempotencyKey = text(&chance)
            $0.requestDigest = Data(text(&chance).utf8)
            $0.answerRequired = Bool.random(using: &chance)
            $0.caller = text(&chance)
            $0.profile = text(&chance)
            $0.parameters = text(&chance)
            $0.publishes = text(&chance)
            $0.queues = text(&chance)
        }
    }
}

extension NumberedQuery.Parameter {
    /// Nil where it is left to a closer look; a timestamp comes as the integer it is bound as.
    fileprivate var value: SQLValue? {
        switch self {
        case .null: SQLValue()
        case .integer(let integer): SQLValue.with { $0.integer = integer }
        case .real(let real): SQLValue.with { $0.real = real }
        case .text(let text): SQLValue.with { $0.text = String(decoding: text, as: UTF8.self) }
        case .blob(let blob): SQLValue.with { $0.blob = Data(blob) }
        case .other: nil
        }
    }
}
