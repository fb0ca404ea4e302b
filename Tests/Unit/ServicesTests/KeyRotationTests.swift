// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Runtime
import SwiftProtobuf
import Synchronization
import Testing
import TheatreContracts

@testable import Services

/// Versions of keys in time: which signs, which are checked by, what a host takes up, and what may go.
@Suite struct KeyRotationTests {
    private final class Clock: Sendable {
        private let time = Mutex<Int64>(1_000_000)
        var now: Int64 { time.withLock { $0 } }
        func advance(_ milliseconds: Int64) { time.withLock { $0 += milliseconds } }
    }

    private let folder: Folder
    private let clock = Clock()
    private let keys: FileKeys

    init() throws {
        folder = try Folder()
        let clock = clock
        keys = FileKeys(folder: folder.path, generate: true, clock: { clock.now })
    }

    private func grants(_ algorithm: String) -> ResolvedGrants {
        var grants = ResolvedGrants()
        grants.keys["mine"] = .init(key: "mine", algorithm: algorithm)
        return grants
    }

    private func ask<Response: Message>(
        _ operation: String, _ request: some Message, _ algorithm: String
    ) async throws -> Response {
        let call = try FakeHostCall(request, grants: grants(algorithm))
        KeysService(source: keys).serve(operation, call)
        return try await call.response(Response.self)
    }

    private func sign(_ id: String = "") async throws -> HostSignResponse {
        try await ask(
            "Sign",
            HostSignRequest.with {
                $0.key = "mine"
                $0.keyID = id
                $0.data = Data("text".utf8)
            }, "EdDSA")
    }

    private func isValid(_ signed: HostSignResponse, of data: String = "text", by id: String? = nil) async throws
        -> Bool
    {
        let response: HostVerifySignatureResponse = try await ask(
            "Verify",
            HostVerifySignatureRequest.with {
                $0.key = "mine"
                $0.keyID = id ?? signed.keyID
                $0.data = Data(data.utf8)
                $0.signature = signed.signature
            }, "EdDSA")
        return response.valid
    }

    @Test func aVersionIsPublishedAndCheckedByBeforeItSigns() async throws {
        try keys.prepare(keys: [.init(key: "mine", algorithm: "EdDSA")])
        let before = try await sign()
        let next = try keys.folder.add(2, of: "mine", algorithm: "EdDSA", signsFrom: 1600).version
        #expect(keys.look { _, _ in } && !keys.look { _, _ in })
        #expect(try keys.versions(of: "mine").map(\.id) == [next.id, before.keyID])
        #expect(try await sign().keyID == before.keyID)
        let published: HostPublicKeysResponse = try await ask(
            "PublicKeys", HostPublicKeysRequest.with { $0.key = "mine" }, "EdDSA")
        #expect(published.keys.map(\.keyID) == [next.id, before.keyID])
        #expect(published.keys.map(\.signsFrom) == [1_600_000, 0])
        #expect(published.keys.allSatisfy { !$0.jwk.contains("signs_from") && !$0.jwk.contains("\"d\"") })
        #expect(try await isValid(sign(next.id)))

        clock.advance(600_000)
        let after = try await sign()
        #expect(after.keyID == next.id)
        for signed in [before, after] {
            #expect(try await isValid(signed))
            #expect(try await !isValid(signed, of: "texT"))
        }
        #expect(try await !isValid(before, by: next.id))
        #expect(try await !isValid(before, by: "nobody's"))
    }

    @Test func aMacIsMadeByTheVersionThatIsAskedFor() async throws {
        try keys.prepare(keys: [.init(key: "mine", algorithm: "HS256")])
        func mac(_ id: String = "") async throws -> HostMacResponse {
            try await ask(
                "Mac",
                HostMacRequest.with {
                    $0.key = "mine"
                    $0.keyID = id
                }, "HS256")
        }
        let first = try await mac()
        try keys.folder.add(2, of: "mine", algorithm: "HS256", signsFrom: 1000)
        #expect(keys.look { _, _ in })
        let second = try await mac()
        #expect(second.mac != first.mac && second.keyID != first.keyID)
        #expect(try await mac(first.keyID) == first)
        let unknown = try FakeHostCall(
            HostMacRequest.with {
                $0.key = "mine"
                $0.keyID = "nobody's"
            }, grants: grants("HS256"))
        KeysService(source: keys).serve("Mac", unknown)
        let error = await unknown.error()
        #expect(error?.code == .notFound && error?.reason == "keys.no_version" && error?.detail == "/key_id")
        let verify = try FakeHostCall(
            HostVerifySignatureRequest.with {
                $0.key = "mine"
                $0.keyID = first.keyID
            }, grants: grants("HS256"))
        KeysService(source: keys).serve("Verify", verify)
        #expect(await verify.error()?.reason == "keys.wrong_algorithm")
    }

    @Test func whereNoVersionsTimeHasComeTheOldestSigns() throws {
        #expect(try keys.folder.files(of: "mine").isEmpty)
        try keys.folder.add(1, of: "mine", algorithm: "EdDSA", signsFrom: 5000)
        try keys.folder.add(2, of: "mine", algorithm: "EdDSA", signsFrom: 4000)
        try keys.prepare(keys: [.init(key: "mine", algorithm: "EdDSA")])
        let versions = try keys.versions(of: "mine")
        #expect(try keys.signing(by: "mine").id == versions[1].id)
        clock.advance(3_000_000)
        #expect(try keys.signing(by: "mine").id == versions[0].id)
    }

