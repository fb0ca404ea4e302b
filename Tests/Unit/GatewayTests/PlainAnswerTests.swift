// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Foundation
import NIOCore
import NIOHTTP1
import SwiftProtobuf
import Testing
import TheatreContracts

@testable import Gateway

@Suite struct PlainAnswerTests {
    private static func read(_ bytes: [UInt8]) -> Exchange.Answer? { bytes.withUnsafeBytes { PlainAnswer($0)?.answer } }

    @Test(arguments: [0, 3, 127, 128, 20_000])
    func commonAnswersAreReadAsTheGeneratedReaderReadsThem(size: Int) throws {
        let body = Data((0..<size).map { UInt8(truncatingIfNeeded: $0) })
        for (status, type) in [(200, "application/json"), (201, "text/plain; charset=utf-8"), (599, "")] {
            let message = HTTPResponse.with {
                $0.status = UInt32(status)
                $0.contentType = type
                $0.body = body
            }
            let answer = try #require(Self.read(message.serializedBytes()))
            #expect(answer.status.code == UInt(status))
            #expect(answer.contentType == type)
            #expect(Array(answer.body.readableBytesView) == Array(body))
            #expect(answer.headers.isEmpty)
        }
    }

    @Test func headersOddStatusAndControlCharactersAreLeftToTheGeneratedReader() throws {
        for change: (inout HTTPResponse) -> Void in [
            { $0.headers = [HTTPPair.with { $0.name = "a" }] }, { $0.status = 0 }, { $0.status = 100 },
            { $0.status = 600 }, { $0.contentType = "a\r\nb: c" },
        ] {
            var message = HTTPResponse.with { $0.status = 200 }
            change(&message)
            #expect(Self.read(try message.serializedBytes()) == nil)
        }
    }

    @Test(arguments: 0..<64 as Range<UInt64>)
    func mangledAnswersNeverReadOtherThanTheGeneratedReader(seed: UInt64) throws {
        var random = IdentitySource(seed: seed &+ 1)
        let message = HTTPResponse.with {
            $0.status = 200
            $0.contentType = "application/json"
            $0.body = Data("{\"a\":1}".utf8)
        }
        var bytes: [UInt8] = try message.serializedBytes()
        for _ in 0..<1 + random.next() % 3 {
            bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
        }
        guard let answer = Self.read(bytes) else { return }
        let expected = try HTTPResponse(serializedBytes: bytes)
        #expect(answer.status.code == UInt(expected.status))
        #expect(answer.contentType == expected.contentType)
        #expect(Array(answer.body.readableBytesView) == Array(expected.body))
    }
}
