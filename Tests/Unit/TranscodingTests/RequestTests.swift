// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import Testing
import TheatreContracts
import Transcoding

struct RequestTests {
    @Test func anOrderIsWrittenAsProtobufReadsIt() throws {
        let transcoder = try TestCatalog.transcoder("theatre.orders.v1.CreateOrderRequest")
        let bytes = try transcoder.encode(text: #" {"currency": "CN\u0059", "chips": 500} "#)
        let request = try OrdersCreateOrderRequest(serializedBytes: bytes)
        #expect(request.chips == 500 && request.currency == "CNY")
    }

    @Test(
        arguments: [
            (#"{"chips": "many", "currency": "CNY"}"#, #"/chips is "many"; an integer is expected"#),
            (#"{"chips": 1.5, "currency": "CNY"}"#, "/chips is 1.5; an integer is expected"),
            (#"{"chips": 0, "currency": "CNY"}"#, "/chips is 0; at least 1 is expected"),
            (#"{"chips": 9007199254740993, "currency": "CNY"}"#, "within ±9007199254740992"),
            (#"{"chips": 1}"#, "/currency is missing; it is required"),
            (#"{"chips": 1, "currency": ""}"#, "/currency is empty; it is required"),
            (#"{"chips": 1, "currency": "YUAN"}"#, "/currency is of length 4; a length of at most 3 is expected"),
            (#"{"chip": 1, "currency": "CNY"}"#, #"/chip is unknown; did you mean "chips"?"#),
            (#"{"chips": 1, "chips": 1}"#, "/chips is given twice; one of them is expected"),
            (#"{"chips": 1,}"#, "not JSON at byte 12"),
            (#"{"chips": 01}"#, "not JSON at byte 11"),
            ("[]", "the document is an array; an object is expected"),
            ("", "/chips is missing"),
            (#"{"chips": 1, "currency": "CNY"} x"#, "not JSON at byte 32"),
            (#"{"currency": "\ud800"}"#, "not JSON at byte"),
        ] as [(String, String)])
    func faultsNameTheirPlace(_ json: String, _ part: String) throws {
        let transcoder = try TestCatalog.transcoder("theatre.orders.v1.CreateOrderRequest")
        let error = #expect(throws: TranscodingError.self) { try transcoder.encode(text: json) }
        #expect(error?.description.contains(part) == true, "\(error?.description ?? "")")
    }

    @Test func parametersFillFieldsAndThePathHolds() throws {
        let transcoder = try TestCatalog.transcoder("theatre.orders.v1.PayOrderRequest")
        let path = [(name: "order_id", value: "ord_1")]
        let bytes = try transcoder.encode(text: #"{"order_id": "ord_1", "channel": "h5"}"#, path: path)
        let request = try OrdersPayOrderRequest(serializedBytes: bytes)
        #expect(request.orderID == "ord_1" && request.channel == "h5")
        #expect(try OrdersPayOrderRequest(serializedBytes: try transcoder.encode([], path: path)).orderID == "ord_1")
        let body = #expect(throws: TranscodingError.self) {
            try transcoder.encode(text: #"{"order_id": "ord_2"}"#, path: path)
        }
        #expect(body?.code == "request.conflict" && body?.pointer == "/order_id")
        let query = #expect(throws: TranscodingError.self) {
            try transcoder.encode([], path: path, query: [(name: "order_id", value: "ord_2")])
        }
        #expect(query?.code == "request.conflict")
        let unknown = #expect(throws: TranscodingError.self) {
            try transcoder.encode([], query: [(name: "chanel", value: "x")])
        }
        #expect(unknown?.description == #"/chanel is unknown; did you mean "channel"?"#)
    }

    @Test func numbersInParametersAreChecked() throws {
        let transcoder = try TestCatalog.transcoder("theatre.types.v1.Page")
        let bytes = try transcoder.encode([], query: [(name: "limit", value: "20"), (name: "cursor", value: "a\"b")])
        let page = try TypesPage(serializedBytes: bytes)
        #expect(page.limit == 20 && page.cursor == "a\"b")
        let error = #expect(throws: TranscodingError.self) {
            try transcoder.encode([], query: [(name: "limit", value: "-1")])
        }
        #expect(error?.pointer == "/limit")
    }

    @Test func twoMembersOfAOneofAreRefused() throws {
        let transcoder = try TestCatalog.transcoder("theatre.sql.v1.Value")
        let error = #expect(throws: TranscodingError.self) {
            try transcoder.encode(text: #"{"integer": 1, "text": ""}"#)
        }
        #expect(error?.code == "json.oneof" && error?.pointer == "/text")
        let value = try SQLValue(serializedBytes: try transcoder.encode(text: #"{"integer": null, "text": ""}"#))
        #expect(value.kind == .text(""))
    }

    @Test func valuesOfSecretFieldsAreNotShown() throws {
        let transcoder = try TestCatalog.transcoder("test.Every")
        for json in [
            #"{"secret": "hunter2"}"#, #"{"secret": 4711}"#, #""hunter2""#, "4711", #"{"inner": {"inner": "hunter2"}}"#,
        ] {
            let error = #expect(throws: TranscodingError.self) { try transcoder.encode(text: json) }
            #expect(error?.description.contains("hunter2") == false && error?.description.contains("4711") == false)
        }
    }

    @Test func thirtyTwoLevelsAreTheLimit() throws {
        let transcoder = try TestCatalog.transcoder("test.Every")
        func nested(_ levels: Int) -> String {
            String(repeating: #"{"inner":"#, count: levels - 1) + "{}" + String(repeating: "}", count: levels - 1)
        }
        let bytes = try transcoder.encode(text: nested(32))
        #expect(try transcoder.decodedText(bytes).hasPrefix("{"))
        let error = #expect(throws: TranscodingError.self) { try transcoder.encode(text: nested(33)) }
        #expect(error?.code == "json.depth")
    }

    @Test(arguments: ["2026-11-22T04:16:27.123Z", "2026-11-22T05:16:27.123456+01:00", "2026-11-21t23:46:27.123-04:30"])
    func timestampsAreReadWithTheirOffset(_ text: String) throws {
        let transcoder = try TestCatalog.transcoder("test.Every")
        let json = try transcoder.decodedText(try transcoder.encode(text: #"{"at": "\#(text)"}"#))
        #expect(json.contains(#""at":"2026-11-22T04:16:27.123Z""#), "\(json)")
    }

    @Test(arguments: [
        "2026-02-29T00:00:00Z", "2026-01-01 00:00:00Z", "2026-01-01T00:00:00", "2026-01-01T24:00:00Z", "x",
    ])
    func whatIsNoTimestampIsRefused(_ text: String) throws {
        let transcoder = try TestCatalog.transcoder("test.Every")
        #expect(throws: TranscodingError.self) { try transcoder.encode(text: #"{"at": "\#(text)"}"#) }
    }
}
