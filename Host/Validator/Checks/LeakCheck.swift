// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import CValidator
internal import Runtime

extension LibraryCheck {
    /// Instances come and go and leave nothing.
    static let leak = LibraryCheck(
        "leak", "100 lives leave no thread, no descriptor and no memory behind", quick: false, limit: 180,
        leftOutIsolated: "its process takes everything with it"
    ) { run in
        let library = try run.library()
        for _ in 0..<20 { try live(library, &run) }
        _ = Monitor(0).settled(milliseconds: 500) { false }
        let before = (ProcessSnapshot.threadCount, ProcessSnapshot.openDescriptors(), validator_heap_in_use())
        let resident = ProcessSnapshot.resident
        for life in 0..<lives {
            run.progress("life \(life)")
            try live(library, &run)
        }
        let isQuiet = Monitor(0).settled(milliseconds: settling) { ProcessSnapshot.threadCount <= before.0 }
        let opened = ProcessSnapshot.openDescriptors().filter { before.1[$0.key] == nil }
        let slope = (Int(validator_heap_in_use()) - Int(before.2)) / lives
        run.note("bytes_a_life", slope)
        run.note("resident_bytes_a_life", (ProcessSnapshot.resident - resident) / lives)
        if !isQuiet {
            run.fail(
                "validator.thread_left",
                "\(ProcessSnapshot.threadCount - before.0) threads stayed after \(lives) lives.")
        }
        if !opened.isEmpty {
            let shown = opened.values.sorted().prefix(5).joined(separator: ", ")
            run.fail("validator.descriptor_left", "\(opened.count) descriptors stayed after \(lives) lives: \(shown).")
        }
        if slope > allowed {
            run.fail("validator.memory_left", "Each life left \(slope) bytes of heap; at most \(allowed) are allowed.")
        }
    }

    private static let lives = 100
    /// Bytes: less than any object with a buffer, more than what fragmentation and caches make of a hundred lives.
    private static let allowed = 2048

    private static func live(_ library: LibraryHome, _ run: inout CheckRun) throws {
        let trial = try run.ready(library)
        if let operation = run.subject.operations.first {
            _ = try trial.call(operation.index, trial.request(operation))
        }
        trial.end()
        trial.host.retire()
    }
}
