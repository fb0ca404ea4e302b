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
    static func make(_ deployment: CompiledDeployment, calls: any CallStarting, log: Logger) throws -> GatewayTable {
        var codecs: [String: TranscodingCodec] = [:]
        var entries: [RouteEntry] = []
        for instance in deployment.table.instances {
            guard let file = deployment.files[instance.declaration.plugin] else { continue }
            let name = instance.declaration.name
            for route in file.manifest.routes {
                entries.append(
                    RouteEntry(
                        route: route, instance: name, body: try body(of: route, deployment, &codecs),
                        target: { () throws(CallError) in try calls.target(instance: name, operation: route.operation) }
                    ))
            }
        }
        let served = entries.map { OpenAPIRoute($0.route, instance: $0.instance) }
        return try GatewayTable(entries) { OpenAPIBytes.make(served, deployment, log: log) }
    }

    private static func body(
        of route: Manifest.Route, _ deployment: CompiledDeployment, _ codecs: inout [String: TranscodingCodec]
    ) throws -> RouteBody {
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

    func response(_ payload: UnsafeRawBufferPointer) throws -> ByteBuffer {
        ByteBuffer(bytes: try response.decode(payload.bindMemory(to: UInt8.self)))
    }
}
