// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Emulators
import FoundationEssentials
import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

@testable import Webhook

/// The plugin against an emulated receiver that verifies.
struct WebhookTests {
    @Test func payloadIsSignedAndVerified() async throws {
        let receiver = try await EmulatedReceiver()
        let delivery = try await receiver.client.send(receiver.message())
        #expect(delivery.providerReference == "m1" && delivery.at == receiver.host.now)
        let received = try #require(receiver.emulator.deliveries.first)
        #expect(received.id == "m1" && received.signatures == 1 && received.timestamp == receiver.host.now / 1000)
        #expect(
            received.body
                == #"{"data":{"body":"12 场已写完。","data":{"run_id":"run_1"},"message_id":"m1","title":"灯下无影","#
                + #""user":"usr_1"},"timestamp":"2025-06-15T15:06:40.000Z","type":"draft.finished"}"#)
        #expect(receiver.host.violations.isEmpty)
    }

    @Test func signatureIsThatOfTheVector() throws {
        let secret = try #require(Data(base64Encoded: "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
        let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        let fields = [
            ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"), ("webhook-timestamp", "1614265330"),
            ("webhook-signature", "v0,AAAA \(signature)"),
        ]
        let emulator = WebhookEmulator(secret: Array(secret)) { 1_614_265_330 }
        var request = EmulatorRequest(
            method: "POST", uri: "/", fields: fields, body: Array(#"{"test": 2432232314}"#.utf8))
        #expect(emulator.respond(to: request).status == 204)
        request.body.append(0x20)
        #expect(emulator.respond(to: request).status == 401)
    }

    @Test func anotherKeyIsFoundOut() async throws {
        let receiver = try await EmulatedReceiver(keys: ["webhook": Array(repeating: 1, count: 32)])
        #expect(await receiver.failure()?.reason == "notification.rejected")
        #expect(receiver.emulator.deliveries.isEmpty)
    }

    @Test func bothKeysSignDuringARotation() async throws {
        let new = [UInt8](repeating: 7, count: 32)
        let receiver = try await EmulatedReceiver(keys: ["webhook": new, "webhook_previous": EmulatedReceiver.secret])
        _ = try await receiver.client.send(receiver.message())
        #expect(receiver.emulator.deliveries.first?.signatures == 2)
    }

    @Test(arguments: [-301, 301] as [Int64])
    func clocksTooFarApartAreFoundOut(skew: Int64) async throws {
        let receiver = try await EmulatedReceiver(skew: skew)
        #expect(await receiver.failure()?.reason == "notification.rejected")
    }

    @Test func idHasNoDotAndIsTheSameOverAttempts() async throws {
        let receiver = try await EmulatedReceiver()
        for _ in 0..<2 {
            _ = try await receiver.client.send(receiver.message("evt.1/finished"))
            receiver.host.advance(milliseconds: 60_000)
        }
        #expect(receiver.emulator.deliveries.count == 1 && receiver.emulator.repeats == 1)
        let id = try #require(receiver.emulator.deliveries.first?.id)
        #expect(id.hasPrefix("msg_") && !id.contains("."))
    }

    @Test(
        arguments: [
            (410, [], "notification.address_dead", PluginError.Retry.never),
            (400, [], "notification.rejected", .never), (404, [], "notification.rejected", .never),
            (302, [("location", "https://hooks.example/2")], "notification.rejected", .never),
            (429, [("retry-after", "7")], "notification.throttled", .after(milliseconds: 7000)),
            (
                503, [("Retry-After", "Sun, 15 Jun 2025 15:07:40 GMT")], "notification.throttled",
                .after(milliseconds: 60_000)
            ),
            (
                503, [("retry-after", "Sun, 15 Jun 2020 15:07:40 GMT")], "notification.throttled",
                .after(milliseconds: 0)
            ),
            (502, [("retry-after", "soon")], "notification.throttled", .after(milliseconds: 5000)),
            (504, [], "notification.throttled", .after(milliseconds: 5000)),
            (500, [], "notification.unconfirmed", .safe),
        ] as [(Int, [(String, String)], String, PluginError.Retry)])
    func statusesAreClassed(
        _ status: Int, _ headers: [(String, String)], _ reason: String, _ retry: PluginError.Retry
    ) async throws {
        let receiver = try await EmulatedReceiver()
        receiver.emulator.script(.status(status, headers))
        let error = await receiver.failure()
        #expect(error?.reason == reason && error?.retry == retry)
        #expect(error?.effect == (status == 500 ? .unknown : PluginError.Effect.none))
        #expect(receiver.emulator.requests == 1)
    }

    @Test func whatMayHaveArrivedMayBeRepeated() async throws {
        let receiver = try await EmulatedReceiver()
        receiver.emulator.script(.cut(kept: true), .late(milliseconds: 30_000))
        for _ in 0..<2 {
            let error = await receiver.failure()
            #expect(error?.reason == "notification.unconfirmed" && error?.effect == .unknown && error?.retry == .safe)
        }
        _ = try await receiver.client.send(receiver.message())
        #expect(receiver.emulator.deliveries.count == 1 && receiver.emulator.repeats == 2)
    }

    @Test(arguments: [
        ("id", "notification.missing"), ("category", "notification.bad_category"), ("data", "notification.bad_data"),
        ("long", "notification.too_long"), ("address", "notification.bad_address"),
        ("placeholder", "notification.bad_address"), ("late", "notification.expired"),
        ("other", "notification.misconfigured"),
    ])
    func messageThatCannotBeSentIsRefused(_ what: String, _ reason: String) async throws {
        let receiver = try await EmulatedReceiver()
        let now = receiver.host.now
        let error = await receiver.failure { request in
            switch what {
            case "id": request.messageID = ""
            case "category": request.category = "draft..finished"
            case "data": request.data = "[]"
            case "long": request.body = String(repeating: "x", count: 20_000)
            case "address": request.address = "ftp://hooks.example/"
            case "placeholder": request.address = "https://hooks.example/${secret:key}"
            case "late": request.validUntil = now
            default: request.address = "https://other.example/"
            }
        }
        #expect(error?.reason == reason && error?.effect == PluginError.Effect.none)
        #expect(receiver.emulator.requests == 0)
    }

    @Test func messageGoesToItsOwnAddress() async throws {
        let receiver = try await EmulatedReceiver(configuration: "{}")
        #expect(await receiver.failure()?.reason == "notification.bad_address")
        #expect(await receiver.failure { $0.address = "https://hooks.example/other" } == nil)
        #expect(try await receiver.client.check(NotificationCheckRequest()).ok == false)
    }

    @Test func checkSendsNothing() async throws {
        let receiver = try await EmulatedReceiver()
        #expect(try await receiver.client.check(NotificationCheckRequest()).ok)
        #expect(receiver.emulator.requests == 0)
    }

    @Test func instanceWithoutItsKeyDoesNotStart() async throws {
        let error = await #expect(throws: PluginError.self) { try await EmulatedReceiver(keys: [:]) }
        #expect(error?.reason == "keys.not_granted")
    }

    @Test(arguments: ["ftp://x/", "https://a b/", "https://user@x/", "https://x/#f", "//x", "https://"])
    func badURLIsRefused(url: String) async {
        let error = await #expect(throws: PluginError.self) {
            try await EmulatedReceiver(configuration: #"{"url": "\#(url)"}"#)
        }
        #expect(error?.reason == "webhook.bad_url" && error?.detail == "/url")
    }
}
