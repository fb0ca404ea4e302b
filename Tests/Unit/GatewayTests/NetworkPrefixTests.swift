// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Gateway

@Suite struct NetworkPrefixTests {
    @Test(arguments: [
        ("203.0.113.77", "203.0.113.0/24"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"), ("::1", "0:0:0::/48"),
        ("::ffff:198.51.100.9", "198.51.100.0/24"), ("unknown", ""), ("", ""), ("somebody@example.org", ""),
    ])
    func anAddressIsKeptAsItsNetwork(_ address: String, _ network: String) {
        #expect(NetworkPrefix.of(address) == network)
    }
}
