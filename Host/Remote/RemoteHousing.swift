// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix
public import Logging
internal import Registry
public import Runtime
internal import TheatreManifest

/// Finds instances at servers elsewhere, which speak their contracts over gRPC.
public final class RemoteHousing: InstanceHousing {
    private let logger: Logger

    /// - Parameter logger: where connections are noted.
    public init(logger: Logger) { self.logger = logger }

    /// A connection to the instance's server, which was found to serve what the manifest says.
    ///
    /// - Throws: `remote.away` where nobody answers, `remote.not_provided`, `remote.no_file`, `remote.key_readable`,
    ///   `remote.bad_credentials`, `remote.no_endpoint`.
    public func home(
        for plan: InstancePlan, ended: @escaping @Sendable (InstanceEnd) -> Void
    ) throws(LoadError) -> any InstanceHome {
        guard let remote = plan.remote else {
            throw LoadError(
                plugin: plan.name, code: "remote.no_endpoint", expected: "an endpoint", found: "none",
                fix: "state it under remote in the instance's file")
        }
        let link = RemoteLink(plan, remote, try Self.transport(plan, remote), ended: ended)
        do throws(LoadError) {
            try Self.check(link)
        } catch {
            link.stop()
            throw error
        }
        logger.debug(
            "a server was reached", metadata: ["instance": "\(plan.name)", "endpoint": "\(remote.endpoint)"])
        return RemoteHome(link)
    }

    private static func transport(
        _ plan: InstancePlan, _ remote: InstanceDeclaration.Remote
    ) throws(LoadError) -> HTTP2ClientTransport.Posix {
        let security = try Credentials.client(remote.tls, plan.name)
        var config = HTTP2ClientTransport.Posix.Config.defaults
        config.http2.authority = remote.tls?.serverName ?? (remote.endpoint.name == nil ? "localhost" : nil)
        config.http2.targetWindowSize = Int(THEATRE_STREAM_CREDIT) * 4
        config.backoff.initial = .milliseconds(100)
        config.backoff.max = .seconds(5)
        config.connection.flushCoalescing = nil
        do {
            switch remote.endpoint {
            case .unix(let path):
                return try .init(target: .unixDomainSocket(path: path), transportSecurity: security, config: config)
            case .network(let host, let port) where host.hasPrefix("["):
                return try .init(
                    target: .ipv6(address: String(host.dropFirst().dropLast()), port: port),
                    transportSecurity: security, config: config)
            case .network(let host, let port) where remote.endpoint.name == nil:
                return try .init(
                    target: .ipv4(address: host, port: port), transportSecurity: security, config: config)
            case .network(let host, let port):
                return try .init(target: .dns(host: host, port: port), transportSecurity: security, config: config)
            }
        } catch {
            throw LoadError(
                plugin: plan.name, code: "remote.bad_credentials", expected: "certificates and a key in PEM",
                found: Reach.words(error), fix: "correct the files under remote.tls")
        }
    }

    /// The server answers, and it has each contract the manifest says, where it can be asked.
    private static func check(_ link: RemoteLink) throws(LoadError) {
        var services = [""]
        services += link.plan.file.manifest.provides.map(\.capability)
        for service in services {
            let found =
                Bridge.wait(seconds: link.remote.connectSeconds + 1) { await link.look(at: service) }
                ?? .late
            switch found {
            case .serving: continue
            case .silent: return
            case .unknownService where service.isEmpty: continue
            case .unknownService:
                throw LoadError(
                    plugin: link.plan.name, code: "remote.not_provided", expected: "a server that has \(service)",
                    found: "one that does not know it", fix: "start the right server at \(link.remote.endpoint)")
            case .notServing: throw away(link, "it says that it does not serve")
            case .late: throw away(link, "no answer within \(link.remote.connectSeconds) s")
            case .away(let cause): throw away(link, cause)
            }
        }
    }

    private static func away(_ link: RemoteLink, _ cause: String) -> LoadError {
        LoadError(
            plugin: link.plan.name, code: LoadError.away, expected: "a server that answers at \(link.remote.endpoint)",
            found: cause, fix: "start it, or correct its endpoint; the host tries it again by itself")
    }
}
