// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import GRPCCore
internal import TheatreContracts

/// What goes with a call beside its message.
enum CallMetadata {
    static let header = "theatre-call-bin"
    static let timeout = "grpc-timeout"

    /// - Parameter nanoseconds: what is left of the call's time; a time-out is a positive number, also where that is
    ///   nothing.
    static func make(_ header: RemoteCallHeader, nanoseconds: UInt64) -> Metadata {
        var metadata = Metadata()
        metadata.addString(timeoutText(max(1, nanoseconds)), forKey: timeout)
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

    /// How long a call may take.
    enum Timeout: Equatable {
        /// Its caller sets no bound.
        case none
        /// Nanoseconds; 0 where all of it has passed.
        case nanoseconds(UInt64)
        /// What came is no time-out.
        case malformed(String)
    }

    static func timeout(in metadata: Metadata) -> Timeout {
        // One that stands twice says two things.
        let texts = Array(metadata[stringValues: timeout])
        guard let first = texts.first else { return .none }
        guard texts.count == 1, let nanoseconds = nanoseconds(of: first) else {
            return .malformed(texts.joined(separator: ", "))
        }
        return .nanoseconds(nanoseconds)
    }

    /// One to eight digits and a unit; nil where it is anything else.
    static func nanoseconds(of text: String) -> UInt64? {
        let digits = text.utf8.dropLast()
        guard (1...8).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }),
            let value = UInt64(text.dropLast())
        else { return nil }
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
