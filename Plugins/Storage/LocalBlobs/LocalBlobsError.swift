// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatrePlugin

/// Why the plugin refuses a call.
enum LocalBlobsError {
    static let unknown = PluginError.notFound("blob.unknown", "There is no blob with this key.")
    static let unknownUpload = PluginError.notFound(
        "blob.unknown_upload", "There is no such upload; it was aborted, completed long ago or given up.")
    static let exists = PluginError(
        .failedPrecondition, "blob.exists", "There is a blob with this key already.", detail: "/conditions/if_absent")
    static let changed = PluginError(
        .failedPrecondition, "blob.changed", "The blob is not the one with the ETag given; read it again.",
        detail: "/conditions/if_match")
    static let digest = PluginError(
        .dataLoss, "blob.digest", "The bytes are not those announced by size and sha256; send them again.", retry: .safe
    )
    static let corrupt = PluginError(
        .dataLoss, "blob.corrupt", "The file of the blob is damaged or gone; put it again or restore it from a backup.")
    static let digestFailed = PluginError(.internal, "blob.digest_failed", "The system's SHA-256 cannot be used.")
    static let noStart = PluginError.invalid("/start", "blob.no_start", "The first message has to be the start.")
    static let badURL = PluginError(
        .permissionDenied, "blob.bad_url", "This URL was not signed here, or not for this method; ask for a new one.")
    static let expiredURL = PluginError(
        .permissionDenied, "blob.url_expired", "The URL held until a time that has passed; ask for a new one.")
    static let noTenant = PluginError(
        .failedPrecondition, "blob.no_tenant", "A blob belongs to a tenant; make the call on behalf of one of a tenant."
    )
    static let noFolder = PluginError(
        .failedPrecondition, "blob.no_folder",
        "There is no folder for the blobs; grant state_folder to the instance or set path.")

    static func tooLarge(_ most: Int64) -> PluginError {
        PluginError(.outOfRange, "blob.too_large", "The blob has more than \(most) bytes.", detail: "/data")
    }

    static func range(_ size: Int64) -> PluginError {
        PluginError(.outOfRange, "blob.range", "The blob has \(size) bytes; ask for some of them.", detail: "/offset")
    }

    static func quota(_ most: Int64) -> PluginError {
        PluginError(
            .resourceExhausted, "blob.quota", "With it there were more than the \(most) bytes allowed; delete some.")
    }

    static func partMissing(_ number: UInt32) -> PluginError {
        PluginError(
            .failedPrecondition, "blob.part_missing",
            "Part \(number) is not stored, or is not the one with the ETag given; put it again.", detail: "/parts")
    }

    static func badKey(_ why: String) -> PluginError {
        .invalid("/key", "blob.bad_key", "A key is 1 to 512 bytes of segments between slashes; this one \(why).")
    }

    static func badType(_ type: String, _ allowed: [String]) -> PluginError {
        .invalid(
            "/content_type", "blob.bad_type",
            allowed.isEmpty
                ? "The content type is no MIME type such as image/png."
                : "Only \(allowed.joined(separator: ", ")) may be stored here.")
    }

    static let badMetadata = PluginError.invalid(
        "/metadata", "blob.bad_metadata", "Metadata is at most 32 pairs and 4 KiB, with names of 1 to 128 bytes.")

    static func bad(_ field: String, _ expected: String) -> PluginError {
        .invalid("/\(field)", "blob.bad_\(field)", "The \(field) is not \(expected).")
    }
}
