// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SeededRandom
import SwiftProtobuf
import Testing
import TheatreContracts
import Transcoding

struct FuzzTests {
    static let seed = """
        {"real":-1.5e10,"real_list":[0.0,1.0],"small_real":0.1,"small_real_list":[3.4e38],"i32":-2147483648,"i32_list":[1,0,-1],
        "i64":9007199254740992,"i64_list":["-9223372036854775808"],"u32":4294967295,"u32_list":[7],"u64":"18446744073709551615",
        "u64_list":[0],"s32":-1,"s32_list":[2147483647],"s64":"-9223372036854775808","s64_list":[1],"f32":1,"f32_list":[2],
        "f64":3,"f64_list":[4],"sf32":-5,"sf32_list":[6],"sf64":-7,"sf64_list":[8],"flag":true,"flag_list":[false,true],
        "text":"é\\n\\u20ac\\ud83d\\ude00","text_list":["","a"],"blob":"AAECAw==","blob_list":["/w=="],"document":{"k":[1]},
        "secret":"one","inner":{"text":"x","inner":{}},"at":"1969-12-31T23:59:59.999Z"}
        """

    @Test func everyTypeSurvivesTheRoundTrip() throws {
        let transcoder = try TestCatalog.transcoder("test.Every")
        let bytes = try transcoder.encode(text: Self.seed)
        let json = try transcoder.decode(bytes)
        #expect(try transcoder.decode(try transcoder.encode(json)) == json)
        for part in [
            #""u64":"18446744073709551615""#, #""s64_list":[1]"#, #""i32_list":[1,0,-1]"#, #""blob":"AAECAw==""#,
            #""at":"1969-12-31T23:59:59.999Z""#, #""small_real":0.1"#, #""s64":"-9223372036854775808""#,
        ] { #expect(String(decoding: json, as: UTF8.self).contains(part), "\(part)") }
    }

    @Test(arguments: FuzzPlan.current.seeds(8)) func damagedJSONIsAnErrorOrCanonical(_ seed: UInt64) throws {
        let transcoder = try TestCatalog.transcoder("test.Every")
        var random = SeededGenerator(seed: seed)
        let alphabet = Array(#"{}[]",:\0123456789-+.eEtfn u"#.utf8) + [0x80, 0xC3, 0xFF, 0]
        var accepted = 0
        for _ in 0..<500 {
            var json = Array(Self.seed.utf8)
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let index = Int.random(in: 0..<json.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: json[index] = alphabet.randomElement(using: &random) ?? 0
                case 1: json.remove(at: index)
                case 2: json.insert(alphabet.randomElement(using: &random) ?? 0, at: index)
                default: json.removeSubrange(index..<min(json.count, index + 40))
                }
            }
            guard let bytes = try? transcoder.encode(json) else { continue }
            accepted += 1
            let canonical = try transcoder.decode(bytes)
            let again = try transcoder.encode(canonical)
            #expect(try transcoder.decode(again) == canonical)
        }
        #expect(accepted > 0)
    }

    @Test(arguments: FuzzPlan.current.seeds(8)) func damagedBytesAreAnErrorOrCanonical(_ seed: UInt64) throws {
        let transcoder = try TestCatalog.transcoder("test.Every")
        let whole = try transcoder.encode(text: Self.seed)
        var random = SeededGenerator(seed: seed &+ 100)
        var accepted = 0
        for _ in 0..<500 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...3, using: &random) where !bytes.isEmpty {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                case 1: bytes.removeSubrange(index..<min(bytes.count, index + 8))
                default: bytes.append(UInt8.random(in: 0...255, using: &random))
                }
            }
            guard let json = try? transcoder.decode(bytes) else { continue }
            accepted += 1
            // What a field rule forbids in a request may stand in an answer.
            guard let again = try? transcoder.encode(json) else { continue }
            #expect(try transcoder.decode(again) == json)
        }
        #expect(accepted > 0)
    }

    @Test(arguments: 0..<20) func ordersAgreeWithTheGeneratedMessages(_ seed: Int) throws {
        let transcoder = try TestCatalog.transcoder("theatre.orders.v1.Order")
        var random = SeededGenerator(seed: UInt64(seed) &+ 1000)
        var order = OrdersOrder()
        order.id = String((0..<8).map { _ in "aé😀\"\\\n".randomElement(using: &random) ?? "x" })
        order.status = OrdersOrderStatus(rawValue: Int.random(in: 0...8, using: &random)) ?? .unspecified
        order.chips = Int64.random(in: .min ... .max, using: &random)
        if Bool.random(using: &random) { order.price.currency = "CNY" }
        if Bool.random(using: &random) { order.attempt.number = "pay_1" }
        order.createdAt = Int64.random(in: 0...4_000_000_000_000, using: &random)
        // Money's currency is required of a request, so an answer without it does not read as one.
        if order.hasPrice { order.price.amount = Int64.random(in: -100...100, using: &random) }
        let json = try transcoder.decode(try order.serializedBytes())
        #expect(try OrdersOrder(serializedBytes: try transcoder.encode(json)) == order)
    }

    @Test(arguments: 0..<20) func oneofsAgreeWithTheGeneratedMessages(_ seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed) &+ 2000)
        let transcoder = try TestCatalog.transcoder("theatre.sql.v1.Statement")
        var statement = SQLStatement()
        statement.sql = "SELECT 1"
        for _ in 0..<Int.random(in: 0..<6, using: &random) {
            var value = SQLValue()
            switch Int.random(in: 0..<5, using: &random) {
            case 0: value.integer = Int64.random(in: .min ... .max, using: &random)
            case 1: value.real = Double.random(in: -1e300...1e300, using: &random)
            case 2: value.text = ""
            case 3: value.blob.append(contentsOf: (0..<5).map { _ in UInt8.random(in: 0...255, using: &random) })
            default: break
            }
            statement.parameters.append(value)
        }
        if Bool.random(using: &random) { statement.expect = 0 }
        let json = try transcoder.decode(try statement.serializedBytes())
        #expect(try SQLStatement(serializedBytes: try transcoder.encode(json)) == statement)
    }
}
