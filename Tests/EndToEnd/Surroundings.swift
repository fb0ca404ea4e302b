// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc

/// Why a test cannot go on.
struct Unexpected: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Asks until there is an answer.
///
/// - Throws: `Unexpected` where none came in time, or what `ask` throws.
@discardableResult
func eventually<T>(_ what: String, seconds: Int = 60, _ ask: () async throws -> T?) async throws -> T {
    let clock = ContinuousClock()
    let end = clock.now + .seconds(seconds)
    // Longer and longer, so that asking stays below the rate of one caller.
    var pause = 10
    while true {
        if let answer = try await ask() { return answer }
        guard clock.now < end else { throw Unexpected("not within \(seconds) s: \(what)") }
        try await Task.sleep(for: .milliseconds(pause))
        pause = min(100, pause * 5 / 4)
    }
}

/// Where the program, the plugins and this test were built.
enum BuildFolder {
    /// The folder of this executable.
    static let path: String = {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? "."
        return own.lastIndex(of: "/").map { String(own[..<$0]) } ?? "."
    }()

    /// Whether a plugin's library is there.
    static func has(_ plugin: String) -> Bool { FileManager.default.fileExists(atPath: "\(path)/lib\(plugin).so") }
}

/// A folder that is removed when nobody uses it any more.
final class TemporaryFolder: Sendable {
    let root: String

    /// An empty folder.
    init() throws {
        var template = Array("\(FileManager.default.temporaryDirectory.path)/theatre-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Unexpected("no temporary folder can be made") }
        root = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// A folder with these files.
    convenience init(_ files: [String: String]) throws {
        try self.init()
        for (name, text) in files { try write(name, text) }
    }

    /// The path of a file in it.
    func path(_ name: String) -> String { "\(root)/\(name)" }

    /// Writes or replaces a file.
    func write(_ name: String, _ text: String) throws {
        try Data(text.utf8).write(to: URL(filePath: path(name)), options: .atomic)
    }

    /// The text of a file in it.
    func read(_ name: String) throws -> String { try String(contentsOf: URL(filePath: path(name)), encoding: .utf8) }

    /// Makes a folder in it.
    func makeFolder(_ name: String) throws {
        try FileManager.default.createDirectory(atPath: path(name), withIntermediateDirectories: false)
    }

    /// Puts a version of a key, `KEY/0001.jwk`, where a server with this folder reads it.
    func writeKey(_ name: String, _ text: String) throws {
        let file = "state/keys/\(name)"
        let key = URL(filePath: path(file)).deletingLastPathComponent()
        try FileManager.default.createDirectory(at: key, withIntermediateDirectories: true)
        try write(file, text)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path(file))
    }

    /// Removes a file.
    func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: path(name)) }

    deinit { try? FileManager.default.removeItem(atPath: root) }
}

/// Folders that the tests read.
enum Sources {
    /// The root of the package.
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path
    /// The deployment that ships.
    static let defaultDeployment = "\(root)/plugins.d"
}
