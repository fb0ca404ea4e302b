// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Addresses
import OneTimeCodes

/// The configuration of an instance; the schema in `plugin.json` holds defaults and bounds.
struct PhoneOTPConfiguration: Decodable, Sendable {
    /// Calling code of numbers that begin with none, or empty.
    var country: String
    var classes: [CountryClass]
    var codes: CodeSettings

    /// Countries of one price.
    struct CountryClass: Decodable, Sendable, Hashable {
        var price: PriceClass
        var prefixes: [String]
        var region: String

        enum CodingKeys: String, CodingKey {
            case prefixes, region
        }

        init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: CodingKeys.self)
            price = try PriceClass(from: decoder)
            prefixes = try values.decode([String].self, forKey: .prefixes)
            region = try values.decodeIfPresent(String.self, forKey: .region) ?? ""
        }
    }

    enum CodingKeys: String, CodingKey {
        case country, classes
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        country = try values.decode(String.self, forKey: .country)
        classes = try values.decode([CountryClass].self, forKey: .classes)
        codes = try CodeSettings(from: decoder)
    }

    /// The class of a number: that of the longest prefix; nil where none serves it.
    func priceClass(of number: PhoneNumber) -> CountryClass? {
        var best: (length: Int, found: CountryClass)?
        for one in classes {
            for prefix in one.prefixes where number.digits.hasPrefix(prefix) && prefix.count > best?.length ?? 0 {
                best = (prefix.count, one)
            }
        }
        return best?.found
    }
}
