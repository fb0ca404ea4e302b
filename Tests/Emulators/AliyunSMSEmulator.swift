// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Crypto
import Foundation
import Synchronization

/// SendSms of Alibaba Cloud: verifies ACS3-HMAC-SHA256 over whatever headers are named as signed, the time and the nonce,
/// then signature, template and number.
public final class AliyunSMSEmulator: Sendable {
    private struct State {
        var faults: [SMSFault] = []
        var messages: [EmulatedSMS] = []
        var nonces: Set<String> = []
        var requests = 0
    }

    private let accessKeyID: String
    private let secret: String
    private let signName: String
    private let templates: [String: Set<String>]
    private let now: @Sendable () -> Int64
    private let state = Mutex(State())

    /// An account.
    ///
    /// - Parameters:
    ///   - templates: names of the variables of each approved template.
    ///   - now: milliseconds since 1970.
    public init(
        accessKeyID: String, secret: String, signName: String, templates: [String: Set<String>],
        now: @escaping @Sendable () -> Int64
    ) {
        self.accessKeyID = accessKeyID
        self.secret = secret
        self.signName = signName
        self.templates = templates
        self.now = now
    }

    /// Queues faults, one for each verified request to come.
    public func script(_ faults: SMSFault...) { state.withLock { $0.faults += faults } }
    /// What was taken, in order.
    public var messages: [EmulatedSMS] { state.withLock { $0.messages } }
    /// How many requests came.
    public var requests: Int { state.withLock { $0.requests } }

    /// The answer to a request.
    public func respond(to request: EmulatorRequest) -> EmulatorAnswer {
        state.withLock { $0.requests += 1 }
        if let code = refusal(of: request) { return failure(code.0, code.1) }
        let parameters = FormFields(url: request.uri)
        switch state.withLock({ $0.faults.isEmpty ? nil : $0.faults.removeFirst() }) {
        case nil: return send(parameters)
        case .code(let code): return failure(200, code)
        case .status(let status, let body): return EmulatorAnswer(status, [], body)
        case .late(let milliseconds):
            var answer = send(parameters)
            answer.delay = milliseconds
            return answer
        case .cut(let taken):
            if taken { _ = send(parameters) }
            return .cut
        }
    }

    private func send(_ parameters: FormFields) -> EmulatorAnswer {
        guard parameters["SignName"] == signName else { return failure(200, "isv.SMS_SIGNATURE_ILLEGAL") }
        guard let names = templates[parameters["TemplateCode"]] else {
            return failure(200, "isv.SMS_TEMPLATE_ILLEGAL")
        }
        let object = try? JSONSerialization.jsonObject(with: Data(parameters["TemplateParam"].utf8))
        guard let values = object as? [String: String], Set(values.keys) == names else {
            return failure(200, "isv.TEMPLATE_MISSING_PARAMETERS")
        }
        let number = parameters["PhoneNumbers"]
        guard number.wholeMatch(of: #/1[3-9][0-9]{9}|[2-9][0-9]{7,14}/#) != nil else {
            return failure(200, "isv.MOBILE_NUMBER_ILLEGAL")
        }
        let count = state.withLock { state in
            state.messages.append(
                EmulatedSMS(
                    number: number, template: parameters["TemplateCode"], values: values,
                    reference: parameters["OutId"]))
            return state.messages.count
        }
        return json(200, ["Code": "OK", "Message": "OK", "BizId": "biz-\(count)", "RequestId": "r-\(count)"])
    }

    private func refusal(of request: EmulatorRequest) -> (Int, String)? {
        guard request.method == "POST", request.field("x-acs-action") == "SendSms",
            request.field("x-acs-version") == "2017-05-25"
        else { return (404, "InvalidAction.NotFound") }
        guard let time = request.field("x-acs-date"),
            let date = try? Date(time, strategy: .iso8601),
            abs(date.timeIntervalSince1970 - Double(now()) / 1000) <= 900
        else { return (400, "InvalidTimeStamp.Expired") }
        let payload = SHA256.hash(data: request.body).map { String(format: "%02x", $0) }.joined()
        guard request.field("x-acs-content-sha256") == payload else { return (400, "SignatureDoesNotMatch") }
        guard let nonce = request.field("x-acs-signature-nonce"), !nonce.isEmpty else {
            return (400, "MissingSecurityHeader")
        }
        let pattern = #/ACS3-HMAC-SHA256 Credential=([^,]+),SignedHeaders=([^,]+),Signature=([0-9a-f]{64})/#
        guard let match = request.field("authorization")?.wholeMatch(of: pattern) else {
            return (400, "IncompleteSignature")
        }
        guard String(match.1) == accessKeyID else { return (404, "InvalidAccessKeyId.NotFound") }
        let signed = match.2.split(separator: ";").map(String.init)
        // What names the call must be signed, whatever else is.
        let naming: Set = ["host", "x-acs-action", "x-acs-version", "x-acs-date", "x-acs-content-sha256"]
        guard naming.isSubset(of: signed), signed == signed.sorted() else { return (400, "IncompleteSignature") }
        guard signature(request, signed, payload) == match.3 else { return (400, "SignatureDoesNotMatch") }
        guard state.withLock({ $0.nonces.insert(nonce).inserted }) else { return (400, "SignatureNonceUsed") }
        return nil
    }

    private func signature(_ request: EmulatorRequest, _ signed: [String], _ payload: String) -> String {
        // The query is canonical as it is sent: sorted, and encoded by RFC 3986.
        let pairs = (request.uri.split(separator: "?").dropFirst().first ?? "").split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return parts.map { Self.escaped($0.removingPercentEncoding ?? "") }
        }
        let query = pairs.sorted { $0.lexicographicallyPrecedes($1) }.map { $0.joined(separator: "=") }
        let lines = signed.map { name in
            "\(name):\((request.field(name) ?? "").trimmingCharacters(in: .whitespaces))\n"
        }
        let canonical = [
            request.method, request.path, query.joined(separator: "&"), lines.joined(),
            signed.joined(separator: ";"), payload,
        ].joined(separator: "\n")
        let hash = SHA256.hash(data: Data(canonical.utf8)).map { String(format: "%02x", $0) }.joined()
        let code = HMAC<SHA256>.authenticationCode(
            for: Data("ACS3-HMAC-SHA256\n\(hash)".utf8), using: SymmetricKey(data: Data(secret.utf8)))
        return code.map { String(format: "%02x", $0) }.joined()
    }

    private static func escaped(_ text: String) -> String {
        var allowed = CharacterSet(charactersIn: "-._~")
        allowed.formUnion(CharacterSet(charactersIn: "a"..."z"))
        allowed.formUnion(CharacterSet(charactersIn: "A"..."Z"))
        allowed.formUnion(CharacterSet(charactersIn: "0"..."9"))
        return text.addingPercentEncoding(withAllowedCharacters: allowed) ?? ""
    }

    private func failure(_ status: Int, _ code: String) -> EmulatorAnswer {
        json(status, ["Code": code, "Message": code, "RequestId": "r-0"])
    }

    private func json(_ status: Int, _ body: [String: Any]) -> EmulatorAnswer {
        do { return try .json(status, body) } catch { return EmulatorAnswer(500, [], "\(error)") }
    }
}
