// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreContracts

/// How far a job is, by the clock alone: it waits a moment, then a second of video takes a second.
struct VideoProgress: Equatable {
    /// Milliseconds before it begins.
    static let waiting: Int64 = 500

    var state: ContentVideoState
    var percent: UInt32

    /// - Parameter cancelledAt: nil where it was not.
    init(_ id: VideoJobID, now: Int64, cancelledAt: Int64?) {
        let made = min(now, cancelledAt ?? now) - id.createdAt - Self.waiting
        let whole = Int64(id.milliseconds)
        percent = made <= 0 ? 0 : UInt32(min(made * 100 / whole, 100))
        if cancelledAt != nil, made < whole {
            state = .cancelled
        } else {
            state = made < 0 ? .queued : made < whole ? .running : .ready
        }
    }

    /// What is being done.
    var step: String {
        switch state {
        case .queued: "waiting"
        case .running: "drawing"
        default: ""
        }
    }
}
