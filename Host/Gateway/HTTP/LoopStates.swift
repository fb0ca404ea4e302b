// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import Synchronization

/// The states of all event loops of a group. Immutable.
final class LoopStates: Sendable {
    private let states: [ObjectIdentifier: NIOLoopBoundBox<LoopState>]

    init(_ group: any EventLoopGroup) {
        var states: [ObjectIdentifier: NIOLoopBoundBox<LoopState>] = [:]
        for loop in group.makeIterator() {
            states[ObjectIdentifier(loop)] = NIOLoopBoundBox.makeBoxSendingValue(LoopState(loop), eventLoop: loop)
        }
        self.states = states
    }

    /// The state of this loop; called on it.
    func state(of loop: any EventLoop) -> LoopState {
        guard let box = states[ObjectIdentifier(loop)] else { return LoopState(loop) }
        return box.value
    }

    /// Closes every connection.
    func closeAll() {
        for box in states.values {
            box.eventLoop.execute { for channel in box.value.channels.values { channel.close(promise: nil) } }
        }
    }

    /// Ends streams that would never end by themselves.
    func endStreams() {
        for box in states.values { box.eventLoop.execute { box.value.endStreams() } }
    }
}
