// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import FoundationEssentials
public import SwiftProtobuf
internal import Synchronization
public import TheatreContracts
internal import TheatreManifest
public import TheatrePlugin

/// A small host for unit tests, over the same C tables as the real one, in one process, with a clock of its own.
///
/// Instances are wired by feature: ``route(_:to:capability:)``. Whatever is not there is served by closures.
public final class TestHost: Sendable {
    let core = TestCore()
    private let control = PluginExecutor(name: "test-control", limit: 1)
    private let fakes = PluginExecutor(name: "test-fakes", limit: 2)
    private let environment: HostEnvironment
    /// Who a test's own calls come from, by name.
    private let clients = Mutex<[String: TestClient]>([:])

    /// A host at 2025-06-15, with nothing installed.
    public init(
        environment: HostEnvironment = .with {
            $0.publicURL = "http://127.0.0.1:8080"; $0.development = true
        }
    ) {
        self.environment = environment
    }

    // MARK: Instances

    /// Creates, activates and self-tests an instance. The configuration gets the defaults of the manifest's schema.
    ///
    /// - Throws: `PluginError` of whichever step fails, `ManifestError` for the manifest.
    @discardableResult
    public func install<P: Plugin>(
        _ type: P.Type, manifest source: ManifestSource, instance name: String, configuration: String = "{}",
        generation: UInt32 = 1
    ) async throws -> TestInstance {
        try await install(Array(source.read()), name, configuration, generation) { host, create, instance, error in
            PluginEntry.create(type, host, create, instance, error)
        }
    }

    /// As ``install(_:manifest:instance:configuration:generation:)`` for a plugin that is built, such as one that came
    /// with TheatreOS: `host.install(.installed("Ledger"), instance: "ledger")`.
    ///
    /// - Throws: besides, `test.no_library` and `test.library`.
    @discardableResult
    public func install(
        _ library: LibrarySource, instance name: String, configuration: String = "{}", generation: UInt32 = 1
    ) async throws -> TestInstance {
        let table = try library.load().pointee
        guard let create = table.create else { preconditionFailure("A loaded library's table is complete.") }
        return try await install(table.manifest.copy, name, configuration, generation) {
            create($0, $1, $2, $3)
        }
    }

    /// The C function that makes an instance.
    private typealias Create =
        @Sendable (
            UnsafePointer<theatre_host>?, UnsafePointer<theatre_create>?,
            UnsafeMutablePointer<UnsafeMutablePointer<theatre_instance>?>?, UnsafeMutablePointer<theatre_error>?
        ) -> theatre_code

    private func install(
        _ bytes: [UInt8], _ name: String, _ configuration: String, _ generation: UInt32, _ make: @escaping Create
    ) async throws -> TestInstance {
        let manifest = try Manifest(json: Data(bytes))
        let configuration = try ConfigurationDefaults.fill(
            JSONValue(json: Data(configuration.utf8)), manifest.configuration
        ).json()
        let slot = TestSlot(name, core, manifest: manifest)
        let environment = try environment.wireBytes()
        let instance = TestInstance(slot: slot, control: control)
        try await instance.run { error in
            name.withBytes { name in
                bytes.withUnsafeBytes { manifest in
                    configuration.withUnsafeBytes { configuration in
                        environment.withUnsafeBytes { environment in
                            var create = theatre_create.sized
                            create.generation = generation
                            create.instance = name
                            create.manifest = theatre_bytes(manifest)
                            create.configuration = theatre_bytes(configuration)
                            create.environment = theatre_bytes(environment)
                            return make(slot.hostTable, &create, &slot.table, &error)
                        }
                    }
                }
            }
        }
        try await instance.activate()
        core.state.withLock { $0.slots[name] = slot }
        try await instance.selfTest()
        return instance
    }

    /// Sends the calls of a feature to an instance. Callers with a manifest say the capability in their `needs`; a
    /// test's own calls need it only where two capabilities have an operation of the same name.
    public func route(_ feature: String, to instance: String, capability: String? = nil) {
        core.state.withLock { $0.routes[feature] = .init(instance: instance, capability: capability) }
    }

    // MARK: Fakes

    /// Serves one operation by a closure: `"theatre.host.v1.Egress/Fetch"` or `"feature/Operation"`.
    public func serve<Request: Message, Response: Message>(
        _ name: String, _ body: @escaping @Sendable (Request, Call) async throws -> Response
    ) {
        fake(name, Operation<NoProvider>.unary(name) { _, request, call in try await body(request, call) })
    }

    /// Serves one operation that streams its responses.
    public func serveStreaming<Request: Message, Response: Message>(
        _ name: String, _ body: @escaping @Sendable (Request, Call, MessageSink<Response>) async throws -> Void
    ) {
        fake(
            name,
            Operation<NoProvider>.serverStreaming(name) { _, request, call, output in
                try await body(request, call, output)
            })
    }

    /// Serves one operation with a stream each way.
    public func serveBidirectional<Request: Message, Response: Message>(
        _ name: String,
        _ body: @escaping @Sendable (MessageStream<Request>, Call, MessageSink<Response>) async throws -> Void
    ) {
        fake(
            name,
            Operation<NoProvider>.bidirectional(name) { _, input, call, output in try await body(input, call, output) })
    }

