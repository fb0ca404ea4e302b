// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import FoundationEssentials
import Glibc

/// A command that did not end with status 0.
public struct ShellError: Error, CustomStringConvertible {
    /// The command, its status, and what it printed.
    public let description: String

    /// An error of this sentence.
    public init(description: String) { self.description = description }
}

/// Runs a command of a shell to its end and returns what it printed. Its input may be a file's bytes.
///
/// It holds up its thread.
///
/// - Throws: `ShellError` where the status is not 0.
@discardableResult
public func shell(_ command: String, in folder: String, input: Data? = nil) throws -> Data {
    let mark = UInt64.random(in: 0 ... .max)
    let files = ["in", "out", "log"].map { "\(folder)/.shell-\(mark)-\($0)" }
    defer { for file in files { unlink(file) } }
    try (input ?? Data()).write(to: URL(filePath: files[0]))
    let script = "cd '\(folder)' && { \(command)\n} < '\(files[0])' > '\(files[1])' 2> '\(files[2])'"
    var arguments: [UnsafeMutablePointer<CChar>?] = ["sh", "-c", script].map { (text: String) in strdup(text) }
    arguments.append(nil)
    defer { for argument in arguments { free(argument) } }
    var pid: pid_t = 0
    guard posix_spawnp(&pid, "sh", nil, nil, &arguments, environ) == 0 else {
        throw ShellError(description: "no shell can be started")
    }
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0, errno == EINTR {}
    let output = try Data(contentsOf: URL(filePath: files[1]))
    guard status == 0 else {
        let log = (try? String(contentsOf: URL(filePath: files[2]), encoding: .utf8)) ?? ""
        let shown = log.suffix(4000) + String(decoding: output.suffix(2000), as: UTF8.self)
        throw ShellError(
            description: "\(command) ended with \(status >> 8 & 0xFF) (signal \(status & 0x7F)):\n\(shown)")
    }
    return output
}
