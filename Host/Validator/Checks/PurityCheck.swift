// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import CValidator
internal import Glibc
internal import Runtime
internal import TheatreManifest

extension LibraryCheck {
    /// The entry may be called any number of times on any thread.
    static let purity = LibraryCheck(
        "entry", "the entry is pure: the same table each time, no memory, no thread", quick: true, limit: 60,
        needsLife: false,
        leftOutIsolated: "the runner asks the entry once, in a process of its own"
    ) { run in
        let subject = run.subject
        let library = try PluginLibrary(subject.file)
        guard let handle = dlopen(subject.file.path, RTLD_NOW | RTLD_LOCAL),
            let symbol = dlsym(handle, THEATRE_ENTRY_PREFIX + subject.manifest.name)
        else { throw Finding("plugin.no_entry", "It does not export its entry.") }
        let entry = unsafeBitCast(symbol, to: theatre_plugin_entry.self)
        guard let first = entry() else { throw Finding("plugin.no_entry", "Its entry returned null.") }
        let bytes = UnsafeRawBufferPointer(start: first, count: Int(first.pointee.struct_size))
        let before = [UInt8](bytes)
        let threads = ProcessSnapshot.threadCount
        run.progress("30,000 calls of the entry")
        var isSame = true
        // The least of three rounds: what else goes on in the process allocates in one of them, an entry in each.
        let grown =
            (0..<3).map { _ -> Int64 in
                let heap = validator_heap_in_use()
                for _ in 0..<10_000 where entry() != first { isSame = false }
                return Int64(validator_heap_in_use()) - Int64(heap)
            }.min() ?? 0
        let others = Monitor((done: 0, same: true))
        let address = UInt(bitPattern: first)
        for _ in 0..<4 {
            SerialThread().enqueue {
                var same = true
                for _ in 0..<1_000 where UInt(bitPattern: entry()) != address { same = false }
                others.withLock { $0 = ($0.done + 1, $0.same && same) }
            }
        }
        let elsewhere = others.wait(milliseconds: 50_000) { $0.done == 4 ? $0.same : nil } ?? false
        if !isSame || !elsewhere {
            run.fail("validator.entry_differs", "The entry did not return the same table each time.")
        }
        if [UInt8](bytes) != before || first.pointee.create == nil {
            run.fail("validator.entry_differs", "What the entry's table holds changed between two calls.")
        }
        // A call that allocated would have left at least a byte each time.
        if grown >= 10_000 { run.fail("validator.entry_allocates", "10,000 calls of the entry left \(grown) bytes.") }
        if ProcessSnapshot.threadCount > threads + 4 {
            run.fail("validator.entry_thread", "The entry started a thread.")
        }
        run.note("grown_bytes", Int(grown))
        withExtendedLifetime(library) {}
    }
}
