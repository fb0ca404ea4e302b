// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import Synchronization

/// What the connections of one event loop share. Used on that loop only.
final class LoopState {
    let loop: any EventLoop
    let mailbox: Mailbox
    var identity = IdentitySource()
    var tokens = TokenCache()
    var channels: [ObjectIdentifier: any Channel] = [:]

    init(_ loop: any EventLoop) {
        self.loop = loop
        mailbox = Mailbox(loop)
    }

    /// Streams of events, to be ended when the host drains.
    var streams: [ObjectIdentifier: EventStream] = [:]

    func endStreams() { for stream in streams.values { stream.finish() } }

    func opened(_ channel: any Channel) { channels[ObjectIdentifier(channel)] = channel }
    func closed(_ channel: any Channel) { channels[ObjectIdentifier(channel)] = nil }
}

/// Brings completions of other threads to an event loop, all that wait in one turn.
final class Mailbox: Sendable {
    private let loop: any EventLoop
    private let waiting = Mutex<[Exchange]>([])

    init(_ loop: any EventLoop) { self.loop = loop }

    /// Settles `exchange` on the loop. Any thread.
    func post(_ exchange: Exchange) {
        let isFirst = waiting.withLock { waiting in
            waiting.append(exchange)
            return waiting.count == 1
        }
        if isFirst { loop.execute { self.deliver() } }
    }

    private func deliver() {
        let ready = waiting.withLock { waiting in
            let ready = waiting
            waiting.removeAll()
            return ready
        }
        for exchange in ready { exchange.settle() }
    }
}
