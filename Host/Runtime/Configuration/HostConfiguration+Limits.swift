// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import TheatreManifest

extension HostConfiguration {
    static func rates(_ members: [String: JSONValue]) throws -> [String: Rate] {
        var rates = [
            "default": Rate(perMinute: 1200, burst: 200), "login": Rate(perMinute: 30, burst: 10),
            "upload": Rate(perMinute: 60, burst: 20), "provider": Rate(perMinute: 6000, burst: 1000),
        ]
        for (name, value) in members {
            var reader = try ObjectReader(value, at: "/rates/\(name)")
            let perMinute = try reader.bounded("per_minute", 0...10_000_000, default: 1200)
            // Something else bounds the class, or nothing is to.
            if perMinute == 0 {
                rates[name] = .unlimited
                try reader.finish()
                continue
            }
            rates[name] = Rate(
                perMinute: perMinute,
                burst: try reader.bounded("burst", 1...1_000_000, default: 200),
                network: try bucket(&reader, "network", of: name), tenant: try bucket(&reader, "tenant", of: name),
                concurrent: try reader.bounded("concurrent", 0...1_000_000, default: 0))
            try reader.finish()
        }
        return rates
    }

    private static func bucket(_ reader: inout ObjectReader, _ key: String, of name: String) throws -> Bucket? {
        guard let value = try reader.value(key) else { return nil }
        var bucket = try ObjectReader(value, at: "/rates/\(name)/\(key)")
        let perMinute = try bucket.bounded("per_minute", 1...10_000_000, default: 1200)
        let burst = try bucket.bounded("burst", 1...1_000_000, default: 200)
        try bucket.finish()
        return Bucket(perMinute: perMinute, burst: burst)
    }
}

extension HostConfiguration.Limits {
    init(_ value: JSONValue) throws {
        var reader = try ObjectReader(value, at: "/limits")
        connections = try reader.bounded("connections", 1...1_000_000, default: 10_000)
        connectionsOfOne = try reader.bounded("connections_of_one", 1...1_000_000, default: 1024)
        requests = try reader.bounded("requests", 16...1_000_000, default: 8192)
        headerBytes = try reader.bounded("header_bytes", 1024...1 << 20, default: 16_384)
        headerSeconds = try reader.bounded("header_seconds", 1...600, default: 10)
        bodySeconds = try reader.bounded("body_seconds", 1...600, default: 30)
        answerSeconds = try reader.bounded("answer_seconds", 1...600, default: 30)
        idleSeconds = try reader.bounded("idle_seconds", 1...3600, default: 60)
        try reader.finish()
    }
}
