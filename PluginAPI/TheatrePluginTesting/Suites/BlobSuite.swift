// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import SwiftProtobuf
internal import TheatreContracts
public import TheatrePlugin

/// A provider of `theatre.blob.v1.Store`.
public struct BlobSubject: Sendable {
    /// Blobs of an instance and a tenant.
    public var blobs: @Sendable (_ instance: String, _ tenant: String) -> Blobs
    /// What `theatre.blob.v1.Maintenance/Status` says; nil where the provider does not offer it.
    public var standing: (@Sendable () async throws -> Standing)?
    /// Has the provider take no writes, or take them again; nil where a test cannot.
    public var setRefusesWrites: (@Sendable (Bool) async throws -> Void)?

    /// Whether a store takes writes, and why not otherwise.
    public struct Standing: Sendable, Hashable {
        /// It takes them.
        public var isWritable: Bool
        /// Empty where it does.
        public var reason: String

        /// What a store said.
        public init(isWritable: Bool, reason: String) {
            self.isWritable = isWritable
            self.reason = reason
        }
    }

    /// A provider to be tested.
    public init(
        blobs: @escaping @Sendable (_ instance: String, _ tenant: String) -> Blobs,
        standing: (@Sendable () async throws -> Standing)? = nil,
        setRefusesWrites: (@Sendable (Bool) async throws -> Void)? = nil
    ) {
        self.blobs = blobs
        self.standing = standing
        self.setRefusesWrites = setRefusesWrites
    }

    var own: Blobs { blobs("drafting", "default") }

    /// A part of a blob.
    func part(_ key: String, _ offset: Int64, _ length: Int64? = nil) async throws -> Data {
        var bytes = Data()
        for try await piece in try await own.stream(key, offset: offset, length: length) { bytes += piece }
        return bytes
    }

    func upload(_ key: String) async throws -> String {
        try await own.client.createUpload(
            .with {
                $0.start.key = key
                $0.start.contentType = "text/plain"
            }
        ).uploadID
    }

    func putPart(_ number: UInt32, of upload: String, _ bytes: Data) async throws {
        let call = try await own.client.putPart()
        try await call.send(
            .with {
                $0.start.uploadID = upload
                $0.start.number = number
            })
        try await call.send(.with { $0.data = bytes })
        call.finish()
        for try await info in call.responses {
            try demand(
                info.number == number && info.size == Int64(bytes.count),
                "Part \(number) of \(bytes.count) bytes was stored as part \(info.number) of \(info.size).")
            return
        }
        throw SuiteFailure("Part \(number) was stored without an answer.")
    }
}

