// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatreHost
internal import FoundationEssentials
internal import Glibc
public import Logging
public import Runtime
internal import Synchronization
internal import TheatreManifest

/// Runs instances in processes of their own, which `theatre-runner` is the program of.
public final class IsolatedHousing: InstanceHousing {
    private let program: String
    private let logger: Logger
    private let images = Mutex<[String: Int32]>([:])

    /// - Parameters:
    ///   - program: path of `theatre-runner`.
    ///   - logger: where connections are noted that were made for instances.
    public init(program: String = IsolatedHousing.besideThisProgram, logger: Logger) {
        self.program = program
        self.logger = logger
    }

    /// `theatre-runner` in the folder of the running program.
    public static var besideThisProgram: String {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        let path = String(decoding: buffer[..<max(0, count)], as: UTF8.self)
        return (path.lastIndex(of: "/").map { String(path[...$0]) } ?? "./") + "theatre-runner"
    }

    /// Starts a process that has loaded the library and closed its sandbox.
    public func home(
        for plan: InstancePlan, ended: @escaping @Sendable (InstanceEnd) -> Void
    ) throws(LoadError) -> any InstanceHome {
        let home = try IsolatedHome(plan, program: program, image: try image(of: plan), logger: logger, ended: ended)
        try home.begin()
        return home
    }

    /// The sealed copy of a library, one for all processes.
    private func image(of plan: InstancePlan) throws(LoadError) -> Int32 {
        let file = plan.file
        let descriptor = images.withLock { images -> Int32 in
            if let known = images[file.digest] { return known }
            let made = file.image.withUnsafeBufferPointer {
                theatre_image_seal(file.manifest.name, $0.baseAddress, UInt64($0.count))
            }
            if made >= 0 { images[file.digest] = made }
            return made
        }
        guard descriptor >= 0 else {
            throw LoadError(
                plugin: plan.name, code: "plugin.memory", expected: "a sealed copy of the library",
                found: String(cString: strerror(-descriptor)), fix: "free memory, or allow memfd_create")
        }
        return descriptor
    }
}
