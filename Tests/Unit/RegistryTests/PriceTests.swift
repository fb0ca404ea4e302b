// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Testing
import TheatreManifest

@testable import Registry

/// What calls cost, to the last millionth.
@Suite struct PriceTests {
    private func price(_ json: String) throws -> Price {
        try Price(reading: try JSONValue(json: Data(json.utf8)), at: "/price")
    }

    @Test func pricesAreReadExactly() throws {
        let price = try price(
            #"{"currency": "USD", "per_million": {"input_tokens": 0.15, "output_tokens": "0.6"}, "each": {"images": 0.04}}"#
        )
        #expect(price.currency == "USD")
        #expect(price.rates == ["input_tokens": 150_000, "output_tokens": 600_000, "images": 40_000_000_000])
        #expect(price.cost(of: ["input_tokens": 1_000_000]) == .micros(150_000))
        #expect(price.cost(of: ["images": 3]) == .micros(120_000))
        let small = try self.price(#"{"currency": "USD", "each": {"input_tokens": 0.000003}}"#)
        #expect(small.cost(of: ["input_tokens": 7]) == .micros(21))
        #expect(price.cost(of: [:]) == .micros(0))
    }

    /// A call that uses anything at all costs something: parts of a millionth are rounded up, once a call.
    @Test func partsAreRoundedUpOnce() throws {
        let price = try price(#"{"currency": "USD", "per_million": {"input_tokens": 0.15, "output_tokens": 0.6}}"#)
        #expect(price.cost(of: ["input_tokens": 1]) == .micros(1))
        #expect(price.cost(of: ["input_tokens": 7, "output_tokens": 1]) == .micros(2))
    }

    @Test func aPartIsChargedByItsOwnPriceOrAsPartOfTheWhole() throws {
        let parts = ["cached_input_tokens": "input_tokens"]
        let used: [String: Int64] = ["input_tokens": 1_000_000, "cached_input_tokens": 400_000]
        let whole = try price(#"{"currency": "USD", "per_million": {"input_tokens": 1}}"#)
        #expect(whole.cost(of: used, parts: parts) == .micros(1_000_000))
        let apart = try price(#"{"currency": "USD", "per_million": {"input_tokens": 1, "cached_input_tokens": 0.1}}"#)
        #expect(apart.cost(of: used, parts: parts) == .micros(640_000))
    }

    @Test func whatHasNoPriceIsUnknownAndNotFree() throws {
        let price = try price(#"{"currency": "USD", "per_million": {"input_tokens": 1}}"#)
        #expect(price.cost(of: ["input_tokens": 5, "images": 1]) == .unknown(units: ["images"]))
        #expect(try self.price(#"{"free": true}"#).cost(of: ["images": 1]) == .micros(0))
        let stated = try self.price(#"{"currency": "USD", "each": {"images": 0}}"#)
        #expect(stated.cost(of: ["images": 9]) == .micros(0))
    }

    @Test func sumsBeyondTheLargestNumberStayThere() throws {
        let price = try price(#"{"currency": "USD", "each": {"images": 999999}}"#)
        #expect(price.cost(of: ["images": .max]) == .micros(.max))
    }

    @Test(arguments: [
        (#"{"per_million": {"input_tokens": 1}}"#, "/price/currency"),
        (#"{"currency": "usd"}"#, "/price/currency"),
        (#"{"currency": "USD", "per_million": {"input_tokens": -1}}"#, "/price/per_million/input_tokens"),
        (#"{"currency": "USD", "per_million": {"input_tokens": 0.1234567}}"#, "/price/per_million/input_tokens"),
        (#"{"currency": "USD", "per_million": {"input_tokens": "1e3"}}"#, "/price/per_million/input_tokens"),
        (#"{"currency": "USD", "each": {"images": 9000000000000}}"#, "/price/each/images"),
        (#"{"currency": "USD", "per_million": {"images": 1}, "each": {"images": 1}}"#, "/price/each"),
        (#"{"free": true, "each": {"images": 1}}"#, "/price"),
        (#"{"currency": "USD", "per_milion": {}}"#, "/price/per_milion"),
    ]) func whatIsNoPriceIsNamed(_ json: String, _ pointer: String) throws {
        let error = #expect(throws: ManifestError.self) { try price(json) }
        #expect(error?.pointer == pointer, "\(error.map { "\($0)" } ?? "")")
    }
}
