// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What the C library says of local time, asked of `date` in a process of its own.
enum SystemDates {
    /// Seconds ahead of UTC in a zone, for each instant.
    static func offsets(_ zone: String, _ instants: [Int64]) throws -> [Int] {
        let input = FileManager.default.temporaryDirectory.appending(path: "dates-\(UUID().uuidString)")
        try Data(instants.map { "@\($0)\n" }.joined().utf8).write(to: input)
        defer { try? FileManager.default.removeItem(at: input) }
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/date")
        process.arguments = ["-f", input.path, "+%::z"]
        process.environment = ["TZ": zone, "LC_ALL": "C"]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map { line in
            let parts = line.dropFirst().split(separator: ":").compactMap { Int($0) }
            let seconds = parts.reduce(0) { $0 * 60 + $1 }
            return line.hasPrefix("-") ? -seconds : seconds
        }
    }
}
