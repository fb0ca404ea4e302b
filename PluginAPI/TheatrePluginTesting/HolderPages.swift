// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import SwiftProtobuf
public import TheatreContracts
public import TheatrePlugin

/// Reads an export of `theatre.privacy.v1.Holder` to its end, as a host does, and minds its bounds.
///
/// ```swift
/// let pages = try await HolderPages.all(of: "usr_1", from: PrivacyHolderClient(host.scope(), feature: "holder"))
/// ```
public enum HolderPages {
    /// The JSON of every page, in order.
    ///
    /// - Throws: `SuiteFailure` for a page over 384 KiB, a cursor over 512 bytes or one that comes twice, and where a
    ///   cursor that no answer gave is not INVALID_ARGUMENT `request.cursor`.
    public static func all(of person: String, from holder: PrivacyHolderClient) async throws -> [String] {
        var (pages, cursors, cursor) = ([String](), Set<String>(), "")
        repeat {
            let (asked, number) = (cursor, pages.count + 1)
            let page = try await holder.export(
                .with {
                    $0.person = person
                    $0.cursor = asked
                })
            try demand(page.json.utf8.count <= 384 * 1024, "Page \(number) has \(page.json.utf8.count) bytes.")
            try demand(page.nextCursor.utf8.count <= 512, "The cursor of page \(number) is over 512 bytes.")
            try demand(cursors.insert(page.nextCursor).inserted, "The cursor of page \(number) came before.")
            pages.append(page.json)
            cursor = page.nextCursor
        } while !cursor.isEmpty
        // No base64url; nothing of anybody's.
        for wrong in ["?", "bm8gY3Vyc29y"] {
            let error = try await refusal("An export from the cursor \(wrong)") {
                try await holder.export(
                    .with {
                        $0.person = person
                        $0.cursor = wrong
                    })
            }
            try demand(
                error.code == .invalidArgument && error.reason == "request.cursor" && error.detail == "/cursor",
                "A cursor that no answer gave is \(error.code) \(error.reason) \(error.detail).")
        }
        return pages
    }
}
