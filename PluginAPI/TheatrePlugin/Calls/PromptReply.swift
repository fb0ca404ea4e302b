// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import Glibc

/// Takes the answers that come on the thread that asks, before `request` has returned: for those no call has to be
/// remembered, and nobody wakes anybody.
enum PromptReply {
    /// One request under way on this thread. It lies on the stack of who makes it.
    struct Frame {
        /// Where the host writes the id, before the callee hears of the call. First, so that its address is the frame's.
        fileprivate(set) var id: theatre_id = 0
        fileprivate let connection: Unmanaged<HostConnection>
        /// What was answered.
        fileprivate(set) var answer: OutgoingCall.Answer?
        /// The request in whose callee this one is made.
        fileprivate var outer: UnsafeMutablePointer<Frame>?

        init(_ connection: HostConnection) { self.connection = .passUnretained(connection) }
    }

    /// Nil where the system has no key left; every call is remembered then.
    private static let key: pthread_key_t? = {
        var key = pthread_key_t()
        return pthread_key_create(&key, nil) == 0 ? key : nil
    }()

    /// Runs `body`, which makes the request of `frame` and has the host write the id where it is told.
    @inline(__always)
    static func listen<Result>(_ frame: inout Frame, _ body: (UnsafeMutablePointer<theatre_id>) -> Result) -> Result {
        withUnsafeMutablePointer(to: &frame) { frame in
            let id = UnsafeMutableRawPointer(frame).assumingMemoryBound(to: theatre_id.self)
            guard let key else { return body(id) }
            let outer = pthread_getspecific(key)
            frame.pointee.outer = outer?.assumingMemoryBound(to: Frame.self)
            pthread_setspecific(key, frame)
            defer { pthread_setspecific(key, outer) }
            return body(id)
        }
    }

    /// Gives an answer to the request that waits for it on this thread; false where none does.
    @inline(__always)
    static func take(_ id: theatre_id, for connection: HostConnection, _ answer: () -> OutgoingCall.Answer) -> Bool {
        guard let key else { return false }
        let connection = Unmanaged.passUnretained(connection).toOpaque()
        var next = pthread_getspecific(key)?.assumingMemoryBound(to: Frame.self)
        while let frame = next {
            if frame.pointee.id == id, frame.pointee.connection.toOpaque() == connection {
                guard frame.pointee.answer == nil else { return false }
                frame.pointee.answer = answer()
                return true
            }
            next = frame.pointee.outer
        }
        return false
    }
}
