// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CValidator
internal import FoundationEssentials
internal import Glibc
internal import Isolation
internal import Registry
internal import Runtime

/// The library served over gRPC by `theatre plugin serve`, in a process of its own that ends with the value.
///
/// Unchecked: written in `init` alone, but for the program, which `end` ends once.
final class LibraryServer: @unchecked Sendable {
    /// Where it listens.
    let place: InstanceDeclaration.Place
    private let program: ChildProgram

    /// `theatre plugin serve` did not come up.
    struct Unserved: Error, CustomStringConvertible {
        let why: String
        var description: String { "`theatre plugin serve` does not serve it: \(why)" }
    }

    /// Starts a server and waits until it listens.
    ///
    /// - Parameter folder: in which instances have their folders by name.
    /// - Throws: where it does not come up, with what it said.
    init(_ subject: Subject, folder: String) throws {
        let output = "\(folder)/served.out"
        let log = open(output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        defer { close(log) }
        var pipes: [Int32] = [0, 0]
        guard log >= 0, validator_pipe(&pipes) == 0 else {
            throw ChildProcess.Unopened(path: output, code: errno)
        }
        defer { close(pipes[0]) }
        do {
            defer { close(pipes[1]) }
            program = try ChildProgram(
                path: Self.ownProgram,
                arguments: [
                    "plugin", "serve", subject.file.path, "--listen", Self.listening(in: folder), "--plaintext",
                    "--state", folder, "--ready-fd", "3",
                ],
                environment: ChildProgram.environment(), descriptors: [-1, log, log, pipes[1]])
        }
        let said = Self.line(pipes[0], milliseconds: 60_000)
        guard let found = InstanceDeclaration.Place(said) else {
            kill(program.process, SIGKILL)
            _ = program.end(milliseconds: 10_000)
            let why = (try? String(contentsOf: URL(filePath: output), encoding: .utf8)) ?? ""
            throw Unserved(why: String(why.prefix(500)))
        }
        place = found
    }

    /// Ends it, and waits for that.
    func end() {
        kill(program.process, SIGTERM)
        _ = program.end(milliseconds: 20_000)
    }

    /// A socket in the folder, or loopback where its path would be longer than a socket's may be.
    private static func listening(in folder: String) -> String {
        let path = "\(folder)/socket"
        unlink(path)
        return path.utf8.count < 100 ? "unix:\(path)" : "127.0.0.1:0"
    }

    private static var ownProgram: String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? "theatre"
    }

    /// What comes until the other end is closed, without the end of the line.
    private static func line(_ descriptor: Int32, milliseconds: Int) -> String {
        let until = ChildProcess.milliseconds + milliseconds
        var said: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 256)
        while true {
            var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let left = until - ChildProcess.milliseconds
            guard left > 0 else { break }
            guard poll(&entry, 1, Int32(left)) > 0 else { continue }
            let count = read(descriptor, &buffer, buffer.count)
            guard count > 0 else { break }
            said += buffer[..<count]
        }
        return String(decoding: said.prefix { $0 != 10 }, as: UTF8.self)
    }
}
