// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Writes AVI files of uncompressed frames with one palette, piece by piece.
struct AVI {
    let width: Int
    let height: Int
    let frames: Int
    /// Of a second.
    let rate: Int
    /// Red, green and blue of at most 256 colours.
    let palette: [UInt8]

    /// Rows are filled up to whole words.
    private var rowBytes: Int { (width + 3) / 4 * 4 }
    private var frameBytes: Int { rowBytes * height }
    private var listBytes: Int { 4 + frames * (8 + frameBytes) }
    private var indexBytes: Int { frames * 16 }

    /// Bytes of the whole file.
    var size: Int { header.count + frames * (8 + frameBytes) + 8 + indexBytes }

    /// All before the first frame.
    var header: [UInt8] {
        let lists = chunk(
            "LIST", Array("hdrl".utf8) + mainHeader + chunk("LIST", Array("strl".utf8) + streamHeader + format))
        var file: [UInt8] = []
        file.letters("RIFF")
        file.little(4 + lists.count + 8 + listBytes + 8 + indexBytes, 4)
        file.letters("AVI ")
        file += lists
        file.letters("LIST")
        file.little(listBytes, 4)
        file.letters("movi")
        return file
    }

    /// A frame whose pixels are indices into the palette, row by row from the top.
    func frame(_ pixels: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.letters("00db")
        bytes.little(frameBytes, 4)
        let padding = [UInt8](repeating: 0, count: rowBytes - width)
        // From the bottom up, as bitmaps are.
        for row in stride(from: height - 1, through: 0, by: -1) {
            bytes += pixels[row * width..<(row + 1) * width]
            bytes += padding
        }
        return bytes
    }

    /// Where each frame is, at the end.
    var index: [UInt8] {
        var entries: [UInt8] = []
        for frame in 0..<frames {
            entries.letters("00db")
            // Each can be begun with.
            entries.little(0x10, 4)
            entries.little(4 + frame * (8 + frameBytes), 4)
            entries.little(frameBytes, 4)
        }
        return chunk("idx1", entries)
    }

    private func chunk(_ name: String, _ data: [UInt8]) -> [UInt8] {
        var chunk: [UInt8] = []
        chunk.letters(name)
        chunk.little(data.count, 4)
        return chunk + data
    }

    private var mainHeader: [UInt8] {
        var data: [UInt8] = []
        // Microseconds of a frame, bytes of a second, padding, and that there is an index.
        for value in [
            1_000_000 / rate, frameBytes * rate, 0, 0x10, frames, 0, 1, frameBytes, width, height, 0, 0, 0, 0,
        ] {
            data.little(value, 4)
        }
        return chunk("avih", data)
    }

    private var streamHeader: [UInt8] {
        var data: [UInt8] = []
        data.letters("vidsDIB ")
        for value in [0, 0, 0, 1, rate, 0, frames, frameBytes, 0, 0] { data.little(value, 4) }
        for side in [0, 0, width, height] { data.little(side, 2) }
        return chunk("strh", data)
    }

    private var format: [UInt8] {
        var data: [UInt8] = []
        data.little(40, 4)
        data.little(width, 4)
        data.little(height, 4)
        data.little(1, 2)
        data.little(8, 2)
        for value in [0, frameBytes, 0, 0, palette.count / 3, 0] { data.little(value, 4) }
        for colour in stride(from: 0, to: palette.count, by: 3) {
            data += [palette[colour + 2], palette[colour + 1], palette[colour], 0]
        }
        return chunk("strf", data)
    }
}
