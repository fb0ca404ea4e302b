// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Addresses
import OneTimeCodes
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// Sign-in by a code that is sent to an e-mail address.
struct EmailOTP: Plugin, AuthProviderContract {
    static var operations: [Operation<EmailOTP>] { authProviderOperations }

    private let configuration: EmailOTPConfiguration
    private let codes: OneTimeCodes

    init(_ host: PluginHost, _ configuration: EmailOTPConfiguration) throws {
        self.configuration = configuration
        codes = OneTimeCodes(
            host, configuration.codes, storage: "emailotp.storage", channel: "emailotp.channel", prefix: "eml")
    }

    func activate() async throws { try await codes.migrate() }

    func start(_ request: AuthStartRequest, _ call: Call) async throws -> AuthStartResponse {
        guard let address = EmailAddress(request.identifier) else { throw EmailOTPError.identifier() }
        let price = PriceClass(name: address.domain, price: 1, perHour: configuration.perHour)
        return try await codes.start(address.text, request, price: price, call)
    }

    func verify(_ request: AuthVerifyRequest, _ call: Call) async throws -> AuthVerifyResponse {
        let address = EmailAddress(request.identifier)
        let proof = try await codes.verify(request, identifier: address?.text, call)
        return .with {
            $0.subject = proof.subject
            $0.claims = ["email": proof.identifier, "email_verified": "true"]
        }
    }

    func remove(_ request: AuthRemoveRequest, _ call: Call) async throws -> AuthRemoveResponse {
        try await codes.remove(request.subject, call)
        return AuthRemoveResponse()
    }
}
