// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import NIOCore

/// How long a client may take nothing of what was written to it. Used on its event loop only.
struct ClientPatience {
    private let loop: any EventLoop
    private let limit: TimeAmount
    private var waiting = 0
    private var timer: Scheduled<Void>?

    init(loop: any EventLoop, limit: TimeAmount) {
        self.loop = loop
        self.limit = limit
    }

    /// Something was written: from now on the client has to take it, or something before it.
    mutating func wrote(_ whenOver: @escaping @Sendable () -> Void) {
        waiting += 1
        if timer == nil { timer = loop.scheduleTask(in: limit, whenOver) }
    }

    /// The client took one of the writes.
    mutating func taken(_ whenOver: @escaping @Sendable () -> Void) {
        waiting -= 1
        timer?.cancel()
        timer = waiting > 0 ? loop.scheduleTask(in: limit, whenOver) : nil
    }

    /// Nothing is waited for any more.
    mutating func end() {
        timer?.cancel()
        timer = nil
    }
}
