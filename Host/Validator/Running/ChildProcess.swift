// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CValidator
internal import FoundationEssentials
internal import Glibc
internal import Isolation
internal import TheatreManifest

/// A check in a process of its own: what it says on descriptor 3, and how it ends.
struct ChildProcess {
    let program: String
    let arguments: [String]
    /// Where its standard output and error go.
    let outputPath: String
    let limitSeconds: Int

    /// How a child ended.
    struct Ending: Sendable {
        enum Cause: Sendable {
            case exit(Int32)
            case signal(Int32)
            case timeout(Int)
        }
        var cause = Cause.exit(0)
        var result: JSONValue?
        var place = ""
        var output = ""
        var milliseconds = 0
    }

    struct Unopened: Error, CustomStringConvertible {
        let path: String
        let code: Int32
        var description: String { "\(path) cannot be opened: \(String(cString: strerror(code)))" }
    }

    /// Runs it to its end; blocks the caller's thread.
    func run() throws -> Ending {
        var pipes: [Int32] = [0, 0]
        guard validator_pipe(&pipes) == 0 else { throw Unopened(path: "a pipe", code: errno) }
        defer { close(pipes[0]) }
        let began = Self.milliseconds
        let child: ChildProgram
        do {
            defer { close(pipes[1]) }
            child = try start(pipes[1])
        }
        var ending = Ending()
        let isLate = !listen(pipes[0], until: began + limitSeconds * 1000, &ending)
        // What it said last stands, whatever its threads still do.
        child.endGroup()
        switch child.end(milliseconds: 10_000) {
        case _ where isLate: ending.cause = .timeout(limitSeconds)
        case .exit(let code): ending.cause = .exit(code)
        case .signal(let signal): ending.cause = .signal(signal)
        case .late: ending.cause = .timeout(limitSeconds)
        }
        ending.milliseconds = Self.milliseconds - began
        let output = (try? Data(contentsOf: URL(filePath: outputPath))) ?? Data()
        ending.output = String(decoding: output.prefix(2000), as: UTF8.self)
        return ending
    }

    private func start(_ result: Int32) throws -> ChildProgram {
        let output = open(outputPath, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        defer { close(output) }
        guard output >= 0 else { throw Unopened(path: outputPath, code: errno) }
        return try ChildProgram(
            path: program, arguments: arguments, environment: ChildProgram.environment(),
            descriptors: [-1, output, output, result], leadsGroup: true)
    }

    /// Reads lines until the result, the end, or the time; false where the time came first.
    private func listen(_ descriptor: Int32, until: Int, _ ending: inout Ending) -> Bool {
        var pending: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let left = until - Self.milliseconds
            guard left > 0 else { return false }
            let ready = poll(&entry, 1, Int32(min(left, 1_000_000)))
            guard ready > 0 else { continue }
            let count = read(descriptor, &buffer, buffer.count)
            guard count > 0 else { return true }
            pending += buffer[..<count]
            while let end = pending.firstIndex(of: 10) {
                let line = Data(pending[..<end])
                pending.removeSubrange(...end)
                guard let value = try? JSONValue(json: line) else { continue }
                if let place = value["at"]?.string { ending.place = place }
                if let result = value["result"] {
                    ending.result = result
                    return true
                }
            }
        }
    }

    static var milliseconds: Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
    }
}
