// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import Registry

/// Whose fault an error is.
public struct FaultJudge: Sendable {
    /// What an ended call says of the provider.
    public enum Verdict: Sendable, Hashable {
        /// It served, or rightly refused what the caller asked for.
        case well
        /// It failed.
        case failed(FaultClass)
        /// Nothing: the call was given up, or never reached it.
        case nothing
    }

    /// Reasons that the contract says are the provider's.
    private let faults: [String: FaultClass]

    /// A caller that waits less than this says nothing of the provider when its time is over.
    static let shortestPatience: UInt64 = 1_000_000_000

    /// - Parameter faults: by reason, as the contract says.
    public init(faults: [String: FaultClass] = [:]) { self.faults = faults }

    /// - Parameters:
    ///   - error: nil where the call was answered.
    ///   - nanoseconds: how long the call took.
    public func verdict(_ error: CallError?, after nanoseconds: UInt64) -> Verdict {
        guard let error else { return .well }
        if let named = faults[error.reason] { return .failed(named) }
        if error.reason == "call.deadline" {
            return nanoseconds >= Self.shortestPatience ? .failed(.timeout) : .nothing
        }
        if Self.isHosts(error.reason) { return .nothing }
        switch error.code {
        case .unavailable, .internal, .unknown, .dataLoss: return .failed(.server)
        case .deadlineExceeded: return .failed(.timeout)
        case .resourceExhausted: return .failed(.rate)
        case .cancelled: return .nothing
        default: return .well
        }
    }

    /// The host's own refusals: the call never reached the provider.
    private static func isHosts(_ reason: String) -> Bool {
        ["call.", "host.", "instance.", "route."].contains { reason.hasPrefix($0) }
    }
}
