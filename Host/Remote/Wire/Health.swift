// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import GRPCCore

/// grpc.health.v1: whether a server serves.
enum Health {
    static let check = method("grpc.health.v1.Health", "Check")
    static let watch = method("grpc.health.v1.Health", "Watch")

    /// As the protocol numbers them.
    enum Serving: UInt64, Sendable {
        case unknown = 0
        case serving = 1
        case notServing = 2
        case serviceUnknown = 3
    }

    /// HealthCheckRequest {service = 1}.
    static func request(_ service: String) -> [UInt8] { service.isEmpty ? [] : ProtoWriter.text(1, service) }

    /// The service that is asked for.
    static func service(in request: [UInt8]) -> String {
        for field in ProtoReader(request) where field.number == 1 {
            return String(decoding: field.bytes, as: UTF8.self)
        }
        return ""
    }

    /// HealthCheckResponse {status = 1}.
    static func response(_ serving: Serving) -> [UInt8] { ProtoWriter.number(1, serving.rawValue) }

    /// What a response says.
    static func serving(in response: [UInt8]) -> Serving {
        for field in ProtoReader(response) where field.number == 1 { return Serving(rawValue: field.value) ?? .unknown }
        return .unknown
    }
}

/// `theatre.payment.v1.Provider`, `CreatePayment`.
func method(_ service: String, _ name: String) -> MethodDescriptor {
    MethodDescriptor(fullyQualifiedService: service, method: name)
}

/// The life of an instance at its server.
let sessionMethod = method("theatre.remote.v1.Session", "Open")
