// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The lines of a file, one at a time, however long the file is.
final class LineReader {
    private let file: UnsafeMutablePointer<FILE>
    private var line: UnsafeMutablePointer<CChar>?
    private var capacity = 0

    /// nil where the file cannot be read.
    init?(_ path: String) {
        guard let file = fopen(path, "re") else { return nil }
        self.file = file
    }

    deinit {
        free(line)
        fclose(file)
    }

    /// Without its end; nil after the last. Bytes that are no UTF-8 are replaced.
    func next() -> String? {
        let count = getline(&line, &capacity, file)
        guard count > 0, let line else { return nil }
        let bytes = UnsafeRawBufferPointer(start: line, count: count)
        return String(decoding: bytes.last == UInt8(ascii: "\n") ? bytes.dropLast() : bytes[...], as: UTF8.self)
    }
}
