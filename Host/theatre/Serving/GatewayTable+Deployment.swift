// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Gateway
import Logging
import NIOCore
import Registry
import Runtime
import TheatreManifest
import Transcoding

extension GatewayTable {
    /// Every route of every enabled instance. Those of an instance that does not serve answer 503 with the reason.
    ///
    /// - Throws: `DeploymentFaults` with every route whose messages its contracts lack, or the first whose path is none.
    static func make(
        _ deployment: CompiledDeployment, calls: any CallStarting, log: Logger
    ) throws(DeploymentFaults) -> GatewayTable {
        var codecs: [String: TranscodingCodec] = [:]
        var entries: [RouteEntry] = []
        var sources: [Source] = []
        var faults: [Fault] = []
        for instance in deployment.table.instances {
            guard let file = deployment.files[instance.declaration.plugin] else { continue }
            let name = instance.declaration.name
            for route in file.manifest.routes {
                do throws(CatalogError) {
                    let body = try body(of: route, deployment, &codecs)
                    entries.append(
                        RouteEntry(
                            route: route, instance: name, body: body,
                            target: { () throws(CallError) in
                                try calls.target(instance: name, operation: route.operation)
                            }))
                    sources.append(instance.declaration.source)
                } catch {
                    faults.append(
                        .route(
                            "\(route.method) \(route.path)", name,
                            error.message.hasSuffix(".") ? String(error.message.dropLast()) : error.message,
                            instance.declaration.source))
                }
            }
        }
        guard faults.isEmpty else { throw DeploymentFaults(faults) }
        let policy = deployment.instance(providing: "theatre.access.v1.Policy")
        let keys = deployment.instance(providing: "theatre.accounts.v1.Keys")
        let served = entries.map { OpenAPIRoute($0.route, instance: $0.instance) }
        do throws(RouteRefusal) {
            return try GatewayTable(entries, policy: policy, keys: keys) {
                OpenAPIBytes.make(served, deployment, log: log)
            }
        } catch {
            let entry = entries[error.index]
            throw DeploymentFaults([.route(entry.key, entry.instance, error.message, sources[error.index])])
        }
    }

    private static func body(
        of route: Manifest.Route, _ deployment: CompiledDeployment, _ codecs: inout [String: TranscodingCodec]
    ) throws(CatalogError) -> RouteBody {
        guard route.body == "json" else {
            return route.operation == "theatre.http.v1.Handler/HandleStream" ? .rawStream : .raw
        }
        let key = "\(route.request) \(route.response)"
        if let known = codecs[key] { return .message(known) }
        let codec = TranscodingCodec(
            request: try deployment.catalog.transcoder(for: route.request),
            response: try deployment.catalog.transcoder(for: route.response))
        codecs[key] = codec
        return .message(codec)
    }
}

/// JSON at the edge, the operation's messages inside.
struct TranscodingCodec: RouteCodec {
    let request: MessageTranscoder
    let response: MessageTranscoder

    func request(body: ByteBuffer, path: [RouteParameter], query: [RouteParameter]) throws(CallError) -> [UInt8] {
        do throws(TranscodingError) {
            return try request.encode(
                Array(body.readableBytesView), path: path.map { ($0.name, $0.value) },
                query: query.map { ($0.name, $0.value) })
        } catch {
            throw CallError(.invalidArgument, error.code, "\(error).", detail: error.pointer)
        }
    }

    func takes(_ field: String) -> Bool { request.hasField(field) }

    var takesSecrets: Bool { request.hasSecrets }

    func response(_ payload: UnsafeRawBufferPointer) throws -> ByteBuffer {
        ByteBuffer(bytes: try response.decode(payload.bindMemory(to: UInt8.self)))
    }
}

extension Fault {
    /// A route that cannot be served.
    fileprivate static func route(_ key: String, _ instance: String, _ why: String, _ source: Source) -> Fault {
        Fault(
            .httpRouteInvalid, at: source, "\(key) of instance \"\(instance)\" cannot be served: \(why).",
            fix: "Correct the route in the plugin's manifest and build it again.")
    }
}

extension CompiledDeployment {
    /// Name of the first instance that provides a capability.
    fileprivate func instance(providing capability: String) -> String? {
        table.instances.first { instance in
            files[instance.declaration.plugin]?.manifest.provides.contains { $0.capability == capability } == true
        }?.declaration.name
    }
}
