// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatreFrames
internal import CTheatreIsolation
internal import CTheatrePlugin
internal import Glibc
internal import Logging
internal import Runtime
internal import Synchronization
internal import TheatreContracts
internal import TheatreManifest

/// One generation of an instance in a process of its own.
final class IsolatedHome: InstanceHome, @unchecked Sendable {
    // `link` refers to memory that is never freed, and its functions may be called on any thread.
    private let plan: InstancePlan
    private let link: OpaquePointer
    private let child: theatre_child
    private let files: [SandboxPlan.File]
    private let report = Mutex(GuardReport())

    /// Starts the process.
    init(
        _ plan: InstancePlan, program: String, image: Int32, logger: Logger,
        ended: @escaping @Sendable (InstanceEnd) -> Void
    ) throws(LoadError) {
        self.plan = plan
        files = try Self.files(plan)
        child = try RunnerProcess.start(plan, program: program, image: image)
        let watch = Unmanaged.passRetained(EndWatch(silence: plan.sandbox.silence, ended))
        var parts = theatre_link_parts()
        parts.child = child
        parts.frame_limit = UInt64(Self.messageLimit) + 2 << 20
        parts.outbox_limit = 64 << 20
        parts.silence_ms = plan.sandbox.silence
        parts.owner = watch.toOpaque()
        parts.ended = { owner, end in
            guard let owner, let end else { return }
            Unmanaged<EndWatch>.fromOpaque(owner).takeRetainedValue().tell(end.pointee)
        }
        guard let link = theatre_link_make(&parts) else {
            watch.release()
            withUnsafePointer(to: child) { theatre_child_abandon($0) }
            throw LoadError(
                plugin: plan.name, code: "isolation.no_thread", expected: "memory and a thread for the instance",
                found: "none", fix: "free memory, or raise the limit of threads")
        }
        self.link = link
        guard child.dial >= 0 else { return }
        do throws(LoadError) {
            _ = try Dialler(instance: plan.name, socket: child.dial, peers: plan.sandbox.connect, logger: logger)
        } catch {
            theatre_link_stop(link, THEATRE_LINK_REQUESTED)
            throw error
        }
    }

    /// Most bytes of a message of a plugin.
    static let messageLimit = Dispatcher.Limits().messageSize

    /// Has the library loaded and the sandbox closed.
    func begin() throws(LoadError) {
        let answer = sendBegin()
        switch answer.type {
        case UInt32(THEATRE_FRAME_READY.rawValue):
            let found = GuardReport(answer)
            report.withLock { $0 = found }
        case UInt32(THEATRE_FRAME_FAILED.rawValue):
            let texts = answer.texts
            end()
            throw LoadError(
                plugin: "\(plan.name) (\(plan.file.manifest.name))", code: texts[0], expected: texts[1],
                found: texts[2],
                fix: texts[3])
        default:
            theatre_link_stop(link, THEATRE_LINK_HANGS)
            throw LoadError(
                plugin: plan.name, code: "isolation.no_begin",
                expected: "a process that loads the library within \(plan.controlSeconds) s", found: "none that did",
                fix: "see what the library does as it is loaded; theatre-runner must be of this host's build")
        }
    }

    private func sendBegin() -> theatre_frame {
        let name = Array(plan.file.manifest.name.utf8), build = Array(plan.file.buildID.utf8)
        let folders: [UInt8] = files.flatMap { Array("\($0.isWritable ? "w" : "r")\($0.path)".utf8) + [0] }
        var flags: UInt32 = 0
        if plan.sandbox.isStrict { flags |= THEATRE_BEGIN_STRICT }
        if plan.sandbox.writesStack { flags |= THEATRE_BEGIN_STACK }
        if child.dial >= 0 { flags |= THEATRE_BEGIN_CONNECT }
        if child.has_spaces != 0 { flags |= THEATRE_BEGIN_SPACES }
        return name.withUnsafeBytes { name in
            build.withUnsafeBytes { build in
                folders.withUnsafeBytes { folders in
                    var frame = theatre_frame()
                    frame.type = UInt32(THEATRE_FRAME_BEGIN.rawValue)
                    frame.numbers.0 = plan.sandbox.memory
                    frame.numbers.1 = plan.sandbox.threads
                    frame.numbers.2 = plan.sandbox.descriptors
                    frame.numbers.3 = UInt64(flags)
                    frame.parts.0 = theatre_bytes(name)
                    frame.parts.1 = theatre_bytes(build)
                    frame.parts.2 = theatre_bytes(folders)
                    return theatre_link_begin(link, &frame, UInt32(plan.controlSeconds))
                }
            }
        }
    }

    private static let zones = "/usr/share/zoneinfo"

    /// What the runner may touch: what is granted, its state folder and the system's time zones.
    private static func files(_ plan: InstancePlan) throws(LoadError) -> [SandboxPlan.File] {
        var files = plan.sandbox.files
        // The same time zones as in the host's process: they are the system's, and nobody's secret.
        if access(zones, R_OK | X_OK) == 0 { files.append(SandboxPlan.File(path: zones, isWritable: false)) }
        if !plan.environment.stateFolder.isEmpty {
            files.append(SandboxPlan.File(path: plan.environment.stateFolder, isWritable: true))
        }
        for file in files where !file.path.hasPrefix("/") || access(file.path, F_OK) != 0 {
            throw LoadError(
                plugin: plan.name, code: "isolation.no_file", expected: "a file or folder at \(file.path)",
                found: "none", fix: "make it, or take it out of the instance's grants")
        }
        return files
    }

    func create(
        _ host: UnsafePointer<theatre_host>, _ arguments: UnsafePointer<theatre_create>,
        _ instance: UnsafeMutablePointer<UnsafeMutablePointer<theatre_instance>?>,
        _ error: UnsafeMutablePointer<theatre_error>
    ) -> theatre_code {
        let calls = plan.calls.map { call -> UInt8 in
            UInt8(
                (call.traits.streamsIn ? THEATRE_CALL_STREAM_IN : 0)
                    | (call.traits.streamsOut ? THEATRE_CALL_STREAM_OUT : 0))
        }
        return calls.withUnsafeBytes {
            theatre_link_create(link, host, arguments, theatre_bytes($0), UInt64(Self.messageLimit), instance, error)
        }
    }

    func end() { theatre_link_stop(link, THEATRE_LINK_REQUESTED) }

    func abort() { theatre_link_stop(link, THEATRE_LINK_HANGS) }

    var facts: [String: String] {
        var facts = report.withLock { $0.facts }
        facts["process"] = "\(child.pid)"
        if plan.sandbox.memory > 0 {
            facts["memory"] = "\(plan.sandbox.memory >> 20) MiB of data, by RLIMIT_DATA; there is no memory cgroup"
        }
        return facts
    }
}

extension theatre_bytes {
    init(_ buffer: UnsafeRawBufferPointer) {
        self.init(data: buffer.baseAddress?.assumingMemoryBound(to: UInt8.self), size: UInt64(buffer.count))
    }

    /// As text; what is not UTF-8 is repaired.
    var text: String {
        String(decoding: UnsafeRawBufferPointer(start: data, count: data == nil ? 0 : Int(size)), as: UTF8.self)
    }
}

extension theatre_frame {
    /// Its parts as text.
    var texts: [String] { [parts.0.text, parts.1.text, parts.2.text, parts.3.text, parts.4.text] }
}
