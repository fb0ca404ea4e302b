// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import FoundationEssentials
internal import JSONSchema
internal import Runtime
internal import SwiftProtobuf
internal import TheatreContracts
internal import TheatreManifest
internal import Transcoding

/// One instance of the library under test, in a recording host, with its life in the check's hands.
final class Trial {
    let subject: Subject
    let library: LibraryHome
    let host: RecordingHost
    let name: String
    /// What the last control call said, where it failed.
    private(set) var error = RecordingHost.Completion()
    private var createLender: Lender
    private(set) var isCreated = false
    private var isActivated = false
    /// The process it lives in, or the server, where it has one of its own.
    private var home: (any InstanceHome)?

    init(_ subject: Subject, _ library: LibraryHome, host: RecordingHost, name: String = "validated") {
        self.subject = subject
        self.library = library
        self.host = host
        self.name = name
        createLender = Lender(host.shape, revokes: host.revokes)
    }

    /// An instance with its own host.
    convenience init(
        _ subject: Subject, _ library: LibraryHome, name: String = "validated", shape: Shape = .plain,
        revokes: Bool = false, base: theatre_id = 0x1_0000, upstream: @escaping Upstream = Upstreams.empty
    ) {
        let host = RecordingHost(subject, shape: shape, revokes: revokes, base: base)
        host.monitor.withLock { $0.upstream = upstream }
        self.init(subject, library, host: host, name: name)
    }

    // MARK: Life

    /// LOADED to CONFIGURED.
    func create(_ configuration: JSONValue? = nil, generation: UInt32 = 1) throws -> theatre_code {
        let folder = try subject.folder(of: name)
        var lender = Lender(host.shape, revokes: host.revokes)
        var create = theatre_create()
        create.generation = generation
        create.instance = lender.bytes(Array(name.utf8))
        create.configuration = lender.bytes([UInt8](try (configuration ?? subject.configuration).json()))
        create.environment = lender.bytes(try environment(folder))
        create.manifest = lender.bytes(subject.file.manifestBytes)
        let lent = lender.structure(create)
        var instance: UnsafeMutablePointer<theatre_instance>?
        let code: theatre_code
        switch library {
        case .loaded(let library):
            code = control { error in library.table.pointee.create(host.table, lent, &instance, error) }
        case .isolated:
            code = begin(
                in: try LibraryHome.process(for: subject, name: name, folder: folder), lent, &instance)
        case .served(let server):
            code = begin(
                in: try LibraryHome.connection(to: server, for: subject, name: name, folder: folder), lent, &instance)
        }
        lender.giveBack()
        if code != THEATRE_OK { end(home) }
        try check(code, instance)
        host.instance = instance
        isCreated = instance != nil
        return code
    }

    private func begin(
        in made: any InstanceHome, _ arguments: UnsafePointer<theatre_create>,
        _ instance: inout UnsafeMutablePointer<theatre_instance>?
    ) -> theatre_code {
        home = made
        return control { error in made.create(host.table, arguments, &instance, error) }
    }

    private func environment(_ folder: String) throws -> [UInt8] {
        var environment = HostEnvironment()
        environment.publicURL = "http://127.0.0.1:8080"
        environment.hostVersion = "0.0.0"
        environment.development = true
        if subject.manifest.grants.stateFolder { environment.stateFolder = folder }
        var bytes: [UInt8] = try environment.serializedBytes()
        // A field that no revision knows: number 900, a varint.
        if host.shape == .longer { bytes += [0xA0, 0x38, 0x01] }
        return bytes
    }

