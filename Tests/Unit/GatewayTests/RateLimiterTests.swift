// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Testing
import TheatreManifest

@testable import Gateway
@testable import Runtime

@Suite struct RateLimiterTests {
    private static let second: UInt64 = 1_000_000_000

    private func stranger(_ address: String) -> RateLimiter.Asker {
        RateLimiter.Asker(principal: nil, tenant: "", address: NetworkAddress(address))
    }

    private func isAllowed(_ verdict: RateLimiter.Verdict?) -> Bool {
        if case .allowed = verdict?.decision { true } else { false }
    }

    private func limiter(
        _ configure: (inout GatewayConfiguration.Rate) -> Void, sweptFrom: Int = 100, most: Int = 1000
    ) -> RateLimiter {
        var rate = GatewayConfiguration.Rate(perMinute: 60, burst: 2)
        configure(&rate)
        return RateLimiter(["login": rate], sweptFrom: sweptFrom, most: most)
    }

    @Test func aStrangerIsHisAddressAndInIPv6ItsFirstHalf() {
        let limiter = limiter { _ in }
        for address in ["2001:db8::1", "2001:db8::2"] {
            #expect(isAllowed(limiter.take("login", stranger(address), at: 0)))
        }
        #expect(!isAllowed(limiter.take("login", stranger("2001:db8::3"), at: 0)), "of the same 64 bits")
        #expect(isAllowed(limiter.take("login", stranger("2001:db8:0:1::1"), at: 0)))
        #expect(isAllowed(limiter.take("login", stranger("192.0.2.1"), at: 0)))
    }

    @Test func aNetworkIsLimitedAsAWholeAndARefusalCostsNobodyAnything() {
        let limiter = limiter { $0.network = .init(perMinute: 60, burst: 3) }
        for last in 1...3 { #expect(isAllowed(limiter.take("login", stranger("192.0.2.\(last)"), at: 0))) }
        let refused = limiter.take("login", stranger("192.0.2.4"), at: 0)
        #expect(refused == .init(name: "login-network", decision: .refused(retryAfter: 1)))
        #expect(isAllowed(limiter.take("login", stranger("192.0.3.4"), at: 0)), "the next network")
        // One token came back for the network; the caller who was refused still has both of his.
        #expect(isAllowed(limiter.take("login", stranger("192.0.2.4"), at: Self.second)))
        let second = limiter.take("login", stranger("192.0.2.4"), at: Self.second)
        #expect(second?.name == "login-network" && !isAllowed(second))
        #expect(isAllowed(limiter.take("login", stranger("192.0.2.4"), at: 2 * Self.second)))
        #expect(limiter.policy("login") == "\"login\";q=60;w=60, \"login-network\";q=60;w=60")
    }

    @Test func aTenantIsLimitedAsAWhole() {
        let limiter = limiter { $0.tenant = .init(perMinute: 60, burst: 2) }
        func take(_ name: String, _ tenant: String) -> RateLimiter.Verdict? {
            limiter.take("login", .init(principal: name, tenant: tenant, address: nil), at: 0)
        }
        #expect(isAllowed(take("usr_a", "one")) && isAllowed(take("usr_b", "one")))
        #expect(take("usr_c", "one")?.name == "login-tenant" && !isAllowed(take("usr_c", "one")))
        #expect(isAllowed(take("usr_c", "two")))
    }

    /// The one that has least left is told of.
    @Test func theStrictestBucketIsNamed() {
        let limiter = limiter { $0.network = .init(perMinute: 60, burst: 100) }
        #expect(limiter.take("login", stranger("192.0.2.1"), at: 0)?.name == "login")
    }

    /// More strangers than can be told apart: whoever is new shares a bucket, whoever is known keeps his.
    @Test func aFloodOfStrangersTakesBoundedMemoryAndHarmsNobodyWhoIsKnown() {
        let limiter = limiter({ _ in }, sweptFrom: 10, most: 20)
        let known = RateLimiter.Asker(principal: "usr_known", tenant: "", address: nil)
        #expect(isAllowed(limiter.take("login", known, at: 0)))
        let allowed = (0..<200).count { isAllowed(limiter.take("login", stranger("10.0.\($0).1"), at: 0)) }
        #expect(allowed == 19 + 2)
        #expect(isAllowed(limiter.take("login", known, at: 0)))
        #expect(!isAllowed(limiter.take("login", known, at: 0)))
        // A minute later all is forgotten.
        #expect(isAllowed(limiter.take("login", stranger("10.1.0.1"), at: 60 * Self.second)))
        #expect(isAllowed(limiter.take("login", stranger("10.1.1.1"), at: 60 * Self.second)))
        #expect(isAllowed(limiter.take("login", stranger("10.1.2.1"), at: 60 * Self.second)))
    }
}
