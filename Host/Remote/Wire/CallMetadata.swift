// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import GRPCCore
internal import TheatreContracts

/// What goes with a call beside its message.
enum CallMetadata {
    static let header = "theatre-call-bin"
    static let timeout = "grpc-timeout"

    /// - Parameter nanoseconds: what is left of the call's time.
    static func make(_ header: RemoteCallHeader, nanoseconds: UInt64) -> Metadata {
        var metadata = Metadata()
        metadata.addString(timeoutText(nanoseconds), forKey: timeout)
        metadata.addBinary(header.wireBytes, forKey: self.header)
        return metadata
    }

    /// The header of a call; nil where there is none that could be read.
    static func header(in metadata: Metadata) -> RemoteCallHeader? {
        for value in metadata[binaryValues: header] { return try? RemoteCallHeader(wire: value) }
        return nil
    }

    /// At most eight digits and a unit, never more than what is left by a thousandth.
    static func timeoutText(_ nanoseconds: UInt64) -> String {
        var value = nanoseconds
        for (unit, next) in [("n", 1000), ("u", 1000), ("m", 1000), ("S", 60), ("M", 60)] as [(String, UInt64)] {
            if value < 100_000_000 { return "\(value)\(unit)" }
            value /= next
        }
        return "\(min(value, 99_999_999))H"
    }

    /// Nanoseconds, or nil where there is no time-out or it is not one.
    static func timeout(in metadata: Metadata) -> UInt64? {
        for text in metadata[stringValues: timeout] { return nanoseconds(of: text) }
        return nil
    }

    static func nanoseconds(of text: String) -> UInt64? {
        guard let value = UInt64(text.dropLast()), text.utf8.count <= 9 else { return nil }
        switch text.last {
        case "n": return value
        case "u": return value * 1000
        case "m": return value * 1_000_000
        case "S": return value * 1_000_000_000
        case "M": return value * 60_000_000_000
        // 99,999,999 hours are more nanoseconds than there are numbers for.
        case "H": return min(value, 1_000_000) * 3_600_000_000_000
        default: return nil
        }
    }
}
