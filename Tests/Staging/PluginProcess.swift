// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import Synchronization

/// A program that serves a plugin elsewhere, and says where on a descriptor. Killed where nobody ended it.
package final class PluginProcess: Sendable {
    /// Where it listens, as it says.
    package let address: String
    private let pid: pid_t
    private let isEnded = Atomic(false)

    /// `theatre plugin serve` of a library that was built beside this.
    package static func serve(_ plugin: String, _ arguments: [String]) throws -> PluginProcess {
        try PluginProcess(
            ["\(Stage.folder)/theatre", "plugin", "serve", "\(Stage.folder)/lib\(plugin).so", "--ready-fd", "3"]
                + arguments)
    }

    /// Any program that writes its address to descriptor 3 and closes it.
    package init(_ command: [String]) throws {
        var pipes: [Int32] = [0, 0]
        guard pipe(&pipes) == 0 else { throw Unstaged("there is no pipe") }
        // Only the copy at 3 goes along, whatever the number of this one.
        for end in pipes { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { close(pipes[0]) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, pipes[1], 3)
        for descriptor in Int32(4)..<256 { posix_spawn_file_actions_addclose(&actions, descriptor) }
        let words = command.map { strdup($0) }
        defer { words.forEach { free($0) } }
        var started: pid_t = 0
        let failure = posix_spawnp(&started, command[0], &actions, nil, words + [nil], environ)
        close(pipes[1])
        guard failure == 0 else {
            throw Unstaged("\(command[0]) cannot be started: \(String(cString: strerror(failure)))")
        }
        pid = started
        var said: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 256)
        while true {
            let count = read(pipes[0], &buffer, buffer.count)
            guard count > 0 else { break }
            said += buffer[..<count]
        }
        address = String(decoding: said, as: UTF8.self).trimmingSuffix { $0 == "\n" }
        guard !address.isEmpty else { throw Unstaged("\(command.joined(separator: " ")) did not say where it listens") }
    }

    /// Sends it a signal.
    package func signal(_ number: Int32) { kill(pid, number) }

    /// Ends it with a signal and waits for that; its wait status.
    @discardableResult
    package func end(_ signal: Int32 = SIGKILL) -> Int32 {
        var status: Int32 = 0
        guard !isEnded.exchange(true, ordering: .acquiringAndReleasing) else { return 0 }
        kill(pid, signal)
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        return status
    }

    deinit { end() }
}

extension String {
    func trimmingSuffix(_ isDropped: (Character) -> Bool) -> String {
        var text = self
        while let last = text.last, isDropped(last) { text.removeLast() }
        return text
    }
}
