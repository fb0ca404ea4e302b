// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHTTP1

/// What an emulator answers, before any socket: unit tests read it, a server plays it.
public struct EmulatorAnswer: Sendable {
    /// HTTP status.
    public var status: Int
    /// Names in lower case.
    public var headers: [(String, String)]
    /// The body in the parts it is sent in.
    public var parts: [[UInt8]]
    /// Milliseconds before the head is sent.
    public var delay: Int64
    /// Milliseconds between two parts.
    public var pause: Int64
    /// Nil: ends as HTTP does. Otherwise the connection is cut after so many parts; 0 even before the head.
    public var cutAfter: Int?
    /// After so many parts nothing comes any more, and the connection stays.
    public var stallAfter: Int?

    /// An answer in parts.
    public init(
        _ status: Int, _ headers: [(String, String)] = [], parts: [[UInt8]], delay: Int64 = 0,
        pause: Int64 = 0, cutAfter: Int? = nil
    ) {
        self.status = status
        self.headers = headers
        self.parts = parts
        self.delay = delay
        self.pause = pause
        self.cutAfter = cutAfter
    }

    /// An answer in one part.
    public init(_ status: Int, _ headers: [(String, String)] = [], _ body: String) {
        self.init(status, headers, parts: body.isEmpty ? [] : [Array(body.utf8)])
    }

    /// The connection is cut instead of an answer.
    public static var cut: EmulatorAnswer { EmulatorAnswer(0, parts: [], cutAfter: 0) }

    /// The body whole.
    public var body: [UInt8] { parts.flatMap(\.self) }
}

extension EmulatorExchange {
    /// Plays an answer on the connection's loop.
    public func give(_ answer: EmulatorAnswer) {
        channel.eventLoop.scheduleTask(in: .milliseconds(answer.delay)) { begin(answer) }
    }

    private func begin(_ answer: EmulatorAnswer) {
        guard answer.cutAfter != 0 else { return cut() }
        if answer.parts.count <= 1, answer.cutAfter == nil, answer.stallAfter == nil {
            return respond(answer.status, answer.headers, bytes: answer.body)
        }
        start(answer.status, answer.headers)
        play(answer, from: 0)
    }

    private func play(_ answer: EmulatorAnswer, from index: Int) {
        guard !isGone else { return }
        guard index != answer.cutAfter else { return cut() }
        guard index != answer.stallAfter else { return }
        guard index < answer.parts.count else { return end() }
        send(answer.parts[index])
        guard answer.pause > 0 else { return play(answer, from: index + 1) }
        channel.eventLoop.scheduleTask(in: .milliseconds(answer.pause)) { play(answer, from: index + 1) }
    }
}

extension EmulatorRequest {
    /// The first field of this name, whatever its case.
    func field(_ name: String) -> String? { headers.first(name: name) }

    /// A request that did not come over a socket.
    public init(method: String, uri: String, fields: [(String, String)], body: [UInt8]) {
        self.init(method: method, uri: uri, headers: HTTPHeaders(fields), body: body)
    }
}
