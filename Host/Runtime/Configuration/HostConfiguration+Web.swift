// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import TheatreManifest

extension HostConfiguration.CrossOrigin {
    init(_ value: JSONValue) throws {
        var reader = try ObjectReader(value, at: "/cors")
        origins = try reader.strings("origins")
        for (index, origin) in origins.enumerated() where !Self.isOrigin(origin) {
            throw ManifestError(
                code: "manifest.value", pointer: "\(reader.pointer(to: "origins"))/\(index)",
                message: "is \"\(origin)\"; scheme, host and port alone are expected, like https://console.example.org")
        }
        allowsCredentials = try reader.bool("credentials", default: false)
        maxAgeSeconds = try reader.bounded("max_age_seconds", 0...86_400, default: 600)
        try reader.finish()
    }

    /// Scheme, host and perhaps a port, and nothing behind them. A star would let every page in.
    private static func isOrigin(_ text: String) -> Bool {
        guard let scheme = ["https://", "http://"].first(where: { text.hasPrefix($0) }) else { return false }
        let rest = text.dropFirst(scheme.utf8.count)
        return !rest.isEmpty
            && rest.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x61...0x7A, UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: ":"): true
                default: false
                }
            }
    }
}

extension HostConfiguration {
    static func blocks(_ reader: inout ObjectReader, _ key: String) throws -> [AddressBlock] {
        try reader.strings(key).enumerated().map { index, text in
            guard let block = AddressBlock(text) else {
                throw ManifestError(
                    code: "manifest.value", pointer: "\(reader.pointer(to: key))/\(index)",
                    message:
                        "is \"\(text)\"; a block of addresses is expected, like 10.0.0.0/8, with no bit set behind it")
            }
            return block
        }
    }
}