/// What every store of blobs does.
public enum BlobSuite {
    /// The cases; each wants a fresh subject.
    public static let cases: [SuiteCase<BlobSubject>] = [
        SuiteCase("whatWasPutComesBack") { subject in
            for size in [0, 1, 65_536, 300_001] {
                let bytes = Data((0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ size) })
                let put = try await subject.own.put("a/\(size)", bytes, BlobOptions(contentType: "image/png"))
                let (info, back) = try await subject.own.get("a/\(size)", limit: size)
                try demand(back == bytes, "\(size) bytes came back as \(back.count) others.")
                try demand(info == put, "What is said of a blob differs between Put and Get.")
                try demand(
                    put.size == Int64(size) && put.contentType == "image/png" && put.key == "a/\(size)",
                    "\(size) bytes of image/png were put, and it is said: \(put.size) of \(put.contentType).")
                try demand(
                    put.etag == Hex.encode(Digest.sha256(bytes)), "The ETag of \(size) bytes is not their SHA-256.")
            }
            let told = ["author": "柳青娘", "n": "2"]
            let put = try await subject.own.put("m", Data("x".utf8), BlobOptions(metadata: told))
            let known = try await subject.own.stat("m")
            try demand(
                put.metadata == told && known?.metadata == told, "The metadata of a blob came back as other metadata.")
            try demand(known == put, "What is said of a blob differs between Put and Stat.")
        },
        SuiteCase("aPartIsRead") { subject in
            try await subject.own.put("k", Data("0123456789".utf8))
            for (offset, length, expected) in [
                (0, 4, "0123"), (3, 4, "3456"), (8, 100, "89"), (7, nil, "789"), (-3, nil, "789"), (-3, 2, "78"),
            ] as [(Int64, Int64?, String)] {
                let part = try await subject.part("k", offset, length)
                try demand(
                    part == Data(expected.utf8),
                    "From \(offset), \(length.map { "\($0)" } ?? "all") of ten bytes are \(String(decoding: part, as: UTF8.self))."
                )
            }
            let error = try await refusal("A part beyond the end") { try await subject.part("k", 11, 1) }
            try demand(
                error.code == .outOfRange && error.reason == "blob.range", "\(error.reason) is not blob.range.")
        },
        SuiteCase("onlyKeysAreKeys") { subject in
            let keys = [
                "", "/a", "a/", "a//b", "../etc", "a/../b", "./a", "a\u{0}b", "a\nb",
                String(repeating: "k", count: 513),
            ]
            for key in keys {
                let error = try await refusal("The key \(key.prefix(20).debugDescription)") {
                    try await subject.own.put(key, Data("x".utf8))
                }
                try demand(
                    error.code == .invalidArgument && error.reason == "blob.bad_key",
                    "\(key.prefix(20).debugDescription) is \(error.reason), not blob.bad_key.")
            }
            try await subject.own.put("戏台/..a/a b", Data("x".utf8))
        },
        SuiteCase("keysBelongToInstanceAndTenant") { subject in
            try await subject.own.put("k", Data("mine".utf8))
            for (instance, tenant) in [("orders", "default"), ("drafting", "other")] {
                let seen = try await subject.blobs(instance, tenant).stat("k")
                try demand(seen == nil, "\(instance) of tenant \(tenant) sees another's blob.")
                try await subject.blobs(instance, tenant).delete("k")
            }
            try demand(try await subject.own.stat("k")?.size == 4, "Another instance or tenant removed the blob.")
        },
        SuiteCase("conditionsHold") { subject in
            let first = try await subject.own.put("k", Data("one".utf8), BlobOptions(ifAbsent: true))
            let exists = try await refusal("A second blob where none may be") {
                try await subject.own.put("k", Data("two".utf8), BlobOptions(ifAbsent: true))
            }
            try demand(exists.reason == "blob.exists", "\(exists.reason) is not blob.exists.")
            try await subject.own.put("k", Data("two".utf8), BlobOptions(ifMatch: first.etag))
            let changed = try await refusal("A change of what has changed") {
                try await subject.own.put("k", Data("three".utf8), BlobOptions(ifMatch: first.etag))
            }
            try demand(changed.reason == "blob.changed", "\(changed.reason) is not blob.changed.")
            let back = try await subject.own.get("k", limit: 10).bytes
            try demand(back == Data("two".utf8), "A refused Put changed the blob.")
            let kept = try await refusal("A removal of what has changed") {
                try await subject.own.delete("k", ifMatch: first.etag)
            }
            try demand(kept.reason == "blob.changed", "\(kept.reason) is not blob.changed.")
            try demand(try await subject.own.stat("k") != nil, "A refused removal removed the blob.")
            try await subject.own.delete("k")
            try demand(try await subject.own.stat("k") == nil, "A blob that was removed is there.")
        },
        SuiteCase("otherBytesThanAnnouncedAreRefused") { subject in
            let wrong = String(repeating: "0", count: 64)
            let error = try await refusal("Bytes of another digest") {
                try await subject.own.put("k", Data("one".utf8), BlobOptions(sha256: wrong))
            }
            try demand(error.code == .dataLoss && error.reason == "blob.digest", "\(error.reason) is not blob.digest.")
            try demand(try await subject.own.stat("k") == nil, "The refused blob is there.")
            try await subject.own.put("k", Data("old".utf8))
            _ = try await refusal("Bytes of another digest") {
                try await subject.own.put("k", Data("new".utf8), BlobOptions(sha256: wrong))
            }
            let kept = try await subject.own.get("k", limit: 10).bytes
            try demand(kept == Data("old".utf8), "A refused Put changed the blob that was there.")
        },
        SuiteCase("aBlobIsPutInParts") { subject in
            let upload = try await subject.upload("big")
            let parts = (1...3).map { Data(repeating: UInt8($0), count: 70_000 * $0) }
            for number in [3, 1, 2, 1] { try await subject.putPart(UInt32(number), of: upload, parts[number - 1]) }
            try demand(try await subject.own.stat("big") == nil, "A blob is there before its upload was completed.")
            let client = subject.own.client
            let listed = try await client.listParts(.with { $0.uploadID = upload }).parts
            try demand(
                listed.map(\.number) == [1, 2, 3] && listed.map(\.size) == parts.map { Int64($0.count) },
                "The parts 1, 2 and 3 are listed as \(listed.map(\.number)) of \(listed.map(\.size)) bytes.")
            let absent = try await refusal("An upload with a part that is not there") {
                try await client.completeUpload(
                    .with {
                        $0.uploadID = upload
                        $0.parts = listed + [.with { $0.number = 4 }]
                    })
            }
            try demand(absent.reason == "blob.part_missing", "\(absent.reason) is not blob.part_missing.")
            let made = try await client.completeUpload(.with { $0.uploadID = upload })
            let (info, bytes) = try await subject.own.get("big", limit: 1 << 20)
            try demand(bytes == parts[0] + parts[1] + parts[2], "The parts made another blob, of \(bytes.count) bytes.")
            try demand(info == made && info.contentType == "text/plain", "What is said of the blob differs.")
            let again = try await success("An upload that is completed cannot be asked for again") {
                try await client.completeUpload(.with { $0.uploadID = upload })
            }
            try demand(again == made, "Completed again, an upload answers otherwise.")
        },
        SuiteCase("anAbortedUploadIsGone") { subject in
            let upload = try await subject.upload("given/up")
            try await subject.putPart(1, of: upload, Data("x".utf8))
            let client = subject.own.client
            _ = try await client.abortUpload(.with { $0.uploadID = upload })
            let error = try await refusal("Completing an aborted upload") {
                try await client.completeUpload(.with { $0.uploadID = upload })
            }
            try demand(error.reason == "blob.unknown_upload", "\(error.reason) is not blob.unknown_upload.")
            try demand(try await subject.own.stat("given/up") == nil, "The blob of an aborted upload is there.")
            _ = try await success("Aborting what is gone fails") {
                try await client.abortUpload(.with { $0.uploadID = upload })
            }
        },
        SuiteCase("keysAreListedInOrderAndByPage") { subject in
            for key in ["b/2", "a/1", "b/1", "b/3"] { try await subject.own.put(key, Data(key.utf8)) }
            let first = try await subject.own.list(prefix: "b/", limit: 2)
            try demand(
                first.blobs.map(\.key) == ["b/1", "b/2"] && first.more, "The first page is \(first.blobs.map(\.key)).")
            let second = try await subject.own.list(prefix: "b/", after: "b/2", limit: 2)
            try demand(second.blobs.map(\.key) == ["b/3"] && !second.more, "The second is \(second.blobs.map(\.key)).")
        },
        SuiteCase("whatIsNotThereIsUnknown") { subject in
            let error = try await refusal("A blob that there is not") { try await subject.own.get("none", limit: 10) }
            try demand(
                error.code == .notFound && error.reason == "blob.unknown", "\(error.reason) is not blob.unknown.")
            try await subject.own.delete("none")
        },
        SuiteCase("aStoreThatTakesWritesSaysSo") { subject in
            guard let standing = subject.standing else { return }
            try await subject.own.put("k", Data("one".utf8))
            let said = try await standing()
            try demand(said.isWritable && said.reason.isEmpty, "It took a blob, and says \(said).")
        },
        SuiteCase("aStoreThatTakesNoWritesSaysSoUntilItDoes") { subject in
            guard let standing = subject.standing, let refuse = subject.setRefusesWrites else { return }
            try await subject.own.put("k", Data("one".utf8))
            try await refuse(true)
            let error = try await refusal("A blob where none is taken") {
                try await subject.own.put("n", Data("two".utf8))
            }
            for _ in 0..<2 {
                let said = try await standing()
                try demand(
                    !said.isWritable && said.reason.hasPrefix("\(error.reason): "),
                    "Put says \(error.reason), and Status \(said).")
            }
            let back = try await subject.own.get("k", limit: 10).bytes
            try demand(back == Data("one".utf8), "What is stored cannot be read any more.")
            try await refuse(false)
            // Without a Put between.
            let said = try await standing()
            try demand(said.isWritable && said.reason.isEmpty, "It could take writes again, and says \(said).")
            try await subject.own.put("n", Data("two".utf8))
        },
    ]
}
