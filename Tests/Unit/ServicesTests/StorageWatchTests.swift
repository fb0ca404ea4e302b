// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Logging
import Runtime
import SwiftProtobuf
import Synchronization
import Testing
import TheatreContracts

@testable import Services

struct StorageWatchTests {
    private let calls = FakeCalls()
    private let clock = ManualClock()

    private func watch() -> StorageWatch {
        StorageWatch(calls, storage: "store", clock: clock, log: Logger(label: "test"))
    }

    @Test func aStorageThatTakesNoWritesMakesTheHostUnreadyUntilItDoes() {
        let isFull = Mutex(false)
        calls.serve("store", "theatre.sql.v1.Maintenance/Status") { (_: SQLStatusRequest, _) in
            SQLStatusResponse.with {
                $0.writable = !isFull.withLock { $0 }
                $0.reason = $0.writable ? "" : "sql.full: The disk is full."
            }
        }
        let watch = watch()
        watch.start()
        #expect(watch.reason.isEmpty)
        isFull.withLock { $0 = true }
        clock.advance(1000)
        #expect(watch.reason == "store: sql.full: The disk is full.")
        isFull.withLock { $0 = false }
        clock.advance(1000)
        #expect(watch.reason.isEmpty)
        let stopped = Mutex(false)
        watch.stop { stopped.withLock { $0 = true } }
        #expect(stopped.withLock { $0 } && clock.untilNext == nil)
    }

    @Test func aStorageThatDoesNotAnswerIsNoneThatWrites() {
        calls.serve("store", "theatre.sql.v1.Maintenance/Status") { (_: SQLStatusRequest, _) -> SQLStatusResponse? in
            throw CallError(.unavailable, "plugin.gone", "It is gone.")
        }
        let watch = watch()
        watch.start()
        #expect(watch.reason == "store: plugin.gone")
    }

    @Test func aStorageThatCannotBeAskedCountsAsWell() {
        let watch = watch()
        watch.start()
        #expect(watch.reason.isEmpty && clock.untilNext == 1000)
    }
}
