// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Writes PNG files with a palette, not compressed.
enum PNG {
    /// A file.
    ///
    /// - Parameters:
    ///   - pixels: indices into the palette, row by row from the top.
    ///   - palette: red, green and blue of at most 256 colours.
    static func file(width: Int, height: Int, pixels: [UInt8], palette: [UInt8]) -> [UInt8] {
        var header: [UInt8] = []
        header.big(UInt32(width))
        header.big(UInt32(height))
        // Eight bits, by palette, in the only ways there are, not interlaced.
        header += [8, 3, 0, 0, 0]
        var rows: [UInt8] = []
        rows.reserveCapacity((width + 1) * height)
        for row in 0..<height {
            rows.append(0)
            rows += pixels[row * width..<(row + 1) * width]
        }
        return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] + chunk("IHDR", header) + chunk("PLTE", palette)
            + chunk("IDAT", stored(rows)) + chunk("IEND", [])
    }

    private static func chunk(_ name: String, _ data: [UInt8]) -> [UInt8] {
        let body = Array(name.utf8) + data
        var chunk: [UInt8] = []
        chunk.big(UInt32(data.count))
        chunk += body
        chunk.big(Checksums.crc32(body))
        return chunk
    }

    /// A zlib stream of stored blocks: RFC 1950 and 1951.
    static func stored(_ bytes: [UInt8]) -> [UInt8] {
        var stream: [UInt8] = [0x78, 0x01]
        var start = 0
        repeat {
            let end = min(start + 65_535, bytes.count)
            stream.append(end == bytes.count ? 1 : 0)
            stream.little(end - start, 2)
            stream.little(~(end - start), 2)
            stream += bytes[start..<end]
            start = end
        } while start < bytes.count
        stream.big(Checksums.adler32(bytes))
        return stream
    }
}
