// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Logging
internal import NIOCore
internal import NIOHTTP2

/// Ends connections that the codec and its manager leave open: of a peer that breaks HTTP/2, which is only told so, and
/// of one that has no stream for `most` and answers no ping, which the manager would wait for.
final class HTTP2ConnectionEnd: ChannelInboundHandler {
    typealias InboundIn = Never

    private let most: TimeAmount
    private let log: Logger
    private var streams = 0
    private var idleSince = NIODeadline.now()
    private var check: Scheduled<Void>?

    init(most: TimeAmount, log: Logger) {
        self.most = most
        self.log = log
    }

    func handlerAdded(context: ChannelHandlerContext) { watch(context, in: most) }

    func handlerRemoved(context: ChannelHandlerContext) { check?.cancel() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        log.debug("connection failed", metadata: ["error": "\(error)"])
        switch error {
        // A stream that both sides ended at once, and what belongs to one stream alone.
        case is NIOHTTP2Errors.NoSuchStream, is NIOHTTP2Errors.StreamError: return
        default: context.close(promise: nil)
        }
    }

    /// One timer for the life of a connection, however many streams come and go.
    private func watch(_ context: ChannelHandlerContext, in time: TimeAmount) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        check = context.eventLoop.scheduleTask(in: time) {
            let (end, context) = bound.value
            let idle = NIODeadline.now() - end.idleSince
            if end.streams > 0 {
                end.watch(context, in: end.most)
            } else if idle < end.most {
                end.watch(context, in: end.most - idle)
            } else {
                context.close(promise: nil)
            }
        }
    }
}

extension HTTP2ConnectionEnd {
    /// Counts the streams of a connection before its manager hears of them.
    struct Streams: NIOHTTP2StreamDelegate {
        let end: NIOLoopBound<HTTP2ConnectionEnd>
        let manager: any NIOHTTP2StreamDelegate

        func streamCreated(_ id: HTTP2StreamID, channel: any Channel) {
            end.value.streams += 1
            manager.streamCreated(id, channel: channel)
        }

        func streamClosed(_ id: HTTP2StreamID, channel: any Channel) {
            end.value.streams -= 1
            end.value.idleSince = .now()
            manager.streamClosed(id, channel: channel)
        }
    }
}
