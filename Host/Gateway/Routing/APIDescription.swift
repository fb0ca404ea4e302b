// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// The API description of one table of routes, made when it is first asked for and then kept. Any thread.
final class APIDescription: Sendable {
    /// Of nothing.
    static let bare = Array(#"{"openapi":"3.1.0"}"#.utf8)

    private let make: @Sendable () -> [UInt8]
    private let made = Mutex<ByteBuffer?>(nil)
    /// Held while it is made, so that all who ask meanwhile get the one that is being made.
    private let making = Mutex<Void>(())

    init(_ make: @escaping @Sendable () -> [UInt8]) { self.make = make }

    /// The bytes, if they are made already.
    var ready: ByteBuffer? { made.withLock { $0 } }

    /// Makes them on a thread that may block.
    func whenReady(on loop: any EventLoop) -> EventLoopFuture<ByteBuffer> {
        NIOThreadPool.singleton.runIfActive(eventLoop: loop) { [self] in
            making.withLock { _ in
                if let bytes = ready { return bytes }
                let bytes = ByteBuffer(bytes: make())
                made.withLock { $0 = bytes }
                return bytes
            }
        }
    }
}
