// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import CTheatrePlugin
internal import FoundationEssentials
internal import SwiftProtobuf
internal import TheatreContracts
internal import TheatrePlugin

/// Answers with the body it is sent, on a route with everything on and on one with everything off.
struct EchoGuarded: Plugin, HTTPHandlerContract {
    static var operations: [Operation<EchoGuarded>] { httpHandlerOperations }

    init(_ host: PluginHost, _ configuration: NoConfiguration) {}

    func handle(_ request: HTTPRequest, _ call: Call) async throws -> HTTPResponse {
        HTTPResponse.with {
            $0.status = 200
            $0.contentType = "application/json"
            $0.body = request.body
        }
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
