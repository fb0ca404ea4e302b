// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import SwiftProtobuf
internal import TheatreContracts

/// What is said of a blob when it is put.
public struct BlobOptions: Sendable, Hashable {
    /// MIME type; empty: application/octet-stream.
    public var contentType: String
    /// At most 32 pairs, 4 KiB.
    public var metadata: [String: String]
    /// Only where there is none, else FAILED_PRECONDITION `blob.exists`.
    public var ifAbsent: Bool
    /// Only where the blob there has this ETag, else FAILED_PRECONDITION `blob.changed`; empty: any or none.
    public var ifMatch: String
    /// Bytes to come, where known; others are DATA_LOSS `blob.digest`. 0: not known.
    public var size: Int64
    /// SHA-256 of the bytes to come, in hexadecimal; others are DATA_LOSS `blob.digest`. Empty: not known.
    public var sha256: String

    /// Options; all may be left out.
    public init(
        contentType: String = "", metadata: [String: String] = [:], ifAbsent: Bool = false, ifMatch: String = "",
        size: Int64 = 0, sha256: String = ""
    ) {
        self.contentType = contentType
        self.metadata = metadata
        self.ifAbsent = ifAbsent
        self.ifMatch = ifMatch
        self.size = size
        self.sha256 = sha256
    }

    func start(_ key: String) -> BlobPutStart {
        .with {
            $0.key = key
            $0.contentType = contentType
            $0.metadata = metadata
            $0.conditions.ifAbsent = ifAbsent
            $0.conditions.ifMatch = ifMatch
            $0.size = size
            $0.sha256 = sha256
        }
    }
}
