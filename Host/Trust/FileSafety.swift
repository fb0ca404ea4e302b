// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Glibc
public import Runtime

/// Whether a file can be changed by people who must not.
public enum FileSafety {
    /// What is wrong with a file or the folder it is in; nil where both are the host's user's or root's, and not
    /// writable by others.
    public static func fault(of path: String, plugin: String) -> LoadError? {
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        return problem(path, plugin, mayBeSticky: false)
            ?? problem(folder.isEmpty ? "/" : folder, plugin, mayBeSticky: true)
    }

    private static func problem(_ path: String, _ plugin: String, mayBeSticky: Bool) -> LoadError? {
        var facts = stat()
        guard stat(path, &facts) == 0 else { return nil }
        guard facts.st_uid == geteuid() || facts.st_uid == 0 else {
            return LoadError(
                plugin: plugin, code: "trust.file_owner", expected: "\(path) to be the host's user's, or root's",
                found: "user \(facts.st_uid)", fix: "chown it")
        }
        let isOpen = facts.st_mode & S_IWOTH != 0
        let isSticky = mayBeSticky && facts.st_mode & S_ISVTX != 0
        guard !isOpen || isSticky else {
            return LoadError(
                plugin: plugin, code: "trust.file_writable", expected: "\(path) not to be writable by everybody",
                found: "mode \(String(facts.st_mode & 0o7777, radix: 8))", fix: "chmod o-w \(path)")
        }
        return nil
    }
}
