// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatreHost
internal import CTheatrePlugin

/// The C functions behind a `theatre_host` table. `ctx` is the port's core, which outlives the plugin.
enum HostFunctions {
    static func table(_ core: CorePointer) -> theatre_host {
        var table = theatre_host()
        table.struct_size = UInt32(MemoryLayout<theatre_host>.size)
        table.revision = THEATRE_ABI_REVISION
        table.ctx = UnsafeMutableRawPointer(core)
        table.complete = { context, id, result in
            guard let core = HostFunctions.core(context) else { return THEATRE_INVALID_ARGUMENT }
            return core.pointee.dispatcher._withUnsafeGuaranteedRef { $0.complete(id, through: core, result) }
        }
        table.request = { context, request, id, error in
            guard let core = HostFunctions.core(context) else { return THEATRE_INVALID_ARGUMENT }
            return core.pointee.dispatcher._withUnsafeGuaranteedRef { $0.request(from: core, request, id, error) }
        }
        table.send = { context, id, chunk in
            HostFunctions.with(context) { $0.dispatcher.send(from: $0, id, chunk) } ?? THEATRE_INVALID_ARGUMENT
        }
        table.credit = { context, id, bytes in
            _ = HostFunctions.with(context) { $0.dispatcher.credit(from: $0, id, bytes) }
        }
        table.cancel = { context, id, reason in
            _ = HostFunctions.with(context) { $0.dispatcher.cancel(from: $0, id, reason) }
        }
        table.is_live = { context, id in
            HostFunctions.with(context) { $0.dispatcher.isLive(id, for: $0) ? 1 : 0 } ?? 0
        }
        table.now = { context, kind in
            HostFunctions.with(context) {
                kind == THEATRE_CLOCK_WALL ? $0.dispatcher.clock.wall() : $0.dispatcher.clock.monotonic()
            }
                ?? 0
        }
        table.log = { context, level, message, fields in
            _ = HostFunctions.with(context) {
                $0.hooks.onLog($0.identity, min(level, THEATRE_LOG_ERROR), message.text, fields.text)
            }
        }
        return table
    }

    @inline(__always)
    private static func core(_ context: UnsafeMutableRawPointer?) -> CorePointer? {
        context?.assumingMemoryBound(to: PortCore.self)
    }

    @inline(__always)
    private static func with<Result>(_ context: UnsafeMutableRawPointer?, _ body: (InstancePort) -> Result) -> Result? {
        core(context)?.pointee.port._withUnsafeGuaranteedRef { body($0) }
    }
}

extension theatre_bytes {
    @inline(__always)
    init(_ buffer: UnsafeRawBufferPointer) {
        self.init(data: buffer.baseAddress?.assumingMemoryBound(to: UInt8.self), size: UInt64(buffer.count))
    }

    /// False where there is a size but no address, or more than memory can hold.
    @inline(__always)
    var isSound: Bool { size == 0 || (data != nil && size <= UInt64(Int32.max)) }

    @inline(__always)
    var buffer: UnsafeRawBufferPointer {
        isSound ? UnsafeRawBufferPointer(start: data, count: Int(size)) : UnsafeRawBufferPointer(start: nil, count: 0)
    }

    /// As text; what is not UTF-8 is repaired.
    var text: String { String(decoding: buffer, as: UTF8.self) }
}
