// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Registry
import Runtime
import SwiftProtobuf
import TheatreContracts
import TheatreManifest

extension HealthReport {
    var message: HostProfileHealth {
        HostProfileHealth.with { message in
            message.profile = profile
            message.instance = instance
            message.capability = capability
            message.state = state.message
            message.since = since
            message.retryAt = retryAt
            message.calls = calls
            message.failures = failures
            message.failedPermille = UInt32(clamping: failedPermille)
            message.latencyUs = latency
            message.lastCall = lastCall
            if let lastFailure { message.lastFailure = lastFailure.message }
        }
    }
}

extension HealthReport.Failure {
    fileprivate var message: HostProfileFailure {
        HostProfileFailure.with { message in
            message.class = kind.message
            message.reason = reason
            message.at = at
        }
    }
}

extension HealthState {
    var message: HostHealthState {
        switch self {
        case .unknown: .unknown
        case .healthy: .healthy
        case .degraded: .degraded
        case .down: .down
        case .halfOpen: .halfOpen
        }
    }
}

extension FaultClass {
    fileprivate var message: OptionsFaultClass {
        switch self {
        case .auth: .auth
        case .quota: .quota
        case .rate: .rate
        case .timeout: .timeout
        case .server: .server
        }
    }
}

extension Explanation {
    func card(_ table: RoutingTable, _ health: [String: HealthReport]) -> HostFeatureCard {
        HostFeatureCard.with { card in
            card.feature = feature
            card.capability = capability
            card.neededBy = table.instances.filter { instance in
                instance.plugin.manifest.needs.contains { $0.feature == feature }
            }.map(\.declaration.name)
            card.profile = profile ?? ""
            card.fallbacks = fallbacks
            card.reason = reason
            card.profiles = table.eligible(feature).map { eligibility in
                HostEligibleProfile.with { message in
                    message.profile = eligibility.profile
                    message.instance = eligibility.instance
                    message.eligible = eligibility.isEligible
                    message.reason = eligibility.reason
                    message.health = health[eligibility.profile]?.state.message ?? .unspecified
                }
            }
        }
    }

    func message(_ health: [String: HealthReport]) -> HostFeatureExplanation {
        HostFeatureExplanation.with { message in
            message.feature = feature
            message.capability = capability
            message.profile = profile ?? ""
            message.instance = instance ?? ""
            message.fallbacks = fallbacks
            message.reason = reason
            message.profiles =
                candidates.map { candidate in
                    Self.profile(candidate.profile, candidate.instance, candidate.reason, health) {
                        $0.chosen = candidate.chosen
                        $0.candidate = true
                    }
                } + others.map { Self.profile($0.profile, $0.instance, $0.reason, health) { _ in } }
        }
    }

    private static func profile(
        _ name: String, _ instance: String, _ reason: String, _ health: [String: HealthReport],
        _ more: (inout HostExplainedProfile) -> Void
    ) -> HostExplainedProfile {
        HostExplainedProfile.with { message in
            message.profile = name
            message.instance = instance
            message.reason = reason
            message.health = health[name]?.state.message ?? .unspecified
            message.retryAt = health[name]?.retryAt ?? 0
            more(&message)
        }
    }
}
