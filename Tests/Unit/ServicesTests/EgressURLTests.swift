// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Runtime
import SeededRandom
import Testing

@testable import Services

@Suite struct EgressURLTests {
    @Test(arguments: [
        ("https://API.Example.com", "api.example.com", 443, "/", ""),
        ("https://a-b.example:8443/x/y?z=1", "a-b.example", 8443, "/x/y", "?z=1"),
        ("http://127.0.0.1?q", "127.0.0.1", 80, "/", "?q"),
        ("https://[2606:4700::1111]:444/", "2606:4700::1111", 444, "/", ""),
    ])
    func wellFormedURLsAreRead(text: String, host: String, port: Int, path: String, query: String) throws {
        let url = try EgressURL(parsing: text)
        #expect(url.host == host)
        #expect(url.port == port)
        #expect(url.path == path)
        #expect(url.query == query)
    }

    @Test(arguments: [
        "", "example.com/", "ftp://example.com/", "https://", "https://user@example.com/", "https://a:b@c/",
        "https://example.com/#x", "https://exa mple.com/", "https://exämple.com/", "https://example.com:0/",
        "https://example.com:65536/", "https://example.com:/", "https://example.com:+1/", "https://.example.com/",
        "https://example..com/", "https://example.com./", "https://-a.com/", "https://127.1/", "https://2130706433/",
        "https://0x7f.0.0.1/", "https://0177.0.0.1/", "https://127.0.0.01/", "https://1.2.3.4.5/", "https://[::1/",
        "https://[::1]x/", "https://[v1.a]/", "https://a\\b/", "https://example.com/a\nb", "https://example.com/<",
        "https:///x", "https://a_b.com:443:444/",
    ])
    func ambiguousURLsAreRefused(text: String) {
        #expect(throws: CallError.self) { try EgressURL(parsing: text) }
    }

    @Test func noBytesCrashTheReader() {
        var generator = SeededGenerator(seed: 7)
        let alphabet = Array("https://[]:.@#?%-_a0f\\ ${}é".unicodeScalars)
        for _ in 0..<20_000 {
            var text = Bool.random(using: &generator) ? "https://" : ""
            for _ in 0..<Int.random(in: 0...24, using: &generator) {
                if let scalar = alphabet.randomElement(using: &generator) { text.unicodeScalars.append(scalar) }
            }
            guard let url = try? EgressURL(parsing: text) else { continue }
            // What was read, written out and read again, is the same.
            #expect((try? EgressURL(parsing: url.text(path: url.path, query: url.query))) == url)
        }
    }

    @Test(arguments: [
        "0.0.0.0", "10.0.0.1", "100.64.0.1", "127.255.255.254", "169.254.169.254", "172.16.0.1", "172.31.255.255",
        "192.0.0.1", "192.0.2.1", "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "240.0.0.1",
        "255.255.255.255", "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1",
        "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "fc00::1", "fd00:ec2::254", "fe80::1",
        "ff02::1", "3fff::1",
    ])
    func inwardAddressesAreNotPublic(text: String) throws {
        #expect(!AddressPolicy.isPublic(try SocketAddress(ipAddress: text, port: 443)))
    }

    @Test(arguments: ["1.1.1.1", "172.32.0.1", "192.1.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:8.8.8.8"])
    func outwardAddressesArePublic(text: String) throws {
        #expect(AddressPolicy.isPublic(try SocketAddress(ipAddress: text, port: 443)))
    }
}
