// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import NIOCore

/// An answer of server-sent events on one connection.
final class EventStream {
    func stop() {}
    func finish() {}
    func writabilityChanged(_ isWritable: Bool) {}
}
