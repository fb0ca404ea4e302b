// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin

@testable import ModelServers

/// What servers say of their limits.
struct LimitTests {
    /// 2025-06-15T08:00:00Z.
    static let now: Int64 = 1_749_974_400_000

    @Test(
        arguments: [
            ("17ms", 17), ("1m30s", 90_000), ("1h4m48s", 3_888_000), ("6.5s", 6500), ("120µs", 1), ("500us", 1),
            ("0s", 0), ("1d2h", 93_600_000), ("7", 7000), ("0.25", 250), (" 12 ", 12_000),
            ("2025-06-15T08:00:07Z", 7000), ("2025-06-15T16:00:07.250+08:00", 7250), ("2025-06-15T07:59:00Z", 0),
            ("2024-02-29T00:00:00Z", 0), ("2025-06-16T08:00:00-00:30", 88_200_000),
            ("Sun, 15 Jun 2025 08:01:00 GMT", 60_000), ("1749974405", 5000), ("1749974405123", 5123),
        ] as [(String, Int64)])
    func aTimeIsReadInEveryForm(_ text: String, _ milliseconds: Int64) {
        #expect(LimitTime.milliseconds(until: text, now: Self.now) == milliseconds)
    }

    @Test(arguments: [
        "", " ", "soon", "1x", "m", "1m30", "-5", "nan", "inf", "1e400", "2025-13-01T00:00:00Z", "2025-06-15",
        "Sun, 15 Foo 2025 08:01:00 GMT", "99999999999999999999h", "1.2.3s",
    ])
    func whatCannotBeReadIsNotSaid(_ text: String) {
        #expect(LimitTime.milliseconds(until: text, now: Self.now) == nil)
    }

    @Test func datesAreThoseOfTheCalendar() {
        #expect(LimitTime.date("1970-01-01T00:00:00Z") == 0)
        #expect(LimitTime.date("2000-02-29T12:00:00Z") == 951_825_600_000)
        #expect(LimitTime.date("2038-01-19T03:14:08Z") == 2_147_483_648_000)
        #expect(LimitTime.date("2100-03-01T00:00:00Z") == 4_107_542_400_000)
    }

    private func headers(_ fields: KeyValuePairs<String, String>) -> [HostHeader] {
        fields.map { name, value in
            .with {
                $0.name = name
                $0.value = value
            }
        }
    }

    @Test func theFinerHintCountsInWhicheverOrder() {
        let first = RetryHint(headers(["retry-after-ms": "1500", "retry-after": "2"]), now: Self.now)
        let last = RetryHint(headers(["Retry-After": "2", "Retry-After-Ms": "1500"]), now: Self.now)
        #expect(first.after == 1500 && last == first && first.retry == .after(milliseconds: 1500))
        #expect(RetryHint(headers(["retry-after": "nonsense"]), now: Self.now).retry == .safe)
        #expect(RetryHint(headers(["retry-after": "400000"]), now: Self.now).after == 86_400_000)
        let never = RetryHint(headers(["retry-after": "2", "x-should-retry": "false"]), now: Self.now)
        #expect(never.retry == .never && ContentError.throttled(never).retry == .never)
        #expect(ContentError.throttled(RetryHint()).retry == .after(milliseconds: 1000))
    }

    @Test func whatIsLeftIsTheLeastAndItsResetTheLast() throws {
        let openAI = try #require(
            RateHeaders.openAI.left(
                headers([
                    "x-ratelimit-remaining-requests": "59", "x-ratelimit-remaining-tokens": "149984",
                    "x-ratelimit-reset-requests": "1s", "x-ratelimit-reset-tokens": "6m0s",
                ]), now: Self.now))
        #expect(openAI.requests == 59 && openAI.tokens == 149_984 && openAI.resetsAt == Self.now + 360_000)
        let anthropic = try #require(
            RateHeaders.anthropic.left(
                headers([
                    "anthropic-ratelimit-requests-remaining": "3", "anthropic-ratelimit-input-tokens-remaining": "900",
                    "anthropic-ratelimit-output-tokens-remaining": "80",
                    "anthropic-ratelimit-requests-reset": "2025-06-15T08:00:09Z",
                ]), now: Self.now))
        #expect(anthropic.requests == 3 && anthropic.tokens == 80 && anthropic.resetsAt == Self.now + 9000)
        #expect(RateHeaders.openAI.left(headers(["x-ratelimit-remaining-tokens": "many"]), now: Self.now) == nil)
    }
}
