// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Runtime
import SwiftProtobuf
import Testing
import TheatreContracts

@testable import Services

@Suite struct SecretsTests {
    @Test func oneFinalLineFeedIsTrimmed() throws {
        let folder = try Folder()
        try folder.write("token", "abc\n\n")
        let secrets = FileAndEnvironmentSecrets(folder: folder.path)
        #expect(try secrets.value(for: "file:token").text() == "abc\n")
    }

    @Test(arguments: [0o640, 0o604, 0o644])
    func filesThatOthersMayReadAreRefused(mode: Int) throws {
        let folder = try Folder()
        try folder.write("token", "abc", mode: mode)
        let error = #expect(throws: CallError.self) {
            try FileAndEnvironmentSecrets(folder: folder.path).value(for: "file:token")
        }
        #expect(error?.reason == "secrets.unsafe_file")
        #expect(error?.message.contains("abc") == false)
    }

    @Test(arguments: [
        ("file:absent", "secrets.missing"), ("env:THEATRE_TEST_ABSENT", "secrets.missing"),
        ("file:../token", "secrets.bad_source"), ("file:", "secrets.bad_source"), ("token", "secrets.bad_source"),
        ("vault:token", "secrets.bad_source"), ("file:..", "secrets.bad_source"),
    ])
    func otherSourcesAreRefused(source: String, reason: String) throws {
        let folder = try Folder()
        let error = #expect(throws: CallError.self) {
            try FileAndEnvironmentSecrets(folder: folder.path).value(for: source)
        }
        #expect(error?.reason == reason)
    }

    @Test func environmentIsRead() throws {
        let path = try #require(ProcessInfo.processInfo.environment["PATH"])
        #expect(try FileAndEnvironmentSecrets(folder: "/").value(for: "env:PATH").text() == path)
    }

    @Test func stagedValuesAreSeenByThoseTheyAreForUntilTheyAreCommittedOrDiscarded() throws {
        let folder = try Folder()
        try folder.write("token", "old")
        try folder.write("other", "other")
        let secrets = FileAndEnvironmentSecrets(folder: folder.path)
        try secrets.prepare(["file:token", "file:other"])
        let old = InstanceIdentity(instance: "a", plugin: "A", generation: 1, grants: ResolvedGrants())
        let new = InstanceIdentity(instance: "a", plugin: "A", generation: 2, grants: ResolvedGrants())
        func seen(_ who: InstanceIdentity) throws -> String {
            try secrets.seen(by: who).value(for: "file:token").text()
        }
        secrets.stage(["file:token": SecretBytes("new".utf8)]) { $0.generation == 2 }
        #expect(try [seen(old), seen(new)] == ["old", "new"])
        secrets.discard()
        #expect(try [seen(old), seen(new)] == ["old", "old"])
        secrets.stage(["file:token": SecretBytes("new".utf8)]) { $0.generation == 2 }
        secrets.commit(keeping: ["file:other"])
        #expect(try [seen(old), seen(new)] == ["new", "new"])
        try FileManager.default.removeItem(atPath: "\(folder.path)/other")
        #expect(try secrets.value(for: "file:other").text() == "other")
    }

    @Test func aSourceWithoutAKindIsNotRepeated() throws {
        let error = #expect(throws: CallError.self) {
            try FileAndEnvironmentSecrets(folder: "/").value(for: "hunter2")
        }
        #expect(error?.message.contains("hunter2") == false)
    }

    @Test func valuesDoNotPrint() {
        let secret = SecretBytes("hunter2".utf8)
        #expect("\(secret) \(String(reflecting: secret))" == "<redacted> <redacted>")
        var dumped = ""
        dump(secret, to: &dumped)
        #expect(!dumped.contains("104") && !dumped.contains("hunter2"))
    }

    @Test func onlyLeasesAreHandedOut() async throws {
        let service = SecretsService(source: TableSecrets())
        for (isLease, reason) in [(true, nil), (false, "secrets.not_granted")] {
            var grants = ResolvedGrants()
            grants.secrets["key"] = .init(source: "env:KEY", hosts: [], places: [], isLease: isLease)
            let call = try FakeHostCall(HostLeaseRequest.with { $0.name = "key" }, grants: grants)
            service.serve("Lease", call)
            if reason == nil {
                #expect(try await call.response(HostLeaseResponse.self).value == Data("s3cr3t".utf8))
            } else {
                #expect(await call.error()?.reason == reason)
            }
        }
    }
}
