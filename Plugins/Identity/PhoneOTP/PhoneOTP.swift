// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Addresses
import OneTimeCodes
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// Sign-in by a code that is sent to a telephone.
struct PhoneOTP: Plugin, AuthProviderContract {
    static var operations: [Operation<PhoneOTP>] { authProviderOperations }

    private let configuration: PhoneOTPConfiguration
    private let codes: OneTimeCodes

    init(_ host: PluginHost, _ configuration: PhoneOTPConfiguration) throws {
        self.configuration = configuration
        codes = OneTimeCodes(
            host, configuration.codes, storage: "phoneotp.storage", channel: "phoneotp.channel", prefix: "tel")
    }

    func activate() async throws { try await codes.migrate() }

    func start(_ request: AuthStartRequest, _ call: Call) async throws -> AuthStartResponse {
        let number = try number(request.identifier)
        guard let country = configuration.priceClass(of: number) else { throw PhoneOTPError.unserved() }
        return try await codes.start(number.text, request, price: country.price, region: country.region, call)
    }

    func verify(_ request: AuthVerifyRequest, _ call: Call) async throws -> AuthVerifyResponse {
        let number = PhoneNumber(request.identifier, country: configuration.country)
        let proof = try await codes.verify(request, identifier: number?.text, call)
        return .with {
            $0.subject = proof.subject
            $0.claims = ["phone": proof.identifier, "phone_verified": "true"]
        }
    }

    func remove(_ request: AuthRemoveRequest, _ call: Call) async throws -> AuthRemoveResponse {
        try await codes.remove(request.subject, call)
        return AuthRemoveResponse()
    }

    private func number(_ text: String) throws -> PhoneNumber {
        guard let number = PhoneNumber(text, country: configuration.country) else { throw PhoneOTPError.identifier() }
        return number
    }
}
