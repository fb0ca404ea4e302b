// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SeededRandom
import Testing

@testable import Accounts

struct TOTPTests {
    static let secret = Array("12345678901234567890".utf8)

    /// RFC 6238 appendix B, the column of SHA-1.
    @Test(arguments: [
        (59, "94287082"), (1_111_111_109, "07081804"), (1_111_111_111, "14050471"), (1_234_567_890, "89005924"),
        (2_000_000_000, "69279037"), (20_000_000_000, "65353130"),
    ]) func theVectorsOfTheStandardHold(_ seconds: Int64, _ code: String) {
        #expect(TOTP.code(Self.secret, seconds / 30, digits: 8) == code)
        #expect(TOTP.code(Self.secret, seconds / 30) == String(code.suffix(6)))
    }

    /// RFC 4226 appendix D.
    @Test(arguments: [
        (0, "755224"), (1, "287082"), (2, "359152"), (3, "969429"),
        (4, "338314"), (5, "254676"), (6, "287922"), (7, "162583"),
    ]) func theVectorsOfCountersHold(_ counter: Int, _ code: String) {
        #expect(TOTP.code(Self.secret, Int64(counter)) == code)
    }

    /// RFC 2202, cases 1, 2 and 6: a short key, a word, and a key longer than a block.
    @Test(arguments: [
        ([UInt8](repeating: 0x0B, count: 20), "Hi There", "b617318655057264e28bc0b6fb378c8ef146be00"),
        (Array("Jefe".utf8), "what do ya want for nothing?", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
        (
            [UInt8](repeating: 0xAA, count: 80), "Test Using Larger Than Block-Size Key - Hash Key First",
            "aa4ae5e15272d00e95705637ce8a3b55ed402112"
        ),
    ]) func theVectorsOfTheMacHold(_ key: [UInt8], _ message: String, _ mac: String) {
        let made = TOTP.hmac(key, Array(message.utf8)).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        #expect(made == mac)
    }

    /// RFC 4648 section 10, without padding.
    @Test(arguments: [
        ("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ"), ("fooba", "MZXW6YTB"),
        ("foobar", "MZXW6YTBOI"),
    ]) func base32IsOfTheStandard(_ text: String, _ encoded: String) {
        #expect(Base32.encode(Array(text.utf8)) == encoded)
    }

    /// Codes of any counter near now, in any order: each counts at most once, none older than one that counted.
    @Test(arguments: 1...100) func noCodeCountsTwice(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var now: Int64 = 1_000_000_000
        var last: Int64 = -1
        for _ in 0..<50 {
            now += Int64.random(in: 0...40, using: &random)
            let counter = now / 30 + Int64.random(in: -3...3, using: &random)
            let accepted = TOTP.accepts(TOTP.code(Self.secret, counter), Self.secret, at: now, after: last)
            if abs(counter - now / 30) <= 1, counter > last {
                #expect(accepted == counter)
                last = counter
            } else {
                // A code of six digits may be that of another counter by chance; none of those near is with this secret.
                #expect(accepted == nil)
            }
        }
    }
}
