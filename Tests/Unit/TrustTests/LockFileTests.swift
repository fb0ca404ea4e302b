// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SeededRandom
import Testing
import TheatreManifest

@testable import Trust

/// The lock as it is written, read and compared.
@Suite struct LockFileTests {
    private let digest = String(repeating: "ab", count: 32)
    private let other = String(repeating: "cd", count: 32)

    private func lock(_ version: String, _ digests: [String: String], grants: JSONValue = .object([:])) -> LockFile {
        var lock = LockFile()
        lock.plugins["Ledger"] = LockFile.Plugin(version: version, digests: digests)
        lock.instances["ledger"] = LockFile.Instance(plugin: "Ledger", grants: grants)
        return lock
    }

    private func read(_ text: String) throws -> LockFile { try LockFile(JSONValue(json: Data(text.utf8))) }

    @Test func whatIsWrittenIsRead() throws {
        let lock = lock(
            "1.0.0", ["x86_64": digest, "aarch64": other],
            grants: .object(["egress": .array([.string("a.example:443")])]))
        #expect(try read(lock.text()) == lock)
        #expect(try lock.text().hasSuffix("}\n"))
        #expect(try lock.text().contains("\n  \"plugins\": {\n    \"Ledger\": {\n"))
    }

    @Test(arguments: [
        #"{}"#, #"{"lock": 2}"#, #"{"lock": 1, "other": 1}"#,
        #"{"lock": 1, "plugins": {"Ledger": {"version": "1", "sha256": {"x86_64": "no"}}}}"#,
        #"{"lock": 1, "plugins": {"Ledger": {"sha256": {}}}}"#,
        #"{"lock": 1, "instances": {"ledger": {"plugin": "Ledger", "grants": []}}}"#,
    ])
    func whatCannotBeUnderstoodIsRefused(_ text: String) throws {
        #expect(throws: ManifestError.self) { try read(text) }
    }

    @Test func changesAreTold() throws {
        let arch = LockFile.architecture
        let old = lock("1.0.0", [arch: digest])
        #expect(old.changes(to: old).isEmpty)
        #expect(
            LockFile().changes(to: old) == [
                "Ledger: new, version 1.0.0, \(digest.prefix(12))", "ledger: new instance",
            ])
        #expect(
            old.changes(to: lock("1.1.0", [arch: other])) == [
                "Ledger: version 1.0.0 → 1.1.0", "Ledger: digest \(digest.prefix(12)) → \(other.prefix(12))",
            ])
        #expect(
            old.changes(to: lock("1.0.0", [arch: digest], grants: .object(["operate": .bool(true)]))) == [
                "ledger: other grants"
            ])
        #expect(old.changes(to: LockFile()) == ["Ledger: not used any more", "ledger: no instance any more"])
    }

    /// A lock that was cut or changed anywhere is read as what it says, or refused; it never ends the process.
    @Test(arguments: [1, 2, 3] as [UInt64]) func brokenFilesAreRefusedOrRead(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let sound = Array(try lock("1.0.0", ["x86_64": digest]).text().utf8)
        for _ in 0..<500 {
            var bytes = sound
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            if Bool.random(using: &random) { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random)) }
            guard let value = try? JSONValue(json: Data(bytes)), let read = try? LockFile(value) else { continue }
            #expect(read.plugins.values.allSatisfy { $0.digests.values.allSatisfy { $0.utf8.count == 64 } })
        }
    }
}
