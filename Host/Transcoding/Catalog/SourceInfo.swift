// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Where each declaration of a `.proto` file stood and what its comments say: `FileDescriptorProto.source_code_info`.
enum SourceInfo {
    private static let file: UInt32 = 1
    private static let sourceCodeInfo: UInt32 = 9

    /// A `FileDescriptorSet` without it. Copies bytes; decodes nothing else.
    static func removed(from set: [UInt8]) throws(TranscodingError) -> [UInt8] {
        var writer = WireWriter(capacity: set.count)
        try set.withUnsafeBufferPointer { bytes throws(TranscodingError) in
            var reader = WireReader(bytes)
            while !reader.isAtEnd {
                let start = reader.position
                let item = try reader.next()
                guard item.number == file, item.type == 2 else {
                    writer.append(UnsafeBufferPointer(rebasing: bytes[start..<reader.position]))
                    continue
                }
                writer.tag(file, 2)
                let length = writer.open()
                try copy(UnsafeBufferPointer(rebasing: bytes[item.range]), to: &writer)
                writer.close(length)
            }
        }
        return writer.bytes
    }

    private static func copy(
        _ file: UnsafeBufferPointer<UInt8>, to writer: inout WireWriter
    ) throws(TranscodingError) {
        var reader = WireReader(file)
        while !reader.isAtEnd {
            let start = reader.position
            guard try reader.next().number != sourceCodeInfo else { continue }
            writer.append(UnsafeBufferPointer(rebasing: file[start..<reader.position]))
        }
    }
}
