// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatreIsolation
internal import Glibc
internal import Runtime

/// Starts `theatre-runner`.
enum RunnerProcess {
    /// A process with the library's image, and the host's ends of what it was given.
    static func start(_ plan: InstancePlan, program: String, image: Int32) throws(LoadError) -> theatre_child {
        var environment = ["SWIFT_BACKTRACE=enable=no", "LANG=C.UTF-8"]
        if let path = getenv("LD_LIBRARY_PATH") { environment.append("LD_LIBRARY_PATH=\(String(cString: path))") }
        let words = CStrings(["theatre-runner", "--instance"]), variables = CStrings(environment)
        let path = CStrings([program])
        var spawn = theatre_spawn()
        spawn.path = path.pointers[0]
        spawn.words = words.constant
        spawn.environment = variables.constant
        spawn.library = image
        spawn.connects = plan.sandbox.connect.isEmpty ? 0 : 1
        spawn.spaces = 1
        var made = theatre_child()
        let failure = withExtendedLifetime((path, words, variables)) { theatre_spawn_run(&spawn, &made) }
        guard failure == 0 else {
            throw LoadError(
                plugin: plan.name, code: "isolation.no_process", expected: "a process of \(program)",
                found: String(cString: strerror(failure)),
                fix: "install theatre-runner beside theatre, and let it be run")
        }
        return made
    }
}

/// Texts as a list of C strings that ends with null.
private final class CStrings {
    let pointers: UnsafeMutablePointer<UnsafePointer<CChar>?>
    private let count: Int

    init(_ texts: [String]) {
        count = texts.count
        pointers = .allocate(capacity: texts.count + 1)
        for (index, text) in texts.enumerated() { (pointers + index).initialize(to: UnsafePointer(strdup(text))) }
        (pointers + count).initialize(to: nil)
    }

    var constant: UnsafePointer<UnsafePointer<CChar>?> { UnsafePointer(pointers) }

    deinit {
        for index in 0..<count { free(UnsafeMutablePointer(mutating: pointers[index])) }
        pointers.deallocate()
    }
}
