// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The text of a file of /proc, whose size nobody tells before it is read.
public func processFile(_ path: String) throws -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    defer { close(descriptor) }
    var text: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
        let count = read(descriptor, &buffer, buffer.count)
        guard count >= 0 else { throw POSIXFailure(path: path, code: errno) }
        guard count > 0 else { return String(decoding: text, as: UTF8.self) }
        text += buffer[..<count]
    }
}

/// What the system said of a file.
public struct POSIXFailure: Error {
    /// Of which file.
    public let path: String
    /// errno.
    public let code: Int32
}
