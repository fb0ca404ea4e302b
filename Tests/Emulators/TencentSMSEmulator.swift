// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Crypto
import Foundation
import Synchronization

/// SendSms of Tencent Cloud: verifies TC3-HMAC-SHA256 over whatever headers are named as signed, and the time, then app,
/// signature, template and number.
public final class TencentSMSEmulator: Sendable {
    private struct State {
        var faults: [SMSFault] = []
        var messages: [EmulatedSMS] = []
        var requests = 0
    }

    private let secretID: String
    private let secretKey: String
    private let appID: String
    private let signName: String
    private let templates: [String: Int]
    private let now: @Sendable () -> Int64
    private let state = Mutex(State())

    /// An account.
    ///
    /// - Parameters:
    ///   - templates: how many values each approved template takes.
    ///   - now: milliseconds since 1970.
    public init(
        secretID: String, secretKey: String, appID: String, signName: String, templates: [String: Int],
        now: @escaping @Sendable () -> Int64
    ) {
        self.secretID = secretID
        self.secretKey = secretKey
        self.appID = appID
        self.signName = signName
        self.templates = templates
        self.now = now
    }

    /// Queues faults, one for each verified request to come. A code with `number:` before it is that of the number.
    public func script(_ faults: SMSFault...) { state.withLock { $0.faults += faults } }
    /// What was taken, in order.
    public var messages: [EmulatedSMS] { state.withLock { $0.messages } }
    /// How many requests came.
    public var requests: Int { state.withLock { $0.requests } }

    /// The answer to a request.
    public func respond(to request: EmulatorRequest) -> EmulatorAnswer {
        state.withLock { $0.requests += 1 }
        if let code = refusal(of: request) { return failure(code) }
        switch state.withLock({ $0.faults.isEmpty ? nil : $0.faults.removeFirst() }) {
        case nil: return send(request.body)
        case .code(let code) where code.hasPrefix("number:"): return status(String(code.dropFirst(7)), "")
        case .code(let code): return failure(code)
        case .status(let status, let body): return EmulatorAnswer(status, [], body)
        case .late(let milliseconds):
            var answer = send(request.body)
            answer.delay = milliseconds
            return answer
        case .cut(let taken):
            if taken { _ = send(request.body) }
            return .cut
        }
    }

    private func send(_ body: [UInt8]) -> EmulatorAnswer {
        guard let object = try? JSONSerialization.jsonObject(with: Data(body)) as? [String: Any] else {
            return failure("InvalidParameter")
        }
        guard object["SmsSdkAppId"] as? String == appID else {
            return failure("UnauthorizedOperation.SmsSdkAppIdVerifyFail")
        }
        guard object["SignName"] as? String == signName else {
            return status("FailedOperation.SignatureIncorrectOrUnapproved", "")
        }
        guard let template = object["TemplateId"] as? String, let count = templates[template] else {
            return status("FailedOperation.TemplateIncorrectOrUnapproved", "")
        }
        guard let values = object["TemplateParamSet"] as? [String], values.count == count else {
            return status("InvalidParameterValue.TemplateParameterFormatError", "")
        }
        guard let numbers = object["PhoneNumberSet"] as? [String], numbers.count == 1,
            numbers[0].wholeMatch(of: #/\+[1-9][0-9]{7,14}/#) != nil
        else { return status("InvalidParameterValue.IncorrectPhoneNumber", "") }
        let number = state.withLock { state in
            let byPlace = Dictionary(uniqueKeysWithValues: values.enumerated().map { ("\($0)", $1) })
            state.messages.append(
                EmulatedSMS(
                    number: numbers[0], template: template, values: byPlace,
                    reference: object["SessionContext"] as? String ?? ""))
            return state.messages.count
        }
        return status("Ok", "serial-\(number)")
    }

    private func refusal(of request: EmulatorRequest) -> String? {
        guard request.method == "POST", request.path == "/", request.field("x-tc-action") == "SendSms",
            request.field("x-tc-version") == "2021-01-11", request.field("x-tc-region")?.isEmpty == false
        else { return "InvalidAction" }
        guard let time = request.field("x-tc-timestamp").flatMap({ Int64($0) }), abs(time - now() / 1000) <= 300 else {
            return "AuthFailure.SignatureExpire"
        }
        let pattern = #/TC3-HMAC-SHA256 Credential=([^/]+)/([^,]+), SignedHeaders=([^,]+), Signature=([0-9a-f]{64})/#
        guard let match = request.field("authorization")?.wholeMatch(of: pattern) else {
            return "AuthFailure.InvalidAuthorization"
        }
        guard String(match.1) == secretID else { return "AuthFailure.SecretIdNotFound" }
        let day = Date(timeIntervalSince1970: Double(time)).formatted(.iso8601).prefix(10)
        let signed = match.3.split(separator: ";").map(String.init)
        guard match.2 == "\(day)/sms/tc3_request", Set(["content-type", "host"]).isSubset(of: signed) else {
            return "AuthFailure.SignatureFailure"
        }
        guard signature(request, signed, time, String(match.2)) == match.4 else {
            return "AuthFailure.SignatureFailure"
        }
        return nil
    }

    private func signature(_ request: EmulatorRequest, _ signed: [String], _ time: Int64, _ scope: String) -> String {
        let lines = signed.map { name in
            let value = (request.field(name) ?? "").trimmingCharacters(in: .whitespaces)
            return "\(name):\(name == "x-tc-action" ? value.lowercased() : value)\n"
        }
        let canonical = [
            "POST", "/", "", lines.joined(), signed.joined(separator: ";"), Self.hex(SHA256.hash(data: request.body)),
        ].joined(separator: "\n")
        let text = "TC3-HMAC-SHA256\n\(time)\n\(scope)\n\(Self.hex(SHA256.hash(data: Data(canonical.utf8))))"
        var key = Data("TC3\(secretKey)".utf8)
        for part in scope.split(separator: "/") {
            key = Data(HMAC<SHA256>.authenticationCode(for: Data(part.utf8), using: SymmetricKey(data: key)))
        }
        return Self.hex(HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: SymmetricKey(data: key)))
    }

    private static func hex(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { String(format: "%02x", $0) }.joined()
    }

    private func failure(_ code: String) -> EmulatorAnswer {
        json(["Response": ["Error": ["Code": code, "Message": code], "RequestId": "r"]])
    }

    private func status(_ code: String, _ serial: String) -> EmulatorAnswer {
        json([
            "Response": [
                "SendStatusSet": [
                    ["SerialNo": serial, "PhoneNumber": "", "Fee": 1, "Code": code, "Message": code, "IsoCode": "CN"]
                ], "RequestId": "r",
            ]
        ])
    }

    private func json(_ body: [String: Any]) -> EmulatorAnswer {
        do { return try .json(200, body) } catch { return EmulatorAnswer(500, [], "\(error)") }
    }
}
