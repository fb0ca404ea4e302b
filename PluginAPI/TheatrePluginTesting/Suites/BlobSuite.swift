// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import FoundationEssentials
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
                try demand(put.size == Int64(size) && put.contentType == "image/png" && !put.etag.isEmpty, "\(put)")
            }
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
        },
        SuiteCase("otherBytesThanAnnouncedAreRefused") { subject in
            let wrong = String(repeating: "0", count: 64)
            let error = try await refusal("Bytes of another digest") {
                try await subject.own.put("k", Data("one".utf8), BlobOptions(sha256: wrong))
            }
            try demand(error.code == .dataLoss && error.reason == "blob.digest", "\(error.reason) is not blob.digest.")
            try demand(try await subject.own.stat("k") == nil, "The refused blob is there.")
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
