// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Testing

/// The disk that the blobs alone are on takes no writes: the host says so, goes on with the rest, and is ready again once
/// the disk takes them.
@Suite(.serialized) struct BlobDiskTests {
    private static let blob = ByteBuffer(repeating: 7, count: 200_000)

    /// Really full, and really read-only, on a file system of its own.
    @Test(
        .enabled(if: SmallDisk.isAvailable, "this machine lets nobody mount a file system of their own"),
        arguments: ["inproc", "isolated"])
    func aDiskOfItsOwnIsSaidWhileItIsFullOrReadOnly(_ mode: String) async throws {
        let folder = try TemporaryFolder()
        try folder.makeFolder("state")
        try folder.makeFolder("state/blobs")
        let disk = try await SmallDisk(at: folder.path("state/blobs"), megabytes: 8)
        let deployment = try TemporaryFolder(
            FaultEngine.sqlite.deployment.merging(JournalClient.blobs(mode: mode)) { $1 })
        let host = try await ServerProcess.start(deployment.root, folder: folder, wrapper: disk.entrance)
        try await JournalClient.with(host) { journal in
            try await journal.expectSound(host, Self.blob, "before")
            try disk.fill()
            // Before anybody has put anything.
            try await host.expectUnready("blobs: blob.disk_full: ")
            try await journal.expectRefusal("blob.disk_full", host, Self.blob, stored: "before")
            try disk.free()
            try await journal.expectSound(host, Self.blob, "freed")

            try await disk.remount(isReadOnly: true)
            try await host.expectUnready("blobs: blob.read_only: ")
            try await journal.expectRefusal("blob.read_only", host, Self.blob, stored: "freed")
            try await disk.remount(isReadOnly: false)
            try await journal.expectSound(host, Self.blob, "writable")
        }
        try await host.stop()
    }

    /// A disk that is read-only when the host starts holds nothing back but what writes to it.
    @Test(.enabled(if: SmallDisk.isAvailable, "this machine lets nobody mount a file system of their own"))
    func aDiskThatIsReadOnlyAtAStartIsReadAndSaid() async throws {
        let folder = try TemporaryFolder()
        try folder.makeFolder("state")
        try folder.makeFolder("state/blobs")
        let disk = try await SmallDisk(at: folder.path("state/blobs"), megabytes: 8)
        let deployment = try TemporaryFolder(FaultEngine.sqlite.deployment.merging(JournalClient.blobs()) { $1 })
        func serve(_ body: (ServerProcess, JournalClient) async throws -> Void) async throws {
            let host = try await ServerProcess.start(deployment.root, folder: folder, wrapper: disk.entrance)
            try await JournalClient.with(host) { try await body(host, $0) }
            try await host.stop()
        }
        try await serve { host, journal in try await journal.expectSound(host, Self.blob, "before") }
        try await disk.remount(isReadOnly: true)
        try await serve { host, journal in
            try await host.expectUnready("blobs: blob.read_only: ")
            try await journal.expectRefusal("blob.read_only", host, Self.blob, stored: "before")
            try await disk.remount(isReadOnly: false)
            try await journal.expectSound(host, Self.blob, "then")
        }
    }

    /// By a feigned error under the host's library, where nobody may mount and for what no file system does at will.
    @Test(arguments: [("full", "blob.disk_full"), ("io", "blob.io"), ("read_only", "blob.read_only")])
    func aFileThatTakesNoWritesIsSaidOnceItWasMet(_ word: String, _ reason: String) async throws {
        let control = try TemporaryFolder(["fault": ""])
        let deployment = try TemporaryFolder(FaultEngine.sqlite.deployment.merging(JournalClient.blobs()) { $1 })
        let host = try await ServerProcess.start(
            deployment.root,
            environment: [
                "LD_PRELOAD": "\(BuildFolder.path)/libFileFaults.so",
                "THEATRE_TEST_FILE_FAULTS": control.path("fault"),
            ])
        try await JournalClient.with(host) { journal in
            try await journal.expectSound(host, Self.blob, "before")
            try control.write("fault", "blobs_\(word)")
            try await journal.expectRefusal(reason, host, Self.blob, stored: "before")
            try control.write("fault", "")
            try await journal.expectSound(host, Self.blob, "then")
        }
        try await host.stop()
    }
}

extension ServerProcess {
    /// Waits until `/readyz` says that the host is not ready, and why.
    fileprivate func expectUnready(_ why: String) async throws {
        try await eventually("readyz says \(why)", seconds: 60) { () -> Bool? in
            let answer = try await client.get("/readyz")
            return answer.status == 503 && answer.text.hasPrefix("not ready: \(why)") ? true : nil
        }
    }
}

extension JournalClient {
    /// Waits until the host is ready without anybody's writing, and stores an entry and a blob.
    fileprivate func expectSound(_ host: ServerProcess, _ bytes: ByteBuffer, _ key: String) async throws {
        try await eventually("it is ready", seconds: 60) {
            try await host.client.get("/readyz").status == 200 ? true : nil
        }
        #expect(try await putBlob(key, bytes) == "")
        #expect(try await blob(key) == bytes)
        try await store([key])
    }

    /// Blobs are refused for this reason, and everything else goes on.
    fileprivate func expectRefusal(
        _ reason: String, _ host: ServerProcess, _ bytes: ByteBuffer, stored: String
    ) async throws {
        // Of a content that is not there yet.
        #expect(try await putBlob("refused", ByteBuffer(bytes: bytes.readableBytesView.map { $0 ^ 1 })) == reason)
        try await host.expectUnready("blobs: \(reason): ")
        #expect(try await host.client.get("/healthz").status == 200)
        #expect(try await blob(stored) == bytes, "what is stored can be read")
        try await store(["with-\(reason)"])
    }
}
