// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import CValidator
internal import Runtime
internal import TheatreManifest

extension LibraryCheck {
    /// What the file alone tells.
    static let elf = LibraryCheck(
        "elf", "the file exports its entry alone, asks nothing of the host and hides no way to run data", quick: true,
        limit: 60, needsLife: false
    ) { run in
        let elf = try ELFFile(run.subject.file.image.bytes())
        checkSymbols(elf, &run)
        checkSegments(elf, &run)
        let dynamic = elf.dynamic
        if !dynamic.searchPaths.isEmpty {
            for path in dynamic.searchPaths.flatMap({ $0.split(separator: ":") }) where !isSystemPath(path) {
                run.fail(
                    "validator.elf_search_path", "It looks for libraries in \(path), which is no place of the system.")
            }
        }
        if dynamic.relocatesText { run.fail("validator.elf_text_relocation", "Loading it writes into its own code.") }
        if !dynamic.isNeverUnmapped {
            run.fail("validator.elf_unmapped", "It is not linked with -z nodelete; a plugin is never unmapped.")
        }
        run.note("needed", dynamic.needed)
        run.note("bytes", run.subject.file.image.count)
    }

    /// Debian's folders, and those of a toolchain.
    private static func isSystemPath(_ path: Substring) -> Bool {
        path.hasPrefix("/usr/lib") || path.hasPrefix("/lib") || path.contains("/usr/lib/swift/") || path == "$ORIGIN"
    }

    private static func checkSymbols(_ elf: ELFFile, _ run: inout CheckRun) {
        let entry = THEATRE_ENTRY_PREFIX + run.subject.manifest.name
        let others = elf.exports.filter { $0 != entry }
        if !others.isEmpty {
            let shown = others.sorted().prefix(5).joined(separator: ", ")
            run.fail("validator.elf_exports", "It exports \(others.count) symbols beside \(entry): \(shown).")
        }
        let imports = elf.imports
        let borrowed = imports.strong.filter { !copied.contains($0) && validator_defines($0) != 0 }
        if !borrowed.isEmpty {
            run.fail(
                "validator.elf_host_symbol",
                "It takes \(borrowed.sorted().prefix(5).joined(separator: ", ")) from the host.")
        }
        let barred = (imports.strong + imports.weak).filter(forbidden.contains)
        if !barred.isEmpty {
            run.fail(
                "validator.elf_forbidden",
                "It links \(Set(barred).sorted().joined(separator: ", ")), which plugins must not call.")
        }
        run.note("imports", imports.strong.count)
    }

    /// What no plugin has a use for: other processes, the process itself, its environment.
    private static let forbidden: Set<String> = [
        "fork", "vfork", "execv", "execve", "execvp", "execvpe", "execl", "execlp", "execle", "fexecve", "system",
        "popen",
        "daemon", "putenv", "clearenv", "umask", "chroot", "ptrace", "quick_exit",
    ]

    /// Data of the C library that the linker may have copied into the program.
    private static let copied: Set<String> = ["environ", "stdin", "stdout", "stderr", "_end", "_edata", "__bss_start"]

    private static func checkSegments(_ elf: ELFFile, _ run: inout CheckRun) {
        let segments = elf.segments
        guard let stack = segments.first(where: { $0.type == 0x6474_E551 }), stack.flags & 1 == 0 else {
            return run.fail(
                "validator.elf_stack", "It asks for an executable stack, or does not say that it needs none.")
        }
        if segments.contains(where: { $0.type == 1 && $0.flags & 3 == 3 }) {
            run.fail("validator.elf_writable_code", "A segment of it is writable and executable.")
        }
        if !segments.contains(where: { $0.type == 0x6474_E552 }) {
            run.fail("validator.elf_relro", "It has no segment that is read-only after relocation; link with -z relro.")
        }
    }
}
