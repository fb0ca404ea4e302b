// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Where something was declared.
public struct Source: Sendable, Hashable, Encodable {
    /// File name as a person would open it, or the id of a stored row.
    public var file: String
    /// From 1; 0 where the file has no lines to speak of.
    public var line: Int

    /// A place in a file.
    public init(file: String, line: Int = 0) {
        self.file = file
        self.line = line
    }

    /// `90-routes.yaml:12`, or the file alone.
    public var description: String { line > 0 ? "\(file):\(line)" : file }
}

extension Source: CustomStringConvertible {}

/// The lines of a document's values, by RFC 6901 pointer.
public struct SourceMap: Sendable, Hashable {
    /// File name as a person would open it.
    public var file: String
    /// Line of each value, from 1.
    public var lines: [String: Int]

    /// A map of one file. Without lines every value is at line 1.
    public init(file: String, lines: [String: Int] = [:]) {
        self.file = file
        self.lines = lines
    }

    /// The place of a value, or of the nearest value around it that is known.
    public func source(at pointer: String) -> Source {
        var pointer = pointer
        while true {
            if let line = lines[pointer] { return Source(file: file, line: line) }
            guard let slash = pointer.lastIndex(of: "/") else { return Source(file: file, line: 1) }
            pointer = String(pointer[..<slash])
        }
    }
}
