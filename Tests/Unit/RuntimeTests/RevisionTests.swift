// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CTheatrePlugin
import Glibc
import Testing

@testable import Runtime

/// Structs of plugins that were built with a shorter or longer revision of the interface than the host.
@Suite struct RevisionTests {
    /// Memory after which nothing may be read.
    private final class Edge {
        private let pages: UnsafeMutableRawPointer
        private static let page = 4096

        init() throws {
            let made = mmap(nil, 2 * Self.page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
            pages = try #require(made == MAP_FAILED ? nil : made)
            try #require(mprotect(pages + Self.page, Self.page, PROT_NONE) == 0)
        }

        /// The first bytes of a struct, with nothing behind them; they state their size.
        func place<Struct>(_ value: Struct, size: Int) -> UnsafeMutablePointer<Struct> {
            let start = pages + (Self.page - size)
            withUnsafeBytes(of: value) { bytes in
                UnsafeMutableRawBufferPointer(start: start, count: size)
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes.prefix(size)))
            }
            start.storeBytes(of: UInt32(size), as: UInt32.self)
            return start.assumingMemoryBound(to: Struct.self)
        }

        deinit { munmap(pages, 2 * Self.page) }
    }

    @Test func whatAShorterStructLacksReadsAsZeroAndIsNotTouched() throws {
        var whole = theatre_error()
        whole.code = THEATRE_ABORTED
        whole.retry_after_ms = 7
        whole.detail.size = 99
        let edge = try Edge()
        // Where `detail` begins, as if it had come with a later revision.
        let read = theatre_error(copying: edge.place(whole, size: 56))
        #expect(read.code == THEATRE_ABORTED && read.retry_after_ms == 7)
        #expect(read.detail.size == 0 && read.struct_size == 56)
        let again = theatre_error(copying: edge.place(whole, size: Int(THEATRE_ERROR_SIZE_0)))
        #expect(again.detail.size == 99)
    }

    @Test func ofALongerStructWhatIsKnownIsRead() {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 200, alignment: 8)
        defer { buffer.deallocate() }
        buffer.initializeMemory(as: UInt8.self, repeating: 0xFF)
        var known = theatre_chunk()
        known.struct_size = 200
        known.seq = 5
        withUnsafeBytes(of: known) { buffer.copyMemory(from: $0) }
        guard let start = buffer.baseAddress else { return }
        let read = theatre_chunk(copying: start.assumingMemoryBound(to: theatre_chunk.self))
        #expect(read.seq == 5 && read.struct_size == 200)
    }

    private func port() -> (Dispatcher, InstancePort) {
        let dispatcher = Dispatcher(clock: StillClock(), limits: Dispatcher.Limits())
        let identity = InstanceIdentity(instance: "a", plugin: "Fake", generation: 1, grants: ResolvedGrants())
        let operations = [PortOperation("test.v1.Test/Run")]
        return (
            dispatcher,
            dispatcher.makePort(
                identity, operations: operations, calls: [], limits: InstancePort.Limits(),
                hooks: InstancePort.Hooks())
        )
    }

    @Test func aTableOfRevisionZeroIsTakenWithNothingBehindIt() throws {
        let (dispatcher, port) = port()
        let edge = try Edge()
        let plugin = FakePlugin(port.hostTable)
        try port.attach(edge.place(plugin.table.pointee, size: Int(THEATRE_INSTANCE_SIZE_0)))
        withExtendedLifetime(dispatcher) {}
    }

    @Test(arguments: [0, 8, THEATRE_INSTANCE_SIZE_0 - 1]) func aTableShorterThanThatIsRefused(_ size: UInt32) throws {
        let (dispatcher, port) = port()
        let plugin = FakePlugin(port.hostTable)
        plugin.table.pointee.struct_size = size
        let error = #expect(throws: CallError.self) { try port.attach(plugin.table) }
        #expect(error?.reason == "plugin.malformed_instance")
        #expect(error?.message.contains("states \(size) bytes; revision 0 has 88") == true)
        withExtendedLifetime(dispatcher) {}
    }

    /// What a plugin hands over call by call, one byte short of revision 0 and exactly it.
    @Test(arguments: [0, 1]) func aResultAndItsErrorAreReadFromRevisionZeroOn(_ missing: UInt32) throws {
        let stage = Stage()
        let (_, plugin) = try stage.port("a")
        plugin.onInvoke = { plugin, request in
            CallError(.aborted, "test.old", "It is old.").withCError { error in
                error.struct_size = THEATRE_ERROR_SIZE_0 - missing
                return withUnsafePointer(to: &error) { pointer in
                    var result = theatre_result()
                    result.struct_size = THEATRE_RESULT_SIZE_0
                    result.code = THEATRE_ABORTED
                    result.error = pointer
                    return plugin.raw(request.call, &result)
                }
            }
        }
        let sink = Recorder()
        try stage.start("a", sink)
        #expect(sink.error?.reason == (missing == 0 ? "test.old" : "plugin.malformed_result"))
    }
}
