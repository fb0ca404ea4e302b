// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Why a provider failed, or that it was asked for what it does not do.
public enum FaultClass: String, Sendable, Hashable, CaseIterable {
    /// Our key is wrong or may not.
    case auth
    /// Nothing is left of what was paid for.
    case quota
    /// Too much at once.
    case rate
    /// No answer in time.
    case timeout
    /// It failed.
    case server
}
