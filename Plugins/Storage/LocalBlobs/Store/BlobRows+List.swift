// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

extension BlobRows {
    /// Rows read in one go: the longest is under 10 kB and an answer of the database at most 1 MiB.
    private static let chunk = 80
    /// What an answer may hold, in bytes of keys and metadata.
    private static let answer = 700_000

    func list(_ request: BlobListRequest, of owner: BlobOwner) async throws -> BlobListResponse {
        guard request.limit <= 1000 else { throw LocalBlobsError.bad("limit", "1 to 1000") }
        let limit = request.limit == 0 ? 100 : Int(request.limit)
        var response = BlobListResponse()
        var after = request.after
        var bytes = 0
        while true {
            let wanted = min(limit + 1 - response.blobs.count, Self.chunk)
            let rows = try await page(request.prefix, after: after, limit: wanted, of: owner)
            for row in rows {
                let info = try Found(row).info
                bytes +=
                    200 + info.key.utf8.count + info.metadata.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count }
                guard response.blobs.count < limit, bytes <= Self.answer else {
                    response.more = true
                    return response
                }
                response.blobs.append(info)
                after = info.key
            }
            if rows.count < wanted { return response }
        }
    }

    private func page(_ prefix: String, after: String, limit: Int, of owner: BlobOwner) async throws -> Rows {
        // Bytewise order is that of the scalars: the first text above all that begin with the prefix.
        let end = Self.end(of: prefix)
        return try await database.read(
            """
            /* tenants: all */
            SELECT blob_key, digest, size, content_type, metadata, modified_at FROM {blobs}
            WHERE tenant = ?1 AND owner = ?2 AND blob_key > ?3 AND blob_key >= ?4 AND (?5 = '' OR blob_key < ?5)
            ORDER BY blob_key LIMIT ?6
            """, owner.tenant, owner.instance, after, prefix, end, limit)
    }

    /// The least text above every text with a prefix; empty where there is none.
    static func end(of prefix: String) -> String {
        var scalars = Array(prefix.unicodeScalars)
        while let last = scalars.popLast() {
            let next = last.value == 0xD7FF ? 0xE000 : last.value + 1
            guard let next = Unicode.Scalar(next) else { continue }
            return String(String.UnicodeScalarView(scalars + [next]))
        }
        return ""
    }
}
