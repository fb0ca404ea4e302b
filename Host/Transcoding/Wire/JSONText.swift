// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Writes JSON strings.
enum JSONText {
    private static let hex = Array("0123456789abcdef".utf8)

    /// Appends the text in quotes; what needs no escape is copied in runs. False where it is not UTF-8.
    @discardableResult static func write(_ text: UnsafeBufferPointer<UInt8>, into output: inout [UInt8]) -> Bool {
        output.append(UInt8(ascii: "\""))
        var index = 0
        var run = 0
        while index < text.count {
            let byte = text[index]
            if byte >= 0x80 {
                let length = UTF8Scalar.length(text, at: index)
                guard length > 0 else { return false }
                index += length
                continue
            }
            if byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
                index += 1
                continue
            }
            output.append(contentsOf: UnsafeBufferPointer(rebasing: text[run..<index]))
            escape(byte, into: &output)
            index += 1
            run = index
        }
        output.append(contentsOf: UnsafeBufferPointer(rebasing: text[run..<index]))
        output.append(UInt8(ascii: "\""))
        return true
    }

    private static func escape(_ byte: UInt8, into output: inout [UInt8]) {
        output.append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\n"): output.append(UInt8(ascii: "n"))
        case UInt8(ascii: "\r"): output.append(UInt8(ascii: "r"))
        case UInt8(ascii: "\t"): output.append(UInt8(ascii: "t"))
        case 0..<0x20:
            output.append(contentsOf: "u00".utf8)
            output.append(hex[Int(byte >> 4)])
            output.append(hex[Int(byte & 15)])
        default: output.append(byte)
        }
    }
}
