// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import CTheatrePlugin
internal import FoundationEssentials
internal import SwiftProtobuf
internal import TheatreContracts
internal import TheatrePlugin

/// Answers with the body it is sent, on a route with everything on and on one with everything off; on a third after it
/// had a password hashed that nobody has.
struct EchoGuarded: Plugin, HTTPHandlerContract {
    static var operations: [Operation<EchoGuarded>] { httpHandlerOperations }

    init(_ host: PluginHost, _ configuration: NoConfiguration) {}

    func handle(_ request: HTTPRequest, _ call: Call) async throws -> HTTPResponse {
        if request.path.hasPrefix("/hash/") { try await hash(call) }
        return HTTPResponse.with {
            $0.status = 200
            $0.contentType = "application/json"
            $0.body = request.body
        }
    }

    /// Of no address, so that nothing is read or written: the work of a hash, which is the same, and a call.
    private func hash(_ call: Call) async throws {
        do {
            _ = try await AuthProviderClient(call, feature: "echo.password").verify(.with { $0.secret = "nobody's" })
        } catch let error as PluginError where error.reason == "auth.refused" {}
    }
}

/// Makes an instance for the host.
@c(theatre_create_EchoGuarded)
public func createEchoGuarded(
    host: UnsafePointer<theatre_host>?, create: UnsafePointer<theatre_create>?,
    instance: UnsafeMutablePointer<UnsafeMutablePointer<theatre_instance>?>?,
    error: UnsafeMutablePointer<theatre_error>?
) -> Int32 {
    PluginEntry.create(EchoGuarded.self, host, create, instance, error)
}
