// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import SwiftProtobuf
internal import TheatreContracts

// Fields with their tags, as theatre/sql/v1/sql.proto has them.

extension SQLCommitRequest {
    /// Nil where only protobuf can read it.
    init?(wire bytes: UnsafeRawBufferPointer) {
        self.init()
        var reader = WireReader(bytes)
        while !reader.isAtEnd {
            switch reader.varint() {
            case 10:
                guard let message = reader.field().flatMap({ SQLStatement(wire: $0) }) else { return nil }
                statements.append(message)
            case 18 where !hasAttachments:
                guard let field = reader.field() else { return nil }
                attachments = SQLAttachments()
                guard !field.isEmpty else { continue }
                do { attachments = try SQLAttachments(serializedBytes: BorrowedBytes(field)) } catch { return nil }
            case 24:
                guard let level = reader.word().flatMap({ SQLIsolation(rawValue: Int($0)) }) else { return nil }
                isolation = level
            case 32:
                guard let time = reader.word() else { return nil }
                timeoutMs = time
            default: return nil
            }
        }
    }

    /// Nil where it holds what only protobuf can write.
    var wire: [UInt8]? {
        guard unknownFields.data.isEmpty, statements.allSatisfy(\.isPlain),
            let level = UInt32(exactly: isolation.rawValue)
        else { return nil }
        var attached: [UInt8]?
        if hasAttachments {
            attached = []
            if attachments != SQLAttachments() {
                do { attached = try attachments.serializedBytes() } catch { return nil }
            }
        }
        var size = 0
        for statement in statements { size += 1 + WireWriter.size(field: statement.wireSize) }
        if let attached { size += 1 + WireWriter.size(field: attached.count) }
        if level != 0 { size += 1 + WireWriter.size(UInt64(level)) }
        if timeoutMs != 0 { size += 1 + WireWriter.size(UInt64(timeoutMs)) }
        return WireWriter.bytes(size) { writer in
            for statement in statements {
                writer.tag(10)
                writer.varint(UInt64(statement.wireSize))
                statement.write(to: &writer)
            }
            if let attached {
                writer.tag(18)
                attached.withUnsafeBytes { writer.field($0) }
            }
            writer.number(24, level)
            writer.number(32, timeoutMs)
        }
    }
}

extension SQLCommitResponse {
    /// Nil where only protobuf can read it.
    init?(wire bytes: UnsafeRawBufferPointer) {
        self.init()
        var reader = WireReader(bytes)
        while !reader.isAtEnd {
            switch reader.varint() {
            case 10:
                guard let rows = reader.field().flatMap({ SQLRows(wire: $0) }) else { return nil }
                results.append(rows)
            case 16:
                guard let offset = reader.varint() else { return nil }
                lastOffset = Int64(bitPattern: offset)
            case 26:
                guard let id = reader.text() else { return nil }
                jobIds.append(id)
            default: return nil
            }
        }
    }

    /// Nil where it holds what only protobuf can write.
    var wire: [UInt8]? {
        guard unknownFields.data.isEmpty, results.allSatisfy(\.isPlain) else { return nil }
        let offset = UInt64(bitPattern: lastOffset)
        var size = offset == 0 ? 0 : 1 + WireWriter.size(offset)
        for rows in results { size += 1 + WireWriter.size(field: rows.wireSize) }
        for id in jobIds { size += 1 + WireWriter.size(field: id.utf8.count) }
        return WireWriter.bytes(size) { writer in
            for rows in results {
                writer.tag(10)
                writer.varint(UInt64(rows.wireSize))
                rows.write(to: &writer)
            }
            if offset != 0 {
                writer.tag(16)
                writer.varint(offset)
            }
            for id in jobIds {
                writer.tag(26)
                writer.text(id)
            }
        }
    }
}
