// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatrePlugin

/// Why a data key is not wrapped or unwrapped.
enum KeyFileError {
    static func badKeyring(_ what: String) -> PluginError {
        PluginError(
            .failedPrecondition, "keysource.no_key",
            "The keyring cannot be used: \(what). Each line is VERSION:BASE64 of 32 random bytes.")
    }

    static var badKey: PluginError {
        PluginError(.invalidArgument, "keysource.bad_key", "A data key has 1 to 64 bytes.", detail: "/plaintext")
    }

    static func unknownVersion(_ version: UInt32) -> PluginError {
        PluginError(
            .failedPrecondition, "keysource.unknown_version",
            "The keyring has no version \(version); put its line back.")
    }

    static var tampered: PluginError {
        PluginError(
            .failedPrecondition, "keysource.tampered",
            "The wrapped key or what it is for is not what this key source wrapped.")
    }
}
