// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import Glibc

/// What the kernel says of this process, under the names that Prometheus clients share.
public enum ProcessMetrics {
    /// Resident memory, open files and start time; what cannot be read is left out.
    public static func families() -> [MetricFamily] {
        var result: [MetricFamily] = []
        if let bytes = residentBytes() {
            result.append(
                MetricFamily(
                    "process_resident_memory_bytes", .gauge, "Resident memory size in bytes.",
                    [MetricSample([:], bytes)]))
        }
        if let count = openFiles() {
            result.append(
                MetricFamily("process_open_fds", .gauge, "Number of open file descriptors.", [MetricSample([:], count)])
            )
        }
        if let time = startTime() {
            result.append(
                MetricFamily(
                    "process_start_time_seconds", .gauge, "Start time of the process since unix epoch in seconds.",
                    [MetricSample([:], time)]))
        }
        return result
    }

    private static func residentBytes() -> Double? {
        guard let pages = text("/proc/self/statm")?.split(separator: " ").dropFirst().first.flatMap({ Double($0) })
        else { return nil }
        return pages * Double(sysconf(Int32(_SC_PAGESIZE)))
    }

    private static func openFiles() -> Double? {
        do {
            // The descriptor of the listing itself is gone by now.
            return Double(try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count - 1)
        } catch {
            return nil
        }
    }

    /// Field 22 of /proc/self/stat counts clock ticks since boot.
    private static func startTime() -> Double? {
        guard let stat = text("/proc/self/stat"), let close = stat.lastIndex(of: ")"),
            let ticks = stat[close...].split(separator: " ").dropFirst(20).first.flatMap({ Double($0) }),
            let boot = text("/proc/stat")?.split(separator: "\n").first(where: { $0.hasPrefix("btime ") }),
            let seconds = Double(boot.dropFirst(6))
        else { return nil }
        return seconds + ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    private static func text(_ path: String) -> String? {
        guard let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 64 << 10)
        let count = fread(&bytes, 1, bytes.count, file)
        return count == 0 ? nil : String(decoding: bytes[..<count], as: UTF8.self)
    }
}