    /// Serves an operation of a feature: `host.fake("orders.ledger", "Hold") { (r: LedgerHoldRequest, call) in … }`.
    public func fake<Request: Message, Response: Message>(
        _ feature: String, _ operation: String,
        _ body: @escaping @Sendable (Request, Call) async throws -> Response
    ) {
        serve("\(feature)/\(operation)", body)
    }

    private func fake(_ name: String, _ operation: Operation<NoProvider>) {
        let core = core
        let slot = TestSlot("fake:\(name)", core, manifest: nil)
        let instance = PluginInstance(
            testing: slot.hostTable, name: slot.name, executor: fakes, handlers: [operation.bind(NoProvider())],
            resolve: { core.intern($0) })
        slot.table = instance.map(InstanceTable.allocate)
        core.state.withLock { $0.fakes[name] = slot }
    }

    // MARK: Calls of the test's own

    /// Calls as a person: `LedgerClient(host.scope(principal: "usr_1"), feature: "ledger")`.
    ///
    /// - Parameters:
    ///   - instance: the instance the calls come from: whose tables, queues and leases they touch.
    ///   - timeout: deadline of everything called with the scope, on the host's clock.
    public func scope(
        as instance: String = "test", principal: String = "", tenant: String = "default", timeout: Duration? = nil,
        context edit: (inout HostContext) -> Void = { _ in }
    ) -> TestScope {
        var context = HostContext()
        context.tenant = tenant
        context.principal = principal
        context.principalKind = principal.isEmpty ? .unspecified : principal.hasPrefix("svc:") ? .service : .user
        edit(&context)
        return scope(context, as: instance, timeout: timeout)
    }

    /// Calls with a context of the test's own.
    public func scope(_ context: HostContext, as instance: String = "test", timeout: Duration? = nil) -> TestScope {
        let client = client(instance)
        let deadline = timeout.map { core.now(THEATRE_CLOCK_MONOTONIC) + $0.nanoseconds } ?? 0
        return TestScope(
            origin: CallOrigin(
                connection: client.connection, onBehalfOf: core.root(client.slot, context, deadline: deadline)))
    }

    private func client(_ name: String) -> TestClient {
        clients.withLock { clients in
            if let client = clients[name] { return client }
            let client = TestClient(name, core, fakes)
            clients[name] = client
            return client
        }
    }

    /// Hands an event to an instance's `theatre.events.v1.Consumer/Deliver`, as the host does: as the system, with
    /// the event's tenant.
    public func deliver(_ event: EventsEvent, to instance: String, attempt: UInt32 = 1) async throws {
        let client = EventsConsumerClient(
            scope(system(event.tenant)), feature: "theatre.events.v1.Consumer@\(instance)")
        _ = try await client.deliver(
            .with {
                $0.event = event
                $0.attempt = attempt
            })
    }

    /// Fires a timer of an instance: `theatre.host.v1.Target/Fire`.
    public func fire(
        timer name: String, payload: [UInt8] = [], on instance: String, tenant: String = "", attempt: UInt32 = 1
    ) async throws {
        let caller = Caller(scope(system(tenant)), feature: "theatre.host.v1.Target@\(instance)")
        let request = HostFireRequest.with {
            $0.name = name
            $0.at = now
            $0.payload = Data(payload)
            $0.attempt = attempt
        }
        let _: HostFireResponse = try await caller.unary("Fire", request, CallOptions())
    }

    private func system(_ tenant: String) -> HostContext {
        .with {
            $0.tenant = tenant
            $0.principalKind = .system
        }
    }

    // MARK: The clock, and what was seen

    /// Milliseconds since 1970.
    public var now: Int64 { Int64(clamping: core.now(THEATRE_CLOCK_WALL) / 1_000_000) }

    /// Moves the clock and ends the calls whose deadline it passes.
    public func advance(milliseconds: UInt64) { core.advance(nanoseconds: milliseconds * 1_000_000) }

    /// What plugins logged, in order.
    public var logs: [LogLine] { core.state.withLock { $0.logs } }

    /// What broke the rules of the interface, such as a call completed twice. Empty in a sound test.
    public var violations: [String] { core.state.withLock { $0.violations } }

    /// Calls under way.
    public var callsUnderWay: Int { core.state.withLock { $0.calls.values.count { $0.callee != nil } } }
}

/// Where calls of a test's own come from.
private struct TestClient: Sendable {
    let slot: TestSlot
    let connection: HostConnection

    init(_ name: String, _ core: TestCore, _ executor: PluginExecutor) {
        slot = TestSlot(name, core, manifest: nil)
        let instance = PluginInstance(
            testing: slot.hostTable, name: name, executor: executor, handlers: [], resolve: { core.intern($0) })
        guard let instance else { preconditionFailure("The test host's own table is complete.") }
        slot.table = InstanceTable.allocate(instance)
        connection = instance.connection
    }
}

/// What fakes are handlers of.
private struct NoProvider: Sendable {}

extension String {
    fileprivate func withBytes<R>(_ body: (theatre_bytes) throws -> R) rethrows -> R {
        var text = self
        return try text.withUTF8 { try body(theatre_bytes(UnsafeRawBufferPointer($0))) }
    }
}
