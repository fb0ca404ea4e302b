// TheatreOS
// SPDX-License-Identifier: Apache-2.0

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
        guard let number = PhoneNumber(request.address) else { throw TextError.badAddress }
        guard let template = configuration.templates.first(where: { $0.category == request.category }) else {
            throw TextError.noTemplate(request.category)
        }
        let values = try template.values(from: request.data)
        guard request.validUntil == 0 || request.validUntil > host.now else { throw TextError.expired }
        let fetch = try await signed(query(number, template, values, request.messageID), call)
        let answer: HostFetchResponse
        do { answer = try await HostEgressClient(call).fetch(fetch) } catch let error as PluginError {
            throw TextError.transport(error)
        }
        let receipt = try AliyunAnswer.receipt(answer)
        return .with {
            $0.providerReference = receipt
            $0.at = host.now
        }
    }

    private func query(
        _ number: PhoneNumber, _ template: TextTemplate, _ values: [String], _ id: String
    ) throws -> [(String, String)] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let pairs = Dictionary(zip(template.parameters, values)) { first, _ in first }
        // Numbers of mainland China go without their calling code, others with it and without the plus.
        let digits = number.digits.hasPrefix("86") ? number.digits.dropFirst(2) : number.digits
        return [
            ("PhoneNumbers", String(digits)), ("SignName", configuration.signName),
            ("TemplateCode", template.template),
            ("TemplateParam", String(decoding: try encoder.encode(pairs), as: UTF8.self)),
            ("OutId", String(id.prefix(64))),
        ]
    }

    private func signed(_ query: [(String, String)], _ call: Call) async throws -> HostFetchRequest {
        let time = Date(timeIntervalSince1970: Double(host.now / 1000)).formatted(.iso8601)
        let payload = Hex.encode(Digest.sha256([]))
        var headers = [
            ("accept", "application/json"), ("x-acs-action", "SendSms"), ("x-acs-version", "2017-05-25"),
            ("x-acs-date", time), ("x-acs-signature-nonce", Self.nonce()), ("x-acs-content-sha256", payload),
        ]
        let signature = AliyunSignature(
            method: "POST", query: query, headers: headers + [("host", configuration.host)], payload: payload)
        let mac: Data
        do {
            mac = try await HostKeysClient(call).mac(
                .with {
                    $0.key = "access_key"
                    $0.data = Data(signature.stringToSign.utf8)
                }
            ).mac
        } catch let error as PluginError where error.code != .cancelled {
            throw TextError.misconfigured(error.message)
        }
        headers.append(
            ("authorization", signature.authorization(accessKeyID: configuration.accessKeyID, mac: mac)))
        return .with {
            $0.method = "POST"
            $0.url = "\(configuration.baseURL)/?\(signature.queryText)"
            $0.headers = headers.map { name, value in
                .with {
                    $0.name = name
                    $0.value = value
                }
            }
            $0.timeoutMs = configuration.timeoutMilliseconds
            $0.maxResponseBytes = 64 << 10
        }
    }

    private static func nonce() -> String {
        var generator = SystemRandomNumberGenerator()
        return Hex.encode((0..<16).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
    }
}
