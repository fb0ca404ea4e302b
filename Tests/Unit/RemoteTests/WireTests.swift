// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import GRPCCore
import Runtime
import SeededRandom
import Testing
import TheatreContracts

@testable import Remote

struct WireTests {
    @Test(
        arguments: [
            (1, "1n"), (99_999_999, "99999999n"), (100_000_000, "100000u"), (5_000_000_000, "5000000u"),
            (120_000_000_000, "120000m"), (3_600_000_000_000, "3600000m"),
        ] as [(UInt64, String)])
    func aTimeoutHasEightDigitsAndAUnit(_ nanoseconds: UInt64, _ text: String) {
        #expect(CallMetadata.timeoutText(nanoseconds) == text)
        #expect(CallMetadata.nanoseconds(of: text) == nanoseconds)
    }

    static let noTimeouts = [
        "", "n", "5", "5x", "-5S", "+5S", "123456789S", " 5S", "5 S", "5S ", "5.0S", "0x5S", "٥S", "5s",
        "18446744073709551615n",
    ]

    @Test(arguments: noTimeouts) func whatIsNoTimeoutIsMalformed(_ text: String) {
        #expect(CallMetadata.nanoseconds(of: text) == nil)
        #expect(CallMetadata.timeout(in: ["grpc-timeout": .string(text)]) == .malformed(text))
    }

    @Test func aTimeoutThatStandsTwiceIsMalformed() {
        #expect(CallMetadata.timeout(in: [:]) == .none)
        #expect(CallMetadata.timeout(in: ["grpc-timeout": "5S"]) == .nanoseconds(5_000_000_000))
        #expect(CallMetadata.timeout(in: ["grpc-timeout": "5S", "grpc-timeout": "6S"]) == .malformed("5S, 6S"))
    }

    @Test func whatIsLeftIsNeverNothing() {
        let metadata = CallMetadata.make(RemoteCallHeader(), nanoseconds: 0)
        #expect(Array(metadata[stringValues: "grpc-timeout"]) == ["1n"])
    }

    @Test func aTimeoutIsNeverMoreThanWhatIsLeft() {
        var random = SeededGenerator(seed: 11)
        for _ in 0..<2000 {
            let left = UInt64.random(in: 1...1 << UInt64.random(in: 1...62), using: &random)
            let told = CallMetadata.nanoseconds(of: CallMetadata.timeoutText(left)) ?? 0
            #expect(told <= left && left - told <= left / 1000, "\(left)")
        }
    }

    @Test(
        arguments: [
            CallError(.notFound, "parrot.none", "There is none."),
            CallError(
                .failedPrecondition, "ledger.insufficient_funds", "3 枚 fehlen — «…»", effect: .unknown,
                retry: .after(milliseconds: 1500), detail: "/amount"),
            CallError(.internal, "", "", effect: .applied, retry: .safe),
        ])
    func anErrorComesBackFromItsTrailers(_ error: CallError) {
        let (status, trailers) = error.status
        #expect(status.code.rawValue == Int(error.code.rawValue))
        #expect(StatusDetails.error(in: trailers, code: error.code) == error)
    }

    /// Trailers of more than 16 KiB would end the connection, and every call on it.
    @Test(arguments: ["x", "长", "\u{1}", "🎭"]) func trailersAreShortWhateverAnErrorSays(_ letter: String) throws {
        let long = String(repeating: letter, count: 40_000)
        let (status, trailers) = CallError(.aborted, "a." + long, long, effect: .unknown, detail: "/" + long).status
        let sizes = trailers[binaryValues: StatusDetails.key].map { $0.count * 4 / 3 + 4 }
        #expect(sizes.reduce(status.message.utf8.count * 3, +) < 12_000)
        let error = try #require(StatusDetails.error(in: trailers, code: .aborted))
        #expect(error.effect == .unknown && error.reason.hasPrefix("a.") && error.detail.hasPrefix("/"))
        #expect(error.message.utf8.count <= CallError.messageLimit && error.message.hasSuffix("…"))
        #expect(long.hasPrefix(error.message.dropLast()) && error.message.utf8.count > CallError.messageLimit - 8)
    }

    @Test func trailersThatAreNoneAreNoError() {
        var random = SeededGenerator(seed: 12)
        let whole = StatusDetails.bytes(of: CallError(.aborted, "a.b", "c", detail: "/d"))
        for _ in 0..<3000 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            bytes = Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &random)))
            var trailers = Metadata()
            trailers.addBinary(bytes, forKey: StatusDetails.key)
            // Whatever it reads, it says the code of the status, and it does not trap.
            #expect(StatusDetails.error(in: trailers, code: .aborted)?.code ?? .aborted == .aborted)
        }
    }

    @Test(
        arguments: [
            (.unavailable, true, .unknown), (.unavailable, false, .none), (.invalidArgument, true, .none),
            (.deadlineExceeded, true, .unknown), (.internal, true, .unknown), (.internal, false, .none),
        ] as [(StatusCode, Bool, CallError.Effect)])
    func aFailureWithoutDetailsClaimsNothing(_ code: StatusCode, _ hasSideEffect: Bool, _ effect: CallError.Effect) {
        let error = OutboundCall.undetailed(code, "", hasSideEffect: hasSideEffect)
        #expect(error.effect == effect)
        #expect(!error.message.isEmpty)
        #expect(error.retry == .never || effect == .none)
    }
}
