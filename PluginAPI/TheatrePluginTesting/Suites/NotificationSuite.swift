// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import SwiftProtobuf
public import TheatreContracts
public import TheatrePlugin

/// A provider of `theatre.notification.v1.Channel` in front of its emulator.
public struct NotificationSubject: Sendable {
    /// Calls of the provider.
    public var client: NotificationChannelClient
    /// An address that the emulator takes messages for; empty for the instance's own.
    public var address: String
    /// A person, for channels that go by it.
    public var user: String
    /// Messages that the emulator has taken, whatever the provider says.
    public var arrived: @Sendable () async throws -> Int
    /// Sets up the emulator for its next request; false where it cannot do that.
    public var disturb: @Sendable (Disturbance) async throws -> Bool
    /// The provider's clock, in milliseconds since 1970.
    public var now: @Sendable () -> Int64

    /// A provider to be tested.
    public init(
        client: NotificationChannelClient, address: String, user: String = "usr_1",
        now: @escaping @Sendable () -> Int64,
        arrived: @escaping @Sendable () async throws -> Int,
        disturb: @escaping @Sendable (Disturbance) async throws -> Bool = { _ in false }
    ) {
        self.client = client
        self.address = address
        self.user = user
        self.now = now
        self.arrived = arrived
        self.disturb = disturb
    }

    func send(_ id: String, _ edit: (inout NotificationSendRequest) -> Void = { _ in }) async throws
        -> NotificationDelivery
    {
        var request = NotificationSendRequest()
        request.messageID = id
        request.user = user
        request.address = address
        request.category = "suite"
        request.title = "It is done"
        request.body = "Scene 1: 州桥夜市. (All is well.)"
        edit(&request)
        return try await client.send(request)
    }
}

/// What every channel does.
public enum NotificationSuite {
    /// The cases; each wants a fresh subject.
    public static let cases: [SuiteCase<NotificationSubject>] = [
        SuiteCase("aMessageArrivesOnce") { subject in
            let before = try await subject.arrived()
            let delivery = try await subject.send("msg_1")
            try demand(
                try await subject.arrived() == before + 1, "One message was sent; the emulator has another number.")
            try demand(delivery.at > 0, "The delivery says no time.")
            try demand(
                abs(delivery.at - subject.now()) < 86_400_000,
                "The delivery was at \(delivery.at), and it is \(subject.now()): milliseconds since 1970 are wanted.")
        },
        SuiteCase("whatIsTooLateIsNotSent") { subject in
            let before = try await subject.arrived()
            let error = try await refusal("A message that had lapsed") {
                try await subject.send("msg_1") { $0.validUntil = subject.now() - 1 }
            }
            try demand(error.effect == .none, "\(error.reason) has effect \(error.effect) and nothing was sent.")
            try demand(try await subject.arrived() == before, "A message that had lapsed arrived.")
            _ = try await success("A message that is worth delivering for an hour was not sent") {
                try await subject.send("msg_2") { $0.validUntil = subject.now() + 3_600_000 }
            }
            try demand(try await subject.arrived() == before + 1, "A message in good time did not arrive.")
        },
        SuiteCase("theEffectOfAnErrorIsTrue") { subject in
            for (index, disturbance) in Disturbance.allCases.enumerated() {
                guard try await subject.disturb(disturbance) else { continue }
                let before = try await subject.arrived()
                do {
                    _ = try await subject.send("msg_\(index)")
                    let count = try await subject.arrived() - before
                    try demand(
                        count == 1, "\(disturbance): the message was delivered, it is said, and \(count) arrived.")
                } catch let error as PluginError {
                    let hasArrived = try await subject.arrived() > before
                    try demand(
                        !(hasArrived && error.effect == .none),
                        "\(disturbance): the message arrived; \(error.reason) says that nothing happened.")
                    try demand(
                        hasArrived || error.effect != .applied,
                        "\(disturbance): nothing arrived; \(error.reason) says that it did.")
                    // What asks to be repeated after it may have arrived is known by its id.
                    guard error.effect != .none, error.retry != .never else { continue }
                    _ = try await subject.send("msg_\(index)")
                    try demand(
                        try await subject.arrived() <= before + 1,
                        "\(disturbance): \(error.reason) asked to be repeated, and the message arrived twice.")
                }
            }
        },
        SuiteCase("refusalsAreClassed") { subject in
            guard try await subject.disturb(.refused) else { return }
            let error = try await refusal("A message that the other side refuses") { try await subject.send("msg_1") }
            let classes = ["address_dead", "throttled", "rejected", "misconfigured"].map { "notification.\($0)" }
            try demand(classes.contains(error.reason), "\(error.reason) is none of the contract's: \(classes).")
            try demand(
                error.reason == "notification.throttled" || error.retry == .never,
                "\(error.reason) asks to be repeated, and the same message will never be taken.")
        },
        SuiteCase("beingThrottledSaysForHowLong") { subject in
            guard try await subject.disturb(.throttled) else { return }
            let error = try await refusal("A message that is throttled") { try await subject.send("msg_1") }
            try demand(error.reason == "notification.throttled", "\(error.reason) is not notification.throttled.")
            guard case .after(let milliseconds) = error.retry, milliseconds > 0 else {
                throw SuiteFailure("A throttled message does not say after how long to try again.")
            }
        },
    ]
}
