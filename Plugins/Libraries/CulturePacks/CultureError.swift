// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatrePlugin

/// Why a pack refuses a call.
enum CultureError {
    static func tooLong(_ pointer: String) -> PluginError {
        .invalid(pointer, "culture.too_long", "The text is longer than 200,000 characters; send it in parts.")
    }

    static func language(_ language: String, _ known: [String]) -> PluginError {
        .invalid(
            "/language", "culture.language_unknown",
            "The language \"\(language.prefix(20))\" is not one of \(known.joined(separator: ", ")).")
    }

    static func stage(_ id: String) -> PluginError {
        .invalid(
            "/stage", "culture.stage_unknown", "The stage \"\(id.prefix(40))\" is not in the pack; Describe lists them."
        )
    }

    static func target(_ target: String) -> PluginError {
        .invalid(
            "/target", "culture.target_unknown",
            "The target \"\(target.prefix(20))\" is not one of \(PackExporter.targets.joined(separator: ", ")).")
    }

    static func brokenDocument(_ fault: String) -> PluginError {
        PluginError(
            .internal, "culture.broken_document",
            "The pack's own rules do not hold (\(fault.prefix(300))); install the plugin again.")
    }
}