    private func check(_ code: theatre_code, _ instance: UnsafeMutablePointer<theatre_instance>?) throws {
        guard code == THEATRE_OK else {
            if instance != nil {
                host.violation("validator.create_leaves", "create failed and left an instance.")
            }
            return
        }
        guard let table = instance.map({ theatre_instance(copying: $0) }) else {
            throw Finding("validator.create_null", "create returned OK and no instance.")
        }
        guard table.struct_size >= THEATRE_INSTANCE_SIZE_0, table.activate != nil,
            table.invoke != nil, table.reply != nil, table.deactivate != nil, table.destroy != nil
        else {
            throw Finding(
                "validator.instance_table",
                "The instance's table is shorter than it must be or lacks activate, invoke, reply, deactivate or destroy."
            )
        }
        let streams = subject.operations.contains { $0.description.isClientStreaming }
        if streams, table.send == nil {
            throw Finding("validator.instance_table", "An operation takes a stream and the table has no send.")
        }
    }

    /// CONFIGURED to READY.
    func activate() -> theatre_code {
        guard let instance = host.instance, let activate = instance.pointee.activate else { return THEATRE_INTERNAL }
        let code = control { activate(instance.pointee.`self`, $0) }
        isActivated = code == THEATRE_OK
        return code
    }

    func selfTest() -> theatre_code {
        guard let instance = host.instance, let test = instance.pointee.self_test else { return THEATRE_OK }
        return control { test(instance.pointee.`self`, $0) }
    }

    /// READY to DRAINING. From then on the instance uses the host for what is under way alone.
    func deactivate() {
        guard let instance = host.instance else { return }
        var isBusy = host.monitor.withLock { $0.hasUnderWay }
        if !isBusy {
            // An answer that is being handed over may lead to something more.
            host.responder.settle(milliseconds: 5000)
            isBusy = host.monitor.withLock { $0.hasUnderWay }
        }
        instance.pointee.deactivate?(instance.pointee.`self`)
        host.monitor.withLock { $0.isStill = isActivated && !isBusy && !$0.hasUnderWay }
    }

    /// Ends what is under way and frees the instance.
    func destroy() {
        guard let instance = host.instance else { return }
        host.monitor.withLock { $0.isStill = false }
        settle()
        instance.pointee.destroy?(instance.pointee.`self`)
        end(home)
        host.instance = nil
        host.monitor.withLock { $0.isDestroyed = true }
        host.responder.end()
    }

    private func end(_ process: (any InstanceHome)?) {
        process?.end()
        home = nil
    }

    /// Answers what the plugin asked for and nobody answered.
    func settle() {
        let open = host.monitor.withLock { $0.made.values.filter { !$0.isAnswered }.map(\.id) }
        for id in open { Responding(host).fail(id, THEATRE_CANCELLED, "call.cancelled", THEATRE_EFFECT_UNKNOWN) }
        host.responder.settle(milliseconds: 5000)
    }

    private func control(_ body: (UnsafeMutablePointer<theatre_error>) -> theatre_code) -> theatre_code {
        var lender = Lender(host.shape)
        let lent = lender.structure(theatre_error())
        let code = body(lent)
        error = RecordingHost.Completion()
        if code != THEATRE_OK {
            let value = lent.pointee
            error = RecordingHost.Completion(
                code: value.code, effect: value.effect, retry: value.retry, reason: value.reason.text,
                message: value.message.text, detail: value.detail.text, hasError: true)
            if value.code != code || !CompletionReader.isReason(error.reason) || error.message.isEmpty {
                host.violation(
                    "validator.control_error",
                    "A control function failed with \(code) and an error of code \(value.code), reason \"\(error.reason)\"."
                )
            }
        }
        lender.giveBack()
        return code
    }

    /// Creates, activates: READY, or the reason why this library cannot be brought there here.
    func ready(_ configuration: JSONValue? = nil) throws {
        guard try create(configuration) == THEATRE_OK else {
            throw Skip("create refuses this configuration: \(error.reason): \(error.message)")
        }
        guard activate() == THEATRE_OK else {
            let why = "\(error.reason): \(error.message)"
            deactivate()
            destroy()
            throw Skip("activate fails with what this host offers: \(why)")
        }
    }

    /// READY to RETIRED.
    func end() {
        deactivate()
        destroy()
    }
}
