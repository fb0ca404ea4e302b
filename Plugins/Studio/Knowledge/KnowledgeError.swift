// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatrePlugin

/// Why the plugin refuses a call, or gives an import or a version up.
enum KnowledgeError {
    /// One answer for what is not there and what is of another project.
    static func notFound(_ what: String) -> PluginError {
        .notFound("knowledge.not_found", "There is no such \(what) in this project; look at what it has.")
    }

    static func name(_ pointer: String) -> PluginError {
        .invalid(pointer, "knowledge.bad_name", "A name has 1 to 200 characters, one of them visible; choose another.")
    }

    static func tag(_ index: Int) -> PluginError {
        .invalid("/tags/\(index)", "knowledge.bad_tag", "A tag has 1 to 60 characters, and there are at most 20.")
    }

    static func nameTaken() -> PluginError {
        PluginError(
            .alreadyExists, "knowledge.name_taken", "The project has a collection of this name; choose another.",
            detail: "/name")
    }

    static func sources() -> PluginError {
        .invalid(
            "/sources", "knowledge.bad_sources",
            "An import has 1 to 50 sources of at most 512 KiB together; send fewer.")
    }

    static func twice(_ index: Int) -> PluginError {
        .invalid("/sources/\(index)/name", "knowledge.named_twice", "Two sources have this name; send each once.")
    }

    static func empty() -> PluginError {
        PluginError(
            .failedPrecondition, "knowledge.empty", "The collection has no items; import some and wait for the import.")
    }

    static func limit() -> PluginError {
        .invalid("/limit", "knowledge.bad_limit", "The limit is larger than this list allows; ask for less.")
    }

    static func state(_ status: String, _ wish: String) -> PluginError {
        PluginError(
            .failedPrecondition, "knowledge.version_state",
            "The version is \(status) and cannot be \(wish); look at it.")
    }

    /// A search finds no version: what is read has a state that answers, or is not there.
    static func unindexed(_ status: String) -> PluginError {
        PluginError(
            .notFound, "knowledge.unindexed", "The version is \(status) and has no index; name one that has.")
    }

    static func unreleased() -> PluginError {
        PluginError(
            .notFound, "knowledge.unreleased",
            "No version of the collection is released; release one, or name the version to preview.")
    }

    static func question() -> PluginError {
        .invalid("/q", "knowledge.bad_question", "A question has 1 to 1000 characters, one of them a letter or digit.")
    }

    static func reason() -> PluginError {
        .invalid("/reason", "knowledge.bad_reason", "Say why the version is taken back, in 1 to 500 characters.")
    }

    static func note() -> PluginError {
        .invalid("/note", "knowledge.bad_note", "A note has at most 500 characters; shorten it.")
    }

    // MARK: Of sources

    static func format() -> PluginError {
        PluginError(
            .invalidArgument, "knowledge.unknown_format",
            "The format is none of txt, md and html and the name does not end in one; say which it is.")
    }

    static func fault(_ fault: SourceBytes.Fault) -> PluginError {
        switch fault {
        case .otherEncoding(let name):
            PluginError(
                .invalidArgument, "knowledge.other_encoding",
                "The file is in \(name); convert it to UTF-8 and import it again.")
        case .notUTF8(let place):
            PluginError(
                .invalidArgument, "knowledge.not_utf8",
                "Byte \(place) of the file is not UTF-8; convert it from its encoding and import it again.")
        case .binary(let place):
            PluginError(
                .invalidArgument, "knowledge.binary",
                "Byte \(place) of the file is zero: it is no text; import its text.")
        }
    }

    static func blank() -> PluginError {
        PluginError(.invalidArgument, "knowledge.blank", "There is no text in the source; import one that has some.")
    }

    // MARK: Of versions

    static func mixed(_ expected: String, _ found: String) -> PluginError {
        PluginError(
            .failedPrecondition, "knowledge.embedder_changed",
            "The version's vectors are of \(expected) and the embedding feature answers by \(found); make a new version."
        )
    }

    static func malformed() -> PluginError {
        PluginError(
            .dataLoss, "knowledge.bad_embedding", "The provider's vectors cannot be used; they are asked for again.",
            retry: .safe)
    }

    static func row(_ what: String) -> PluginError {
        PluginError(.dataLoss, "knowledge.bad_row", "A stored \(what) cannot be read; restore it from a backup.")
    }
}

extension PluginError {
    /// True where the same step may succeed later.
    var isPassing: Bool {
        if retry != .never { return true }
        switch code {
        case .cancelled, .unknown, .deadlineExceeded, .resourceExhausted, .aborted, .internal, .unavailable: return true
        case .invalidArgument, .notFound, .alreadyExists, .permissionDenied, .failedPrecondition, .outOfRange,
            .unimplemented, .dataLoss, .unauthenticated:
            return false
        }
    }
}
