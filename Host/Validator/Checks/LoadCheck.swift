// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import Glibc
internal import Runtime
internal import TheatreManifest

extension LibraryCheck {
    /// Loading and asking the entry changes nothing in the process.
    static let load = LibraryCheck(
        "load", "loading changes nothing in the process, and the table is what the file says", quick: true, limit: 60,
        needsLife: false
    ) { run in
        let subject = run.subject
        guard !subject.isIsolatedOnly else { return try loadByRunner(&run) }
        let entry = THEATRE_ENTRY_PREFIX + subject.manifest.name
        // The system libraries it needs come first: what they do is theirs.
        run.progress("the loading of what it links")
        for name in try ELFFile(subject.file.image.bytes()).dynamic.needed { dlopen(name, RTLD_NOW | RTLD_LOCAL) }
        let before = ProcessSnapshot.take()
        run.progress("dlopen")
        guard let handle = dlopen(subject.file.path, RTLD_NOW | RTLD_LOCAL) else {
            let why = dlerror().map { String(cString: $0) } ?? "no reason"
            throw Finding("plugin.load", "The loader refuses it: \(why).")
        }
        guard let symbol = dlsym(handle, entry) else {
            throw Finding("plugin.no_entry", "It does not export \(entry).")
        }
        run.progress("the entry")
        let table = unsafeBitCast(symbol, to: theatre_plugin_entry.self)()
        let after = ProcessSnapshot.take()
        for finding in before.changes(until: after) { run.fail(finding) }
        run.note("threads", after.threads)
        run.note("descriptors", after.descriptors.count)
        guard table != nil else { throw Finding("plugin.no_entry", "\(entry) returned null.") }
        // The same once more as the host does it, with the comparison of table and file.
        _ = try PluginLibrary(subject.file)
    }

    /// What it starts at load stays in its own process: what counts is that the runner can load it, and close the sandbox.
    private static func loadByRunner(_ run: inout CheckRun) throws {
        run.progress("the loading by theatre-runner")
        let home = try LibraryHome.process(for: run.subject, name: "loaded", folder: run.subject.folder)
        run.note("loaded_by", "theatre-runner")
        for (key, value) in home.facts where key != "process" { run.note(key, value) }
        home.end()
    }
}
