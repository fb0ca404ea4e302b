// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CValidator
internal import FoundationEssentials
internal import Glibc

/// What a process has: threads, descriptors, signal handlers, environment, locale, folder, mask, output.
struct ProcessSnapshot {
    let threads: Int
    /// Number and what it leads to.
    let descriptors: [String: String]
    let handlers: [UInt64]
    let environment: [String]
    let locale: String
    let folder: String
    let mask: String
    /// Bytes written to standard output and standard error.
    let written: [Int64]

    static func take() -> ProcessSnapshot {
        ProcessSnapshot(
            threads: threadCount, descriptors: openDescriptors(),
            handlers: (1...64).map { validator_signal_handler($0) },
            environment: variables(), locale: setlocale(LC_ALL, nil).map { String(cString: $0) } ?? "",
            folder: FileManager.default.currentDirectoryPath, mask: statusLine("Umask"), written: [size(1), size(2)])
    }

    /// What differs, one sentence each.
    func changes(until after: ProcessSnapshot) -> [Finding] {
        var found: [Finding] = []
        if after.threads > threads {
            found.append(Finding("validator.load_thread", "\(after.threads - threads) threads were started at load."))
        }
        let opened = after.descriptors.filter { descriptors[$0.key] == nil }.values.sorted()
        if !opened.isEmpty {
            found.append(
                Finding("validator.load_descriptor", "Left open at load: \(opened.joined(separator: ", "))."))
        }
        let signals = zip(handlers, after.handlers).enumerated().filter { $1.0 != $1.1 }.map { $0.offset + 1 }
        if !signals.isEmpty {
            found.append(Finding("validator.load_signal", "Handlers of the signals \(signals) were changed at load."))
        }
        if after.environment != environment {
            found.append(Finding("validator.load_environment", "The environment was changed at load."))
        }
        if after.locale != locale {
            found.append(Finding("validator.load_locale", "The locale became \(after.locale) at load."))
        }
        if after.folder != folder || after.mask != mask {
            found.append(
                Finding("validator.load_folder", "The working folder or the file mode mask was changed at load."))
        }
        if after.written != written {
            found.append(Finding("validator.load_output", "Bytes were written to standard output or error at load."))
        }
        return found
    }

    /// Threads of this process.
    static var threadCount: Int { names(in: "/proc/self/task").count }

    /// The same by their numbers: idle threads of this program's own end by themselves, and may not make up for others.
    static var threadIDs: Set<String> { Set(names(in: "/proc/self/task")) }

    /// Open descriptors and what they lead to, without the one that reads them.
    static func openDescriptors() -> [String: String] {
        var found: [String: String] = [:]
        for name in names(in: "/proc/self/fd") {
            guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(name)"),
                !target.hasPrefix("/proc/")
            else { continue }
            found[name] = target
        }
        return found
    }

    /// Resident memory in bytes.
    static var resident: Int { (Int(statusLine("VmRSS").split(separator: " ").first ?? "") ?? 0) * 1024 }

    static func size(_ descriptor: Int32) -> Int64 { validator_file_size(descriptor) }

    private static func names(in folder: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    }

    private static func variables() -> [String] {
        var found: [String] = []
        var next = environ
        while let entry = next.pointee {
            found.append(String(cString: entry))
            next += 1
        }
        return found.sorted()
    }

    private static func statusLine(_ key: String) -> String {
        let text = (try? String(contentsOf: URL(filePath: "/proc/self/status"), encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix(key + ":") } ?? ""
        return line.dropFirst(key.count + 1).trimmingCharacters()
    }
}

extension Substring {
    fileprivate func trimmingCharacters() -> String {
        String(drop { $0 == " " || $0 == "\t" })
    }
}