    @Test func filesThatCannotBeUsedChangeNothingUntilTheyAreMended() throws {
        try keys.prepare(keys: [.init(key: "mine", algorithm: "EdDSA")])
        let first = try keys.versions(of: "mine").map(\.id)
        _ = keys.look { _, _ in }
        let jwk = try #require(KeyVersion.generate("EdDSA"))
        try folder.write("mine/0002.jwk", String(decoding: try jwk.json(), as: UTF8.self), mode: 0o644)
        var reasons: [String] = []
        #expect(!keys.look { reasons.append("\($0) \($1.reason)") })
        #expect(!keys.look { reasons.append("\($0) \($1.reason)") })
        #expect(reasons == ["mine keys.unsafe_file"])
        #expect(try keys.versions(of: "mine").map(\.id) == first)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: folder.path + "/mine/0002.jwk")
        #expect(keys.look { reasons.append("\($0) \($1.reason)") })
        #expect(try keys.versions(of: "mine").map(\.id) == [jwk.thumbprint] + first)
        // A folder that was emptied is no reason to make a key that nobody knows.
        for name in ["0001", "0002"] { try FileManager.default.removeItem(atPath: "\(folder.path)/mine/\(name).jwk") }
        #expect(!keys.look { reasons.append("\($0) \($1.reason)") })
        #expect(reasons.last == "mine keys.missing")
        #expect(try keys.versions(of: "mine").count == 2)
    }

    @Test func whatCameAndWentIsToldOnceAlsoAfterARestart() throws {
        try keys.prepare(keys: [.init(key: "mine", algorithm: "EdDSA")])
        let path = folder.path + "/known.json"
        func changes() throws -> [String] {
            var record = try KeyRecord(path)
            let found = record.note(keys.known)
            if record.isChanged { try record.write() }
            return found.map { "\($0.key) \($0.id) \($0.isNew)" }
        }
        #expect(try changes().isEmpty)
        let first = try keys.signing(by: "mine").id
        let second = try keys.folder.add(2, of: "mine", algorithm: "EdDSA").version.id
        _ = keys.look { _, _ in }
        #expect(try changes() == ["mine \(second) true"])
        #expect(try changes().isEmpty)
        try keys.folder.remove(try #require(keys.folder.files(of: "mine").last), of: "mine")
        _ = keys.look { _, _ in }
        #expect(try changes() == ["mine \(first) false"])
        #expect(try changes().isEmpty)
    }

    @Test func aRecordThatCannotBeReadIsNotBegunAnew() throws {
        try keys.prepare(keys: [.init(key: "mine", algorithm: "EdDSA")])
        for text in ["", "{\"mine\": [", "[]"] {
            try folder.write("known.json", text)
            let error = #expect(throws: CallError.self) { try KeyRecord(folder.path + "/known.json") }
            #expect(error?.reason == "keys.unsafe_file" && error?.message.contains("remove it") == true)
        }
        try FileManager.default.removeItem(atPath: folder.path + "/known.json")
        var record = try KeyRecord(folder.path + "/known.json")
        #expect(record.note(keys.known).isEmpty && record.isChanged)
    }

    @Test func aFolderOfKeysThatCannotBeReadIsNotAnEmptyOne() throws {
        #expect(try KeyFolder(folder.path + "/none").names().isEmpty)
        try keys.prepare(keys: [.init(key: "mine", algorithm: "EdDSA")])
        try folder.write("notes.txt", "no key")
        #expect(try keys.folder.names() == ["mine"])
        for path in ["/notes.txt", "/notes.txt/keys"] {
            let error = #expect(throws: CallError.self) { try KeyFolder(folder.path + path).names() }
            #expect(error?.reason == "keys.missing" && error?.message.contains(path) == true)
        }
    }

    @Test func aVersionGoesOnceNothingThatItMadeCanCount() throws {
        try keys.prepare(keys: [.init(key: "mine", algorithm: "EdDSA")])
        try keys.folder.add(2, of: "mine", algorithm: "EdDSA", signsFrom: 1600)
        let files = try keys.folder.files(of: "mine")
        func look(_ seconds: Int64) -> (states: [KeyRotation.State], old: KeyRotation.Objection?) {
            let rotation = KeyRotation(files, at: seconds * 1000)
            return (files.map(rotation.state(of:)), rotation.objection(to: files[1], lifetime: 960))
        }
        #expect(look(1599) == ([.next, .signing], .signs))
        #expect(look(1600) == ([.signing, .old], .countsYet(1260)))
        #expect(look(2859) == ([.signing, .old], .countsYet(1)))
        #expect(look(2860) == ([.signing, .old], nil))
        #expect(KeyRotation(files, at: 1_599_000).objection(to: files[0], lifetime: 960) == nil)
        #expect(KeyRotation(files, at: 1_599_000).waiting?.number == 2)
        let later = KeyRotation(files, at: 9_000_000)
        #expect(later.waiting == nil && later.objection(to: files[0], lifetime: 0) == .signs)
        #expect(later.objection(to: files[1], lifetime: nil) == .countsForEver)
        // One that signed from the beginning does not say since when the one before it does not.
        try keys.folder.add(3, of: "mine", algorithm: "EdDSA")
        let more = try keys.folder.files(of: "mine")
        #expect(KeyRotation(more, at: 9_000_000).objection(to: more[1], lifetime: 960) == .unknownEnd)
    }

    @Test func aVersionThatIsThereIsNeverReplaced() throws {
        try keys.prepare(keys: [.init(key: "mine", algorithm: "EdDSA")])
        let before = try keys.signing(by: "mine").id
        let error = #expect(throws: CallError.self) { try keys.folder.add(1, of: "mine", algorithm: "EdDSA") }
        #expect(error?.reason == "keys.unsafe_file")
        #expect(try keys.folder.files(of: "mine").map(\.version.id) == [before])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/mine") == ["0001.jwk"])
        #expect(throws: CallError.self) { try keys.folder.add(2, of: "mine", algorithm: "RS256") }
    }
}
