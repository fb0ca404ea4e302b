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
    private let store = WatchedStorage("store", .sql)
    private let files = WatchedStorage("files", .blobs)

    private func watches(_ storages: WatchedStorage...) -> StorageWatches {
        let watches = StorageWatches(calls, clock: clock, log: Logger(label: "test"))
        watches.watch(Set(storages))
        return watches
    }

    /// Has the storage answer with this reason, and counts how often it is asked.
    private func serveSQL(_ reason: Mutexed<String>, asked: Mutexed<Int> = Mutexed(0)) {
        calls.serve("store", "theatre.sql.v1.Maintenance/Status") { (_: SQLStatusRequest, _) in
            asked.change { $0 += 1 }
            return SQLStatusResponse.with {
                $0.reason = reason.value
                $0.writable = $0.reason.isEmpty
            }
        }
    }

    private func serveBlobs(_ reason: Mutexed<String>, _ error: Mutexed<CallError?> = Mutexed(nil)) {
        calls.serve("files", "theatre.blob.v1.Maintenance/Status") { (_: BlobStatusRequest, _) in
            if let error = error.value { throw error }
            return BlobStatusResponse.with {
                $0.reason = reason.value
                $0.writable = $0.reason.isEmpty
            }
        }
    }

    @Test func aStorageThatTakesNoWritesMakesTheHostUnreadyUntilItDoes() {
        let reason = Mutexed("")
        serveSQL(reason)
        let watches = watches(store)
        #expect(watches.reason.isEmpty)
        reason.value = "sql.full: The disk is full."
        clock.advance(1000)
        #expect(watches.reason == "store: sql.full: The disk is full.")
        reason.value = ""
        clock.advance(1000)
        #expect(watches.reason.isEmpty)
        let stopped = Mutexed(false)
        watches.stop { stopped.value = true }
        #expect(stopped.value && clock.untilNext == nil)
    }

    @Test func aStorageThatDoesNotAnswerIsNoneThatWrites() {
        calls.serve("store", "theatre.sql.v1.Maintenance/Status") { (_: SQLStatusRequest, _) -> SQLStatusResponse? in
            throw CallError(.unavailable, "plugin.gone", "It is gone.")
        }
        #expect(watches(store).reason == "store: plugin.gone")
    }

    @Test(arguments: [WatchedStorage("store", .sql), WatchedStorage("files", .blobs)])
    func aStorageThatCannotBeAskedCountsAsWell(_ storage: WatchedStorage) {
        let watches = watches(storage)
        #expect(watches.reason.isEmpty && clock.untilNext == 1000)
        calls.serve(storage.instance, "theatre.\(storage.contract == .sql ? "sql" : "blob").v1.Maintenance/Status") {
            (_: SQLStatusRequest, _) -> SQLStatusResponse? in
            throw CallError(.unimplemented, "plugin.no_operation", "It has none.")
        }
        clock.advance(1000)
        #expect(watches.reason.isEmpty && clock.untilNext == 1000)
    }

    @Test func storesOfBlobsAreHeldAgainstWhatTheySay() {
        let (error, reason) = (Mutexed<CallError?>(nil), Mutexed("blob.disk_full: The disk is full."))
        serveBlobs(reason, error)
        let watches = watches(files)
        #expect(watches.reason == "files: blob.disk_full: The disk is full.")
        // Too slow to answer: nothing new is known.
        error.value = CallError(.deadlineExceeded, "call.deadline", "It takes too long.")
        clock.advance(1000)
        #expect(watches.reason == "files: blob.disk_full: The disk is full.")
        // An instance that does not serve is told elsewhere.
        error.value = CallError(.unavailable, "plugin.gone", "It is gone.")
        clock.advance(1000)
        #expect(watches.reason.isEmpty)
        error.value = CallError(.deadlineExceeded, "call.deadline", "It takes too long.")
        clock.advance(1000)
        #expect(watches.reason.isEmpty)
        error.value = nil
        clock.advance(1000)
        #expect(watches.reason == "files: blob.disk_full: The disk is full.")
        reason.value = ""
        clock.advance(1000)
        #expect(watches.reason.isEmpty)
    }

    @Test func eachIsNamedTheHostsOwnStorageFirst() {
        serveSQL(Mutexed("sql.full: The disk is full."))
        serveBlobs(Mutexed("blob.io: A file of the blobs cannot be used."))
        #expect(
            watches(files, store).reason
                == "store: sql.full: The disk is full.; files: blob.io: A file of the blobs cannot be used.")
    }

    @Test func whatIsNoLongerWatchedHoldsNothingBackAndWhatStaysIsNotForgotten() {
        let asked = Mutexed(0)
        serveSQL(Mutexed("sql.full: The disk is full."), asked: asked)
        serveBlobs(Mutexed("blob.disk_full: The disk is full."))
        let watches = watches(files, store)
        watches.watch([store])
        #expect(watches.reason == "store: sql.full: The disk is full.")
        #expect(asked.value == 1, "it goes on as it was")
        watches.watch([])
        #expect(watches.reason.isEmpty && clock.untilNext == nil)
        watches.watch([files])
        #expect(watches.reason == "files: blob.disk_full: The disk is full.")
    }

    @Test func theEndIsToldOnceNoCallIsUnderWay() {
        let answer = Mutexed<(@Sendable (Result<[UInt8], CallError>) -> Void)?>(nil)
        calls.handle("files", "theatre.blob.v1.Maintenance/Status") { _, then in answer.value = then }
        serveSQL(Mutexed(""))
        let watches = watches(files, store)
        let stopped = Mutexed(false)
        watches.stop { stopped.value = true }
        #expect(!stopped.value)
        answer.value?(.success([]))
        #expect(stopped.value && clock.untilNext == nil)
        watches.watch([files])
        #expect(clock.untilNext == nil, "after the end nothing is watched")
    }
}

/// A value that closures share.
private final class Mutexed<Value: Sendable>: Sendable {
    private let mutex: Mutex<Value>

    init(_ value: Value) { mutex = Mutex(value) }

    var value: Value {
        get { mutex.withLock { $0 } }
        set { mutex.withLock { $0 = newValue } }
    }

    func change(_ body: (inout Value) -> Void) { mutex.withLock { body(&$0) } }
}
