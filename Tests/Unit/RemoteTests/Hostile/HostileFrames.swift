// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SeededRandom
import SwiftProtobuf
import TheatreContracts

/// Frames of a session as no honest end would send them: sound messages with odd contents, and bytes that are no message.
struct HostileFrames {
    private var random: SeededGenerator

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    private mutating func oneOf<T>(_ values: [T], or fallback: T) -> T {
        values.randomElement(using: &random) ?? fallback
    }

    /// Few enough that some fit, and some that fit nothing.
    private mutating func number() -> UInt64 { oneOf([0, 1, 2, 3, 4, 5, 1 << 32, .max], or: 1) }

    private mutating func count() -> UInt64 { oneOf([0, 1, 100, 65536, 1 << 31, 1 << 63, .max], or: 1) }

    private mutating func bytes(_ most: Int = 300) -> Data {
        Data((0..<Int.random(in: 0...most, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) })
    }

    private mutating func text() -> String {
        oneOf(["", "x", "戏台 «…»", "../../etc", "\0\n\r", String(repeating: "y", count: 5000), "{", "null"], or: "")
    }

    private mutating func error() -> RemoteError {
        RemoteError.with {
            $0.code = oneOf([0, 3, 14, 99, -1, .max, .min], or: 0)
            $0.effect = oneOf([0, 1, 2, 3, .max], or: 0)
            $0.retry = oneOf([0, 1, 2, 77, .max], or: 0)
            $0.retryAfterMs = count()
            $0.reason = text()
            $0.message = text()
            $0.detail = text()
        }
    }

    mutating func step() -> RemoteStep {
        oneOf([.unspecified, .create, .activate, .selfTest, .deactivate, .destroy, .UNRECOGNIZED(77)], or: .create)
    }

    private mutating func chunk() -> RemoteChunk {
        RemoteChunk.with {
            $0.call = number()
            $0.data = bytes(oneOf([0, 100, 3000], or: 0))
            $0.end = Bool.random(using: &random)
        }
    }

    /// What a server says.
    mutating func fromServer() -> [UInt8] {
        var frame = RemotePluginFrame()
        switch Int.random(in: 0..<8, using: &random) {
        case 0:
            frame.done = .with {
                $0.step = step()
                if Bool.random(using: &random) { $0.error = error() }
            }
        case 1, 2:
            frame.request = .with {
                $0.call = number()
                $0.name = oneOf(["relay.next/Handle", "relay.next/Handle", "relay.next/", "", "x/y"], or: "")
                $0.onBehalfOf = oneOf([0, 0, 1, 1 << 32, .max], or: 0)
                $0.payload = oneOf([Data(), bytes()], or: Data())
                $0.timeoutNs = count()
                $0.attempt = oneOf([0, 1, .max], or: 0)
                $0.idempotencyKey = text()
                $0.attributes = bytes()
            }
        case 3: frame.chunk = chunk()
        case 4:
            frame.credit = .with {
                $0.call = number()
                $0.bytes = count()
            }
        case 5: frame.cancel = .with { $0.call = number() }
        case 6:
            frame.log = .with {
                $0.level = oneOf([0, 1, 4, 77, .max], or: 0)
                $0.message = text()
                $0.fields = text()
            }
        default: break
        }
        return encoded(frame)
    }

    /// What a host says to a server of `plugin`.
    mutating func fromHost(_ plugin: String, _ version: String, _ digest: [UInt8]) -> [UInt8] {
        var frame = RemoteHostFrame()
        switch Int.random(in: 0..<7, using: &random) {
        case 0:
            frame.create = .with {
                $0.session = number()
                $0.instance = oneOf(["hostile", "hostile", "../up", "", "a/b"], or: "")
                $0.generation = oneOf([0, 1, .max], or: 0)
                $0.plugin = oneOf([plugin, plugin, plugin, ""], or: "")
                $0.version = version
                $0.manifestSha256 = oneOf([Data(digest), Data(digest), bytes()], or: Data())
                $0.configuration = oneOf([Data("{}".utf8), Data("{}".utf8), Data(), bytes()], or: Data())
                $0.environment = oneOf([Data(), Data(), bytes()], or: Data())
            }
        case 1, 2: frame.step = step()
        case 3:
            frame.reply = .with {
                $0.call = number()
                $0.payload = bytes()
                if Bool.random(using: &random) { $0.error = error() }
            }
        case 4: frame.chunk = chunk()
        case 5:
            frame.credit = .with {
                $0.call = number()
                $0.bytes = count()
            }
        default: break
        }
        return encoded(frame)
    }

    private func encoded(_ frame: some Message) -> [UInt8] {
        do { return try frame.serializedBytes() } catch { return [] }
    }

    /// The same with some bytes changed, cut or added: most often no message.
    mutating func broken(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes + Array(self.bytes(8))
        for _ in 0..<4 where !bytes.isEmpty {
            bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
        }
        return Array(bytes.dropLast(Int.random(in: 0...bytes.count / 2, using: &random)))
    }

    mutating func isTurn(oneIn count: Int) -> Bool { Int.random(in: 0..<count, using: &random) == 0 }

    /// What there is instead of a call's header.
    mutating func header() -> [UInt8] {
        let header = RemoteCallHeader.with {
            $0.session = number()
            $0.call = number()
            $0.attempt = oneOf([0, 1, .max], or: 0)
            $0.idempotencyKey = text()
            $0.context = bytes()
        }
        let sound = encoded(header)
        return Bool.random(using: &random) ? sound : broken(sound)
    }

    mutating func payload() -> [UInt8] { Array(bytes()) }

    mutating func timeout() -> String {
        oneOf(["", "1n", "99999999H", "-1S", "10m", "18446744073709551615n", "x"], or: "")
    }
}
