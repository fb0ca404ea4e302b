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
    var access = AccessCache()
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
///
/// Unchecked: `delivered` is used on the loop.
final class Mailbox: @unchecked Sendable {
    private let loop: any EventLoop
    private let waiting = Mutex<[Exchange]>([])
    /// Empty between turns; the two arrays take turns, so that neither grows anew.
    private var delivered: [Exchange] = []

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
        waiting.withLock { swap(&$0, &delivered) }
        for exchange in delivered { exchange.settle() }
        delivered.removeAll(keepingCapacity: true)
    }
}
