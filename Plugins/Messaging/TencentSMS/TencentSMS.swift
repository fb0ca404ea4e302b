// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Addresses
import FoundationEssentials
import SwiftProtobuf
import TextMessages
import TheatreContracts
import TheatreManifest
import TheatrePlugin

/// A notification channel of text messages through Tencent Cloud: SendSms, version 2021-01-11.
struct TencentSMS: Plugin, NotificationChannelContract {
    static var operations: [Operation<TencentSMS>] { notificationChannelOperations }

    private let host: PluginHost
    private let configuration: TencentSMSConfiguration

    init(_ host: PluginHost, _ configuration: TencentSMSConfiguration) throws {
        self.host = host
        self.configuration = configuration
    }

    func send(_ request: NotificationSendRequest, _ call: Call) async throws -> NotificationDelivery {
        let order = try TextOrder(request, configuration.templates, at: host.now)
        let gateway = TextGateway(call)
        let body = try JSONValue.object([
            "SmsSdkAppId": .string(configuration.appID), "SignName": .string(configuration.signName),
            "TemplateId": .string(order.template.template),
            "TemplateParamSet": .array(order.values.map { .string($0) }),
            "PhoneNumberSet": .array([.string(order.number.text)]), "SessionContext": .string(request.messageID),
        ]).json()
        let serial = try TencentAnswer.serial(await gateway.fetch(try await signed(body, gateway)))
        return .with {
            $0.providerReference = serial
            $0.at = host.now
        }
    }

    private func signed(_ body: Data, _ gateway: TextGateway) async throws -> HostFetchRequest {
        let signature = TencentSignature(
            host: configuration.host, service: "sms", timestamp: host.now / 1000, body: Array(body))
        let dayKey = try await gateway.mac("secret_key", signature.date)
        let headers = [
            ("content-type", signature.contentType), ("x-tc-action", "SendSms"), ("x-tc-version", "2021-01-11"),
            ("x-tc-timestamp", "\(signature.timestamp)"), ("x-tc-region", configuration.region),
            ("authorization", signature.authorization(secretID: configuration.secretID, dayKey: Array(dayKey))),
        ]
        return .with {
            $0.method = "POST"
            $0.url = "\(configuration.baseURL)/"
            $0.addHeaders(headers)
            $0.body = body
            $0.timeoutMs = configuration.timeoutMilliseconds
            $0.maxResponseBytes = 64 << 10
        }
    }
}
