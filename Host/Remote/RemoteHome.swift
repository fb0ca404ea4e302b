// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import Runtime
internal import SwiftProtobuf
internal import Synchronization
internal import TheatreContracts
internal import TheatreManifest

/// One generation of an instance at its server.
final class RemoteHome: InstanceHome {
    private let link: RemoteLink
    private let seat: RemoteSeat

    init(_ link: RemoteLink) {
        self.link = link
        seat = RemoteSeat(link)
    }

    func create(
        _ host: UnsafePointer<theatre_host>, _ arguments: UnsafePointer<theatre_create>,
        _ instance: UnsafeMutablePointer<UnsafeMutablePointer<theatre_instance>?>,
        _ error: UnsafeMutablePointer<theatre_error>
    ) -> theatre_code {
        let plan = link.plan
        let session = link.begin(HostTable(host))
        let create = RemoteCreate.with {
            $0.session = link.number
            $0.instance = plan.name
            $0.generation = arguments.pointee.generation
            $0.plugin = plan.file.manifest.name
            $0.version = plan.file.manifest.version
            $0.manifestSha256 = .init(plan.file.manifestDigest)
            $0.configuration = .init(arguments.pointee.configuration.array)
            $0.environment = .init(arguments.pointee.environment.array)
        }
        let outcome = session.take(.create, .with { $0.create = create }, seconds: plan.controlSeconds)
        if case .ended(.unsupported) = outcome {
            if let refusal = Self.needsSession(plan) { return seat.fail(refusal, error) }
            link.settle(hasSession: false)
        } else {
            if let failure = seat.failure(outcome) { return seat.fail(failure, error) }
            link.settle(hasSession: true)
        }
        instance.pointee = seat.table
        return THEATRE_OK
    }

    /// What a server without sessions cannot give.
    private static func needsSession(_ plan: InstancePlan) -> CallError? {
        let what: String
        if !plan.calls.isEmpty {
            what = "\(plan.file.manifest.name) makes calls to the host"
        } else if plan.isConfigured {
            what = "plugins.d configures \(plan.name)"
        } else {
            return nil
        }
        return CallError(
            .failedPrecondition, "remote.no_session",
            "\(what), and its server does not serve theatre.remote.v1.Session.")
    }

    func end() { link.stop() }

    func abort() { link.lost("it lets calls run over their deadlines") }

    var facts: [String: String] { link.facts }

    var refusal: CallError? { link.refusalNow }
}
