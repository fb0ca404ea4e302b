// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatreIsolation
internal import Glibc

/// A program that was started and ends with this one. Its functions block.
package struct ChildProgram: Sendable {
    /// Its process id, and that of its group where it leads one.
    package let process: Int32
    private let descriptor: Int32

    /// How it ended.
    package enum Ending: Sendable, Hashable {
        case exit(Int32)
        case signal(Int32)
        /// It did not in time, and was killed.
        case late
    }

    /// Why there is none.
    package struct Failure: Error, CustomStringConvertible {
        /// One clause with the system's reason.
        package let description: String
    }

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - path: of the program, which is its first word too.
    ///   - environment: `NAME=value`, all it has.
    ///   - descriptors: of this process, which it has as 0, 1, 2, …, and nothing else; -1 for none. At most six.
    ///   - leadsGroup: it and what it starts can be ended together.
    package init(
        path: String, arguments: [String], environment: [String], descriptors: [Int32], leadsGroup: Bool = false
    ) throws(Failure) {
        let words = CStrings([path] + arguments), variables = CStrings(environment)
        var spawn = theatre_spawn()
        spawn.path = words.pointers[0]
        spawn.words = words.constant
        spawn.environment = variables.constant
        spawn.leads = leadsGroup ? 1 : 0
        withUnsafeMutableBytes(of: &spawn.descriptors) { raw in
            let places = raw.bindMemory(to: Int32.self)
            for index in places.indices { places[index] = index < descriptors.count ? descriptors[index] : -1 }
        }
        var made = theatre_child()
        let failure = withExtendedLifetime((words, variables)) { theatre_spawn_run(&spawn, &made) }
        guard failure == 0 else {
            throw Failure(description: "\(path) cannot be started: \(String(cString: strerror(failure)))")
        }
        process = made.pid
        descriptor = made.pidfd
    }

    /// As this process has it, without those variables that begin with one of `prefixes`, and without the stack that
    /// Swift would print after a crash, which takes seconds: a crash is told by its signal.
    package static func environment(without prefixes: [String] = []) -> [String] {
        var found = ["SWIFT_BACKTRACE=enable=no"]
        var next = environ
        while let entry = next.pointee {
            let text = String(cString: entry)
            if !(prefixes + ["SWIFT_BACKTRACE="]).contains(where: text.hasPrefix) { found.append(text) }
            next += 1
        }
        return found
    }

    /// Ends its whole group, where it leads one.
    package func endGroup() { kill(-process, SIGKILL) }

    /// Waits for its end, and ends it where the time is over. Once.
    package func end(milliseconds: Int) -> Ending {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        var isLate = true
        let until = Self.milliseconds + milliseconds
        while true {
            let found = poll(&entry, 1, Int32(clamping: max(0, until - Self.milliseconds)))
            if found < 0, errno == EINTR { continue }
            isLate = found <= 0
            break
        }
        let status = theatre_child_reap(process, descriptor, 0)
        close(descriptor)
        if isLate { return .late }
        let signal = status & 0x7F
        return signal == 0 ? .exit(status >> 8 & 0xFF) : .signal(signal)
    }

    /// Of the machine's monotonic clock.
    private static var milliseconds: Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
    }
}

/// Texts as a list of C strings that ends with null.
final class CStrings {
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
