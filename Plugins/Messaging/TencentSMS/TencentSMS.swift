// TheatreOS
// SPDX-License-Identifier: Apache-2.0

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
        guard let number = PhoneNumber(request.address) else { throw TextError.badAddress }
        guard let template = configuration.templates.first(where: { $0.category == request.category }) else {
            throw TextError.noTemplate(request.category)
        }
        let values = try template.values(from: request.data)
        guard request.validUntil == 0 || request.validUntil > host.now else { throw TextError.expired }
        let body = try JSONValue.object([
            "SmsSdkAppId": .string(configuration.appID), "SignName": .string(configuration.signName),
            "TemplateId": .string(template.template), "TemplateParamSet": .array(values.map { .string($0) }),
            "PhoneNumberSet": .array([.string(number.text)]), "SessionContext": .string(request.messageID),
        ]).json()
        let fetch = try await signed(body, call)
        let answer: HostFetchResponse
        do { answer = try await HostEgressClient(call).fetch(fetch) } catch let error as PluginError {
            throw TextError.transport(error)
        }
        let serial = try TencentAnswer.serial(answer)
        return .with {
            $0.providerReference = serial
            $0.at = host.now
        }
    }

    private func signed(_ body: Data, _ call: Call) async throws -> HostFetchRequest {
        let signature = TencentSignature(
            host: configuration.host, service: "sms", timestamp: host.now / 1000, body: Array(body))
        let dayKey: Data
        do {
            dayKey = try await HostKeysClient(call).mac(
                .with {
                    $0.key = "secret_key"
                    $0.data = Data(signature.date.utf8)
                }
            ).mac
        } catch let error as PluginError where error.code != .cancelled {
            throw TextError.misconfigured(error.message)
        }
        let headers = [
            ("content-type", signature.contentType), ("x-tc-action", "SendSms"), ("x-tc-version", "2021-01-11"),
            ("x-tc-timestamp", "\(signature.timestamp)"), ("x-tc-region", configuration.region),
            ("authorization", signature.authorization(secretID: configuration.secretID, dayKey: Array(dayKey))),
        ]
        return .with {
            $0.method = "POST"
            $0.url = "\(configuration.baseURL)/"
            $0.headers = headers.map { name, value in
                .with {
                    $0.name = name
                    $0.value = value
                }
            }
            $0.body = body
            $0.timeoutMs = configuration.timeoutMilliseconds
            $0.maxResponseBytes = 64 << 10
        }
    }
}
