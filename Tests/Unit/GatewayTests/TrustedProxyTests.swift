// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Testing
import TheatreManifest

@testable import Gateway
@testable import Runtime

/// Where a request came from, by the word of whom.
@Suite struct TrustedProxyTests {
    @Test(arguments: [
        ("10.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "198.51.100.1, 203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "203.0.113.7, 10.0.0.2", "203.0.113.7"),
        ("10.0.0.1", "203.0.113.7:4711", "203.0.113.7"),
        ("10.0.0.1", "[2001:db8::1]:4711", "2001:db8::1"),
        ("10.0.0.1", " 2001:db8::1\t", "2001:db8::1"),
        ("10.0.0.1", "203.0.113.7,garbage", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.7,,10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "10.0.0.9, 10.0.0.2", "10.0.0.9"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
    ])
    func onlyOurOwnHopsAreBelieved(_ peer: String, _ header: String, _ client: String) throws {
        let proxies = TrustedProxies([try #require(AddressBlock("10.0.0.0/8"))])
        let peer = try #require(NetworkAddress(peer))
        #expect(proxies.client(of: peer, forwardedFor: header).description == client)
    }

    /// The bench's clients come from 127.0.0.1.
    @Test func strangersBehindAProxyAreToldApartAndAForgedHeaderDoesNothing() throws {
        for isTrusted in [true, false] {
            let calls = RequestTests.echo()
            let bench = try Bench(calls, [.echo("GET", "/echo", on: calls)]) {
                $0.rates["default"] = .init(perMinute: 60, burst: 1)
                $0.trustedProxies = isTrusted ? [AddressBlock("127.0.0.0/8")].compactMap(\.self) : []
            }
            func status(_ client: String) throws -> Substring {
                try bench.send(request("GET", "/echo", ["X-Forwarded-For: \(client)"])).dropFirst(9).prefix(3)
            }
            #expect(try status("203.0.113.7") == "200")
            #expect(try status("203.0.113.8") == (isTrusted ? "200" : "429"))
            #expect(try status("203.0.113.7") == "429")
        }
    }
}
