// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Runtime
import SwiftProtobuf
import Synchronization
import TheatreContracts

/// `theatre.host.v1.Plugins`: what an operator does, asked for by an instance that has the grant `operate`.
final class PluginsService: HostService {
    let contract = "theatre.host.v1.Plugins"
    /// Set once the host is wired.
    let operations = Mutex<PluginOperations?>(nil)

    func serve(_ operation: String, _ call: any HostCall) {
        do throws(CallError) {
            guard call.instance.grants.operates else {
                throw CallError(
                    .permissionDenied, "plugins.not_granted",
                    "Instance \(call.instance.instance) may not operate this host; grant it `operate: true` in plugins.d."
                )
            }
            guard let operations = operations.withLock({ $0 }) else {
                throw CallError(.unavailable, "plugins.not_ready", "The host is still starting.", retry: .safe)
            }
            operations.perform(try Self.request(operation, call.payload)) { result in
                do throws(CallError) { call.complete(try Self.bytes(try result.get())) } catch { call.fail(error) }
            }
        } catch {
            call.fail(error)
        }
    }

    private static func request(_ operation: String, _ payload: [UInt8]) throws(CallError) -> PluginRequest {
        do {
            switch operation {
            case "List": return .list
            case "Show": return .show(try HostShowInstanceRequest(serializedBytes: payload).instance)
            case "Swap":
                let request = try HostSwapRequest(serializedBytes: payload)
                let library = request.library.isEmpty ? nil : NamedLibrary.installed(request.library)
                return .swap(request.instance, library: library, fresh: request.fresh)
            case "Logs":
                let request = try HostInstanceLogsRequest(serializedBytes: payload)
                return .logs(request.instance, limit: Int(request.limit))
            default: break
            }
            let request = try HostOperateRequest(serializedBytes: payload)
            switch operation {
            case "Enable": return .enable(request.instance)
            case "Disable": return .disable(request.instance, reason: request.reason)
            case "Quarantine": return .quarantine(request.instance, reason: request.reason)
            case "Release": return .release(request.instance)
            case "Rollback": return .rollback(request.instance)
            default: break
            }
        } catch {
            throw CallError(
                .invalidArgument, "host.bad_request",
                "The request does not decode; build against this host's contracts.")
        }
        throw CallError(.unimplemented, "host.no_operation", "theatre.host.v1.Plugins has no operation \(operation).")
    }

    private static func bytes(_ answer: PluginAnswer) throws(CallError) -> [UInt8] {
        let message: any Message
        switch answer {
        case .instances(let instances): message = HostInstances.with { $0.instances = instances }
        case .instance(let instance): message = instance
        case .swapped(let swapped): message = swapped
        case .logs(let lines): message = HostInstanceLogs.with { $0.lines = lines }
        }
        do { return try message.serializedBytes() } catch {
            throw CallError(.internal, "host.encoding", "The host could not encode a message: \(error).")
        }
    }
}
