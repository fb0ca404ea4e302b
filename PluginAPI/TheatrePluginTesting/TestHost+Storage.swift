// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import SwiftProtobuf
internal import Synchronization
public import TheatreContracts
internal import TheatreManifest
internal import TheatrePlugin

extension TestHost {
    /// Installs storage for what is tested: the SQLite plugin that came with TheatreOS, the one that deployments run, on a
    /// database in memory that ends with the instance.
    ///
    /// It serves `theatre.sql.v1`, `theatre.events.v1.Log`, `theatre.jobs.v1.Queue` and `theatre.lease.v1`;
    /// ``runJobs(limit:)`` runs what was enqueued, ``publishedEvents(after:)`` tells what was published.
    ///
    /// - Parameters:
    ///   - name: the instance.
    ///   - features: are routed to it: `"notes.storage"`.
    /// - Throws: `PluginError` `test.no_library` where there is no installation.
    @discardableResult
    public func installMemoryStorage(_ name: String = "storage", for features: String...) async throws -> TestInstance {
        let instance = try await install(.installed("SQLite"), instance: name, configuration: #"{"path": ":memory:"}"#)
        for feature in features { route(feature, to: name) }
        return instance
    }

    /// The events that were published, in their order, from the installed instance that provides
    /// `theatre.events.v1.Log`; at most 1000.
    ///
    /// - Parameter offset: only those after it.
    public func publishedEvents(after offset: Int64 = 0) async throws -> [EventsEvent] {
        let log = try provider(of: "theatre.events.v1.Log", otherwise: "test.no_log")
        let scope = scope(HostContext.with { $0.principalKind = .system }, as: "host")
        let request = EventsReadRequest.with {
            $0.after = offset
            $0.limit = 1000
        }
        return try await EventsLogClient(scope, feature: "theatre.events.v1.Log@\(log)").read(request).events
    }

    /// The first by name of the installed instances that provide a capability.
    ///
    /// - Parameter reason: of the error where none does.
    func provider(of capability: String, otherwise reason: String) throws -> String {
        let providers = core.state.withLock { Array($0.slots.values) }.filter { slot in
            slot.manifest?.provides.contains { $0.capability == capability } == true
        }
        guard let first = providers.map(\.name).min() else {
            throw PluginError(.unavailable, reason, "No installed instance provides \(capability); install one.")
        }
        return first
    }
}
