// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatrePlugin

/// Why the pack refuses a call.
enum BianjingError {
    static func tooLong(_ pointer: String) -> PluginError {
        .invalid(pointer, "culture.too_long", "The text is longer than 200,000 characters; send it in parts.")
    }

    static func language(_ language: String) -> PluginError {
        .invalid(
            "/language", "culture.language_unknown", "The language \"\(language.prefix(20))\" is not one of zh and en.")
    }

    static func stage(_ id: String) -> PluginError {
        .invalid(
            "/stage", "culture.stage_unknown", "The stage \"\(id.prefix(40))\" is not in the pack; Describe lists them."
        )
    }

    static func target(_ target: String) -> PluginError {
        .invalid(
            "/target", "culture.target_unknown", "The target \"\(target.prefix(20))\" is not one of json and markdown.")
    }
}
