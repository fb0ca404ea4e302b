// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatreHost
internal import CTheatreIsolation
internal import CTheatrePlugin
internal import Runtime

/// Tells how a runner ended, where nobody asked it to.
final class EndWatch: Sendable {
    private let ended: @Sendable (InstanceEnd) -> Void
    private let silence: UInt64

    init(silence: UInt64, _ ended: @escaping @Sendable (InstanceEnd) -> Void) {
        self.silence = silence
        self.ended = ended
    }

    func tell(_ end: theatre_link_end) {
        guard end.why != THEATRE_LINK_REQUESTED else { return }
        let at = Int64(theatre_clock_wall() / 1_000_000)
        ended(InstanceEnd(at: at, cause: cause(end), output: end.output.text))
    }

    private func cause(_ end: theatre_link_end) -> String {
        switch end.why {
        case THEATRE_LINK_MALFORMED:
            "broke the protocol: \(end.fault.map { String(cString: $0) } ?? "no reason"); it was ended"
        case THEATRE_LINK_FULL: "did not read what it was sent; it was ended"
        case THEATRE_LINK_HANGS: "did not answer for \(silence / 1000) s; it was ended"
        default: Self.cause(status: end.status)
        }
    }

    /// A wait status in words.
    static func cause(status: Int32) -> String {
        let signal = status & 0x7f
        if signal != 0 {
            let core = signal == 9 ? ", as by the kernel where memory runs out" : ""
            return "was killed by \(name(signal: signal))\(core)"
        }
        let code = status >> 8 & 0xff
        // What ends itself by a signal as the first process of its namespace exits with 128 and the signal.
        return code > 128 ? "was ended by \(name(signal: code - 128))" : "exited with code \(code)"
    }

    private static func name(signal: Int32) -> String {
        let names: [Int32: String] = [
            1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 5: "SIGTRAP", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE",
            9: "SIGKILL", 11: "SIGSEGV", 13: "SIGPIPE", 14: "SIGALRM", 15: "SIGTERM", 24: "SIGXCPU", 25: "SIGXFSZ",
            31: "SIGSYS",
        ]
        return names[signal] ?? "signal \(signal)"
    }
}
