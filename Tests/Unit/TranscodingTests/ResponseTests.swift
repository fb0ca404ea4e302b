// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import Testing
import TheatreContracts
import Transcoding

struct ResponseTests {
    @Test func everyFieldIsPrintedInOrder() throws {
        let transcoder = try TestCatalog.transcoder("theatre.orders.v1.Order")
        var order = OrdersOrder()
        order.id = "ord_1"
        order.status = .partiallyRefunded
        order.chips = 1 << 54
        order.createdAt = 1_795_320_987_123
        #expect(
            try transcoder.decodedText(try order.serializedBytes())
                == #"{"id":"ord_1","status":"PARTIALLY_REFUNDED","price":null,"chips":"18014398509481984","attempt":null,"#
                + #""refunded":0,"created_at":"2026-11-22T04:16:27.123Z","paid_at":null}"#)
    }

    @Test func emptyContainersArePrinted() throws {
        #expect(try TestCatalog.transcoder("theatre.sql.v1.Row").decodedText([]) == #"{"values":[]}"#)
        let value = try TestCatalog.transcoder("theatre.sql.v1.Value").decodedText([])
        #expect(value == #"{"integer":null,"real":null,"text":null,"blob":null,"timestamp":null,"json":null}"#)
    }

    @Test func fieldsInAnyOrderGiveTheSameText() throws {
        let transcoder = try TestCatalog.transcoder("theatre.types.v1.Money")
        let swapped: [UInt8] = [0x12, 3, 0x43, 0x4E, 0x59, 0x08, 5, 0x78, 1]
        #expect(try transcoder.decodedText(swapped) == #"{"amount":5,"currency":"CNY"}"#)
    }

    @Test func aMessageThatIsThereTwiceIsMerged() throws {
        let transcoder = try TestCatalog.transcoder("theatre.orders.v1.Order")
        let bytes: [UInt8] = [0x1A, 2, 0x08, 5, 0x1A, 3, 0x12, 1, 0x58]
        #expect(try transcoder.decodedText(bytes).contains(#""price":{"amount":5,"currency":"X"}"#))
    }

    @Test(arguments: [[0x08], [0x0A, 5, 1], [0x0B], [0x00, 1], [0x12, 1, 0xFF], [0x0A, 0]] as [[UInt8]])
    func brokenBytesAreRefused(_ bytes: [UInt8]) throws {
        let transcoder = try TestCatalog.transcoder("theatre.types.v1.Money")
        let error = #expect(throws: TranscodingError.self) { try transcoder.decode(bytes) }
        #expect(error?.code == "wire.invalid")
    }

    @Test func jsonFieldsArePrintedRaw() throws {
        let transcoder = try TestCatalog.transcoder("test.Every")
        let text = try transcoder.decodedText(try transcoder.encode(text: #"{"document": {"a": [1, null]}}"#))
        #expect(text.contains(#""document":{"a": [1, null]}"#))
        #expect(throws: TranscodingError.self) { try transcoder.decode([0xCA, 0x02, 1, 0x7B]) }
    }
}
