// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TheatreManifest

@Suite struct NetworkAddressTests {
    @Test(arguments: [
        ("192.0.2.1", "192.0.2.1"), ("2001:db8::1", "2001:db8::1"), ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"), ("::", "::"), ("255.255.255.255", "255.255.255.255"),
    ])
    func anAddressIsReadAndWritten(_ text: String, _ expected: String) throws {
        #expect(try #require(NetworkAddress(text)).description == expected)
    }

    @Test(arguments: [
        "", "192.0.2", "192.0.2.256", "192.0.2.1 ", "1:2:3", "host", "192.0.2.1/24", "fe80::1%eth0", "0x7f.1",
    ])
    func whatIsNoAddressIsNotRead(_ text: String) {
        #expect(NetworkAddress(text) == nil)
    }

    @Test func subscribersAndNetworksAreWhatOnePartyHas() throws {
        let one = try #require(NetworkAddress("192.0.2.1")), other = try #require(NetworkAddress("192.0.2.200"))
        #expect(one.subscriber != other.subscriber && one.network == other.network)
        #expect(one.network.description == "192.0.2.0" && one.networkText == "192.0.2.0/24")
        #expect(NetworkAddress("2001:db8:1:2:3:4:5:6")?.networkText == "2001:db8:1::/48")
        #expect(NetworkAddress("::1")?.networkText == "::/48")
        let six = try #require(NetworkAddress("2001:db8:1:2:3::1")),
            near = try #require(NetworkAddress("2001:db8:1:2::9"))
        #expect(six.subscriber == near.subscriber && six.subscriber.description == "2001:db8:1:2::")
        #expect(six.network == NetworkAddress("2001:db8:1:ffff::")?.network)
        #expect(six.network != NetworkAddress("2001:db8:2::")?.network)
    }

    @Test func aBlockContainsWhatBeginsAsItDoes() throws {
        let block = try #require(AddressBlock("10.0.0.0/8")), one = try #require(AddressBlock("2001:db8::1"))
        for (text, isIn) in [("10.255.1.2", true), ("11.0.0.0", false), ("::ffff:10.0.0.1", true), ("a00::", false)] {
            #expect(block.contains(try #require(NetworkAddress(text))) == isIn, "\(text)")
        }
        #expect(one.contains(try #require(NetworkAddress("2001:db8::1"))))
        #expect(!one.contains(try #require(NetworkAddress("2001:db8::2"))))
        let all = try #require(AddressBlock("0.0.0.0/0"))
        #expect(all.contains(try #require(NetworkAddress("203.0.113.7"))))
        #expect(!all.contains(try #require(NetworkAddress("::1"))), "a block of one family says nothing of the other")
    }

    @Test(arguments: ["10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "2001:db8::1/64", "ten/8", ""])
    func aBlockThatMeansSomethingElseIsRefused(_ text: String) {
        #expect(AddressBlock(text) == nil)
    }
}
