// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

/// What a channel may do wrong.
enum NotificationFault: Sendable {
    case sendsTwice, sendsNothing, tellsNoTime, tellsSeconds
    case sendsWhatIsTooLate, sendsNothingThatLapses, guessesWhatIsTooLate
    case deniesWhatItLost, claimsTheUnsent, asksForMoreThanOnce
    case classesNothing, asksForWhatIsRefused, passesThrottlingOff, tellsNoPause
}

/// A channel to a list, which is its emulator, with a fault or none.
struct FaultyNotification {
    let host = TestHost()
    private let state = Shared(State())

    private struct State {
        /// Ids of the messages that arrived, each time they did.
        var arrived: [String] = []
        var next: Disturbance?
    }

    var subject: NotificationSubject {
        NotificationSubject(
            client: NotificationChannelClient(host.scope(), feature: "notify"), address: "here",
            now: { [host] in host.now },
            arrived: { [state] in state.with { $0.arrived.count } }
        ) { [state] disturbance in
            state.with { $0.next = disturbance }
            return true
        }
    }

    init(_ fault: NotificationFault?) {
        host.fake("notify", "Send") { [host, state] (request: NotificationSendRequest, _) in
            let lapses = request.validUntil != 0
            if lapses, fault == .sendsNothingThatLapses || request.validUntil < host.now, fault != .sendsWhatIsTooLate {
                throw PluginError(
                    .failedPrecondition, "notification.expired", "It is too late.",
                    effect: fault == .guessesWhatIsTooLate ? .unknown : .none)
            }
            let disturbance = state.with { state in
                defer { state.next = nil }
                let isSent = state.next == nil || state.next == .answerLost
                if isSent, fault == .asksForMoreThanOnce || !state.arrived.contains(request.messageID) {
                    if fault != .sendsNothing { state.arrived.append(request.messageID) }
                    if fault == .sendsTwice { state.arrived.append(request.messageID) }
                }
                return state.next
            }
            try Self.refuse(disturbance, fault)
            return NotificationDelivery.with {
                $0.at = fault == .tellsNoTime ? 0 : fault == .tellsSeconds ? host.now / 1000 : host.now
            }
        }
    }

    private static func refuse(_ disturbance: Disturbance?, _ fault: NotificationFault?) throws {
        switch disturbance {
        case nil: return
        case .answerLost:
            throw PluginError(
                .unavailable, "notification.unconfirmed", "There was no answer.",
                effect: fault == .deniesWhatItLost ? .none : .unknown, retry: .safe)
        case .unreachable:
            if fault == .claimsTheUnsent { return }
            throw PluginError(.unavailable, "notification.unreachable", "Nobody was reached.", retry: .safe)
        case .refused:
            throw PluginError(
                .failedPrecondition, fault == .classesNothing ? "notification.failed" : "notification.address_dead",
                "Nobody lives there.", retry: fault == .asksForWhatIsRefused ? .safe : .never)
        case .throttled:
            let reason = fault == .passesThrottlingOff ? "notification.rejected" : "notification.throttled"
            throw PluginError(
                .unavailable, reason, "Not so fast.",
                retry: fault == .tellsNoPause ? .safe : .after(milliseconds: 5000))
        }
    }
}

struct NotificationSuiteTests {
    private static let breaches: [Breach<NotificationFault>] = [
        Breach(.sendsTwice, "aMessageArrivesOnce", "One message was sent; the emulator has another number"),
        Breach(.sendsNothing, "aMessageArrivesOnce", "One message was sent; the emulator has another number"),
        Breach(.tellsNoTime, "aMessageArrivesOnce", "The delivery says no time"),
        Breach(.tellsSeconds, "aMessageArrivesOnce", "milliseconds since 1970 are wanted"),
        Breach(.sendsWhatIsTooLate, "whatIsTooLateIsNotSent", "A message that had lapsed succeeded"),
        Breach(.guessesWhatIsTooLate, "whatIsTooLateIsNotSent", "has effect unknown and nothing was sent"),
        Breach(.sendsNothingThatLapses, "whatIsTooLateIsNotSent", "worth delivering for an hour was not sent"),
        Breach(.deniesWhatItLost, "theEffectOfAnErrorIsTrue", "answerLost: the message arrived"),
        Breach(.asksForMoreThanOnce, "theEffectOfAnErrorIsTrue", "the message arrived twice"),
        Breach(
            .claimsTheUnsent, "theEffectOfAnErrorIsTrue", "unreachable: the message was delivered, it is said, and 0"),
        Breach(.classesNothing, "refusalsAreClassed", "notification.failed is none of the contract's"),
        Breach(.asksForWhatIsRefused, "refusalsAreClassed", "asks to be repeated"),
        Breach(.passesThrottlingOff, "beingThrottledSaysForHowLong", "is not notification.throttled"),
        Breach(.tellsNoPause, "beingThrottledSaysForHowLong", "after how long to try again"),
    ]

    @Test(arguments: NotificationSuite.cases)
    func aSoundProviderPasses(_ rule: SuiteCase<NotificationSubject>) async throws {
        try await rule.run(FaultyNotification(nil).subject)
    }

    @Test(arguments: breaches) func aBreachIsNoticed(_ breach: Breach<NotificationFault>) async throws {
        try await breach.isNoticed(by: NotificationSuite.cases, FaultyNotification(breach.fault).subject)
    }
}
