// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Addresses
import FoundationEssentials
import SwiftProtobuf
import TextMessages
import TheatreContracts
import TheatrePlugin

/// A notification channel of text messages through Alibaba Cloud: SendSms of Dysmsapi, version 2017-05-25.
struct AliyunSMS: Plugin, NotificationChannelContract {
    static var operations: [Operation<AliyunSMS>] { notificationChannelOperations }

    private let host: PluginHost
    private let configuration: AliyunSMSConfiguration

    init(_ host: PluginHost, _ configuration: AliyunSMSConfiguration) throws {
        self.host = host
        self.configuration = configuration
    }

    func send(_ request: NotificationSendRequest, _ call: Call) async throws -> NotificationDelivery {
        let order = try TextOrder(request, configuration.templates, at: host.now)
        let gateway = TextGateway(call)
        let fetch = try await signed(query(order, request.messageID), gateway)
        let receipt = try AliyunAnswer.receipt(await gateway.fetch(fetch))
        return .with {
            $0.providerReference = receipt
            $0.at = host.now
        }
    }

    private func query(_ order: TextOrder, _ id: String) throws -> [(String, String)] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let pairs = Dictionary(zip(order.template.parameters, order.values)) { first, _ in first }
        // Numbers of mainland China go without their calling code, others with it and without the plus.
        let digits = order.number.digits
        let dialled = digits.hasPrefix("86") ? digits.dropFirst(2) : digits
        return [
            ("PhoneNumbers", String(dialled)), ("SignName", configuration.signName),
            ("TemplateCode", order.template.template),
            ("TemplateParam", String(decoding: try encoder.encode(pairs), as: UTF8.self)),
            ("OutId", String(id.prefix(64))),
        ]
    }

    private func signed(_ query: [(String, String)], _ gateway: TextGateway) async throws -> HostFetchRequest {
        let time = Date(timeIntervalSince1970: Double(host.now / 1000)).formatted(.iso8601)
        let payload = Hex.encode(Digest.sha256([]))
        var headers = [
            ("accept", "application/json"), ("x-acs-action", "SendSms"), ("x-acs-version", "2017-05-25"),
            ("x-acs-date", time), ("x-acs-signature-nonce", Self.nonce()), ("x-acs-content-sha256", payload),
        ]
        let signature = AliyunSignature(
            method: "POST", query: query, headers: headers + [("host", configuration.host)], payload: payload)
        let mac = try await gateway.mac("access_key", signature.stringToSign)
        headers.append(
            ("authorization", signature.authorization(accessKeyID: configuration.accessKeyID, mac: mac)))
        return .with {
            $0.method = "POST"
            $0.url = "\(configuration.baseURL)/?\(signature.queryText)"
            $0.addHeaders(headers)
            $0.timeoutMs = configuration.timeoutMilliseconds
            $0.maxResponseBytes = 64 << 10
        }
    }

    private static func nonce() -> String {
        var generator = SystemRandomNumberGenerator()
        return Hex.encode((0..<16).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
    }
}
