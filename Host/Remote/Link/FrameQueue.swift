// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization
internal import TheatreContracts

/// Frames for a server that takes them as fast as it likes. What waits for one that asks and does not read is bounded.
final class FrameQueue: Sendable {
    /// Encoded, in order.
    let frames: AsyncStream<[UInt8]>
    private let out: AsyncStream<[UInt8]>.Continuation
    private let waiting = Atomic(0)

    /// Most bytes that wait, each frame counted with what it costs to keep: some answers of the largest size.
    static let limit = 4 * SessionClient.frameLimit
    private static let cost = 64

    init() { (frames, out) = AsyncStream.makeStream() }

    /// Adds a frame; false where too much waits, and from then on.
    func put(_ frame: RemoteHostFrame) -> Bool {
        let bytes = frame.wireBytes
        guard waiting.add(bytes.count + Self.cost, ordering: .relaxed).newValue <= Self.limit else { return false }
        out.yield(bytes)
        return true
    }

    /// A frame is on its way.
    func wrote(_ frame: [UInt8]) { waiting.subtract(frame.count + Self.cost, ordering: .relaxed) }

    /// No more come.
    func finish() { out.finish() }
}
