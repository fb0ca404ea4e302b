// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import LocalBlobs

/// A disk that takes no writes is said until it takes them again.
struct HealthTests {
    /// A vault on a disk whose faults are told.
    private struct Faulty: ~Copyable {
        let bench: Bench
        let disk: FaultyDisk
        let vault: BlobVault

        init() async throws {
            let bench = try await Bench()
            let disk = FaultyDisk()
            let vault = try bench.vault(disk)
            try await vault.prepare()
            (self.disk, self.vault) = (disk, vault)
            self.bench = bench
        }

        /// Why the disk takes nothing, as a look finds it.
        func look() -> String? { vault.files.look("look").fault?.pluginError.reason }

        func put(_ text: String) async throws -> Content {
            var rest: Data? = Data(text.utf8)
            return try await vault.receive(size: 0, sha256: "", most: 1 << 20) {
                defer { rest = nil }
                return rest
            }
        }
    }

    @Test(arguments: [
        (ENOSPC, "blob.disk_full"), (EDQUOT, "blob.disk_full"), (EROFS, "blob.read_only"), (EACCES, "blob.read_only"),
        (EIO, "blob.io"),
    ])
    func aFailedWriteIsToldUntilALookCouldWrite(_ code: Int32, _ expected: String) async throws {
        for operation in ["create", "write", "fsync"] {
            let faulty = try await Faulty()
            #expect(faulty.look() == nil)
            #expect(faulty.disk.written == 0, "a look at a sound disk writes nothing")
            faulty.disk.fail([operation], with: code)
            #expect(await reason { _ = try await faulty.put("one") } == expected)
            for _ in 0..<3 { #expect(faulty.look() == expected, "\(operation)") }
            faulty.disk.heal()
            #expect(faulty.look() == nil, "the look itself tries: \(operation)")
            let written = faulty.disk.written
            #expect(written >= ContentFiles.leastRoom)
            #expect(faulty.look() == nil)
            #expect(faulty.disk.written == written, "and tries no more where it went through")
            _ = try await faulty.put("two")
            #expect(try faulty.bench.files("incoming").isEmpty)
        }
    }

    /// A file that was written may still not get its name.
    @Test(arguments: ["mkdir", "rename"]) func aFileThatGetsNoNameIsToldToo(_ operation: String) async throws {
        let faulty = try await Faulty()
        faulty.disk.fail([operation], with: ENOSPC)
        #expect(await reason { _ = try await faulty.put("one") } == "blob.disk_full")
        #expect(faulty.vault.files.health.failure?.code == ENOSPC)
        faulty.disk.heal()
        #expect(faulty.look() == nil)
        _ = try await faulty.put("one")
    }

    /// The bounds of this process, and what cannot be read, say nothing about what the disk takes.
    @Test func otherFaultsAreNotTheDisks() async throws {
        let faulty = try await Faulty()
        faulty.disk.fail(["create", "open"], with: EMFILE)
        #expect(await reason { _ = try await faulty.put("one") } == "blob.busy")
        #expect(faulty.vault.files.health.failure == nil)
        faulty.disk.heal()
        let content = try await faulty.put("one")
        faulty.disk.fail(["open"], with: EIO)
        #expect(await reason { _ = try await faulty.vault.open(content, from: 0, count: 3) } == "blob.io")
        #expect(faulty.vault.files.health.failure == nil)
    }

    /// Nobody has to meet it first.
    @Test(arguments: [
        (DiskRoom(isReadOnly: true, free: 1 << 30), "blob.read_only"),
        (DiskRoom(isReadOnly: true, free: nil), "blob.read_only"),
        (DiskRoom(isReadOnly: false, free: 0), "blob.disk_full"),
        (DiskRoom(isReadOnly: false, free: Int64(ContentFiles.leastRoom) - 1), "blob.disk_full"),
    ])
    func aFileSystemThatSaysItTakesNothingIsBelievedAndLeftAlone(_ room: DiskRoom, _ expected: String) async throws {
        let faulty = try await Faulty()
        faulty.disk.setRoom(room)
        for _ in 0..<2 { #expect(faulty.look() == expected) }
        #expect(faulty.disk.written == 0, "what is left may be somebody else's last")
        faulty.disk.setRoom(DiskRoom(isReadOnly: false, free: Int64(ContentFiles.leastRoom)))
        #expect(faulty.look() == nil)
        #expect(faulty.disk.written == ContentFiles.leastRoom, "it has been tried")
    }

    @Test func aFileSystemThatCountsNothingIsHeldAgainstWrites() async throws {
        let faulty = try await Faulty()
        faulty.disk.setRoom(DiskRoom(isReadOnly: false, free: nil))
        #expect(faulty.look() == nil)
        faulty.disk.fail(["write"], with: ENOSPC)
        #expect(await reason { _ = try await faulty.put("one") } == "blob.disk_full")
        #expect(faulty.look() == "blob.disk_full")
        faulty.disk.heal()
        #expect(faulty.look() == nil)
    }

    /// A look that was under way when a write failed tells nothing of what came after it began.
    @Test func aFailureAfterALookBeganOutlivesIt() {
        let health = DiskHealth()
        health.failed(FileFault("write", code: ENOSPC))
        let failures = health.failures
        health.failed(FileFault("write", code: EIO))
        health.wrote(after: failures)
        #expect(health.failure?.code == EIO)
        health.wrote(after: health.failures)
        #expect(health.failure == nil)
    }

    @Test func theRoomOfThisMachineIsWhatItSays() throws {
        let room = try SystemFiles().room(in: FileManager.default.temporaryDirectory.path)
        #expect(!room.isReadOnly)
        #expect(room.free ?? .max > 0)
        #expect(throws: FileFault.self) { try SystemFiles().room(in: "/nowhere/at/all") }
        // A file system that nobody may write to, and that counts nothing.
        #expect(try SystemFiles().room(in: "/proc").free == nil)
    }

    /// As the host asks, through the contract.
    @Test func aFolderThatIsGoneIsSaidByTheContract() async throws {
        let bench = try await Bench()
        bench.host.route("care", to: "blobs", capability: "theatre.blob.v1.Maintenance")
        let care = BlobMaintenanceClient(bench.host.scope(as: "host"), feature: "care")
        let sound = try await care.status(BlobStatusRequest())
        #expect(sound.writable && sound.reason.isEmpty && sound.location == bench.folder)
        #expect(sound.figures["free_bytes"] ?? 0 > 0)
        try FileManager.default.moveItem(atPath: bench.folder + "/incoming", toPath: bench.folder + "/elsewhere")
        let failing = try await care.status(BlobStatusRequest())
        #expect(!failing.writable && failing.reason.hasPrefix("blob.io: "))
        try FileManager.default.moveItem(atPath: bench.folder + "/elsewhere", toPath: bench.folder + "/incoming")
        #expect(try await care.status(BlobStatusRequest()).writable)
    }
}
