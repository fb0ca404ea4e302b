// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import TheatreManifest

/// What is wrong with a file of `plugins.d`, before the whole is compiled.
public struct ConfigurationFault: Error, Sendable, Hashable, CustomStringConvertible {
    /// Stable dotted code.
    public var code: String
    /// Name of the file.
    public var file: String
    /// From 1.
    public var line: Int
    /// A sentence.
    public var message: String
    /// What to do.
    public var fix: String

    /// A fault at a place.
    public init(code: String, file: String, line: Int, message: String, fix: String) {
        self.code = code
        self.file = file
        self.line = line
        self.message = message
        self.fix = fix
    }

    /// A fault of reading a document's value.
    public init(_ error: ManifestError, in document: YAMLDocument) {
        self.init(
            code: error.code.replacing("manifest.", with: "config."), file: document.file,
            line: document.line(of: error.pointer), message: "\(document.file): \(error)", fix: "correct the value")
    }

    /// `plugins.d/20-ledger.yaml:4: config.unknown_key: …; fix: …`.
    public var description: String { "\(file):\(line): \(code): \(message); fix: \(fix)" }
}
