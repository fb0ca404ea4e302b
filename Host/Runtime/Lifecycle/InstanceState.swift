// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Where an instance stands in its life.
public enum InstanceState: Sendable, Hashable, CustomStringConvertible {
    /// Declared in `plugins.d`.
    case discovered
    /// Its file, manifest and ABI were checked; nothing of it ran.
    case verified
    /// Its library is mapped.
    case loaded
    /// `create` returned it.
    case configured
    /// It serves.
    case ready
    /// It finishes what it has.
    case draining
    /// It was destroyed.
    case retired
    /// It failed; its routes answer 503 with the reason.
    case quarantined(LoadError)
    /// `enabled: false`.
    case disabled

    /// In capitals, as logs and tables show it.
    public var description: String {
        switch self {
        case .discovered: "DISCOVERED"
        case .verified: "VERIFIED"
        case .loaded: "LOADED"
        case .configured: "CONFIGURED"
        case .ready: "READY"
        case .draining: "DRAINING"
        case .retired: "RETIRED"
        case .quarantined: "QUARANTINED"
        case .disabled: "DISABLED"
        }
    }

    /// Whether the second may follow the first.
    static func allows(_ from: InstanceState, _ to: InstanceState) -> Bool {
        switch (from, to) {
        case (.discovered, .verified), (.verified, .loaded), (.loaded, .configured), (.configured, .ready),
            (.configured, .draining), (.ready, .draining), (.draining, .retired), (.configured, .retired):
            true
        case (.retired, _), (.disabled, _): false
        case (_, .quarantined): true
        default: false
        }
    }
}
