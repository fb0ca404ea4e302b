// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CTheatrePlugin
import Testing

/// The layout is the interface: a member that moves breaks every plugin that was built before.
@Suite struct LayoutTests {
    @Test(arguments: [
        ("theatre_bytes", MemoryLayout<theatre_bytes>.size, 16),
        ("theatre_error", MemoryLayout<theatre_error>.size, 72),
        ("theatre_request", MemoryLayout<theatre_request>.size, 104),
        ("theatre_result", MemoryLayout<theatre_result>.size, 32),
        ("theatre_chunk", MemoryLayout<theatre_chunk>.size, 32),
        ("theatre_create", MemoryLayout<theatre_create>.size, 72),
        ("theatre_instance", MemoryLayout<theatre_instance>.size, 88),
        ("theatre_host", MemoryLayout<theatre_host>.size, 80),
        ("theatre_plugin", MemoryLayout<theatre_plugin>.size, 104),
    ])
    func sizesStand(_ name: String, _ size: Int, _ golden: Int) {
        #expect(size == golden, "\(name)")
    }

    private static let values: [(member: String, offset: Int?, golden: Int)] = [
        ("theatre_bytes.data", MemoryLayout<theatre_bytes>.offset(of: \.data), 0),
        ("theatre_bytes.size", MemoryLayout<theatre_bytes>.offset(of: \.size), 8),
        ("theatre_error.struct_size", MemoryLayout<theatre_error>.offset(of: \.struct_size), 0),
        ("theatre_error.code", MemoryLayout<theatre_error>.offset(of: \.code), 4),
        ("theatre_error.effect", MemoryLayout<theatre_error>.offset(of: \.effect), 8),
        ("theatre_error.retry", MemoryLayout<theatre_error>.offset(of: \.retry), 12),
        ("theatre_error.retry_after_ms", MemoryLayout<theatre_error>.offset(of: \.retry_after_ms), 16),
        ("theatre_error.reason", MemoryLayout<theatre_error>.offset(of: \.reason), 24),
        ("theatre_error.message", MemoryLayout<theatre_error>.offset(of: \.message), 40),
        ("theatre_error.detail", MemoryLayout<theatre_error>.offset(of: \.detail), 56),
        ("theatre_request.struct_size", MemoryLayout<theatre_request>.offset(of: \.struct_size), 0),
        ("theatre_request.operation", MemoryLayout<theatre_request>.offset(of: \.operation), 4),
        ("theatre_request.call", MemoryLayout<theatre_request>.offset(of: \.call), 8),
        ("theatre_request.on_behalf_of", MemoryLayout<theatre_request>.offset(of: \.on_behalf_of), 16),
        ("theatre_request.payload", MemoryLayout<theatre_request>.offset(of: \.payload), 24),
        ("theatre_request.deadline_ns", MemoryLayout<theatre_request>.offset(of: \.deadline_ns), 40),
        ("theatre_request.attempt", MemoryLayout<theatre_request>.offset(of: \.attempt), 48),
        ("theatre_request.flags", MemoryLayout<theatre_request>.offset(of: \.flags), 52),
        ("theatre_request.idempotency_key", MemoryLayout<theatre_request>.offset(of: \.idempotency_key), 56),
        ("theatre_request.context", MemoryLayout<theatre_request>.offset(of: \.context), 72),
        ("theatre_request.attributes", MemoryLayout<theatre_request>.offset(of: \.attributes), 88),
        ("theatre_result.struct_size", MemoryLayout<theatre_result>.offset(of: \.struct_size), 0),
        ("theatre_result.code", MemoryLayout<theatre_result>.offset(of: \.code), 4),
        ("theatre_result.payload", MemoryLayout<theatre_result>.offset(of: \.payload), 8),
        ("theatre_result.error", MemoryLayout<theatre_result>.offset(of: \.error), 24),
        ("theatre_chunk.struct_size", MemoryLayout<theatre_chunk>.offset(of: \.struct_size), 0),
        ("theatre_chunk.flags", MemoryLayout<theatre_chunk>.offset(of: \.flags), 4),
        ("theatre_chunk.seq", MemoryLayout<theatre_chunk>.offset(of: \.seq), 8),
        ("theatre_chunk.data", MemoryLayout<theatre_chunk>.offset(of: \.data), 16),
        ("theatre_create.struct_size", MemoryLayout<theatre_create>.offset(of: \.struct_size), 0),
        ("theatre_create.generation", MemoryLayout<theatre_create>.offset(of: \.generation), 4),
        ("theatre_create.instance", MemoryLayout<theatre_create>.offset(of: \.instance), 8),
        ("theatre_create.configuration", MemoryLayout<theatre_create>.offset(of: \.configuration), 24),
        ("theatre_create.environment", MemoryLayout<theatre_create>.offset(of: \.environment), 40),
        ("theatre_create.manifest", MemoryLayout<theatre_create>.offset(of: \.manifest), 56),
    ]

    private static let tables: [(member: String, offset: Int?, golden: Int)] = [
        ("theatre_instance.struct_size", MemoryLayout<theatre_instance>.offset(of: \.struct_size), 0),
        ("theatre_instance.reserved", MemoryLayout<theatre_instance>.offset(of: \.reserved), 4),
        ("theatre_instance.self", MemoryLayout<theatre_instance>.offset(of: \.`self`), 8),
        ("theatre_instance.activate", MemoryLayout<theatre_instance>.offset(of: \.activate), 16),
        ("theatre_instance.self_test", MemoryLayout<theatre_instance>.offset(of: \.self_test), 24),
        ("theatre_instance.invoke", MemoryLayout<theatre_instance>.offset(of: \.invoke), 32),
        ("theatre_instance.reply", MemoryLayout<theatre_instance>.offset(of: \.reply), 40),
        ("theatre_instance.send", MemoryLayout<theatre_instance>.offset(of: \.send), 48),
        ("theatre_instance.credit", MemoryLayout<theatre_instance>.offset(of: \.credit), 56),
        ("theatre_instance.cancel", MemoryLayout<theatre_instance>.offset(of: \.cancel), 64),
        ("theatre_instance.deactivate", MemoryLayout<theatre_instance>.offset(of: \.deactivate), 72),
        ("theatre_instance.destroy", MemoryLayout<theatre_instance>.offset(of: \.destroy), 80),
        ("theatre_host.struct_size", MemoryLayout<theatre_host>.offset(of: \.struct_size), 0),
        ("theatre_host.revision", MemoryLayout<theatre_host>.offset(of: \.revision), 4),
        ("theatre_host.ctx", MemoryLayout<theatre_host>.offset(of: \.ctx), 8),
        ("theatre_host.complete", MemoryLayout<theatre_host>.offset(of: \.complete), 16),
        ("theatre_host.request", MemoryLayout<theatre_host>.offset(of: \.request), 24),
        ("theatre_host.send", MemoryLayout<theatre_host>.offset(of: \.send), 32),
        ("theatre_host.credit", MemoryLayout<theatre_host>.offset(of: \.credit), 40),
        ("theatre_host.cancel", MemoryLayout<theatre_host>.offset(of: \.cancel), 48),
        ("theatre_host.is_live", MemoryLayout<theatre_host>.offset(of: \.is_live), 56),
        ("theatre_host.now", MemoryLayout<theatre_host>.offset(of: \.now), 64),
        ("theatre_host.log", MemoryLayout<theatre_host>.offset(of: \.log), 72),
        ("theatre_plugin.struct_size", MemoryLayout<theatre_plugin>.offset(of: \.struct_size), 0),
        ("theatre_plugin.abi_major", MemoryLayout<theatre_plugin>.offset(of: \.abi_major), 4),
        ("theatre_plugin.abi_revision", MemoryLayout<theatre_plugin>.offset(of: \.abi_revision), 6),
        ("theatre_plugin.min_host_revision", MemoryLayout<theatre_plugin>.offset(of: \.min_host_revision), 8),
        ("theatre_plugin.reserved", MemoryLayout<theatre_plugin>.offset(of: \.reserved), 10),
        ("theatre_plugin.flags", MemoryLayout<theatre_plugin>.offset(of: \.flags), 12),
        ("theatre_plugin.name", MemoryLayout<theatre_plugin>.offset(of: \.name), 16),
        ("theatre_plugin.version", MemoryLayout<theatre_plugin>.offset(of: \.version), 32),
        ("theatre_plugin.build_id", MemoryLayout<theatre_plugin>.offset(of: \.build_id), 48),
        ("theatre_plugin.manifest", MemoryLayout<theatre_plugin>.offset(of: \.manifest), 64),
        ("theatre_plugin.contracts", MemoryLayout<theatre_plugin>.offset(of: \.contracts), 80),
        ("theatre_plugin.create", MemoryLayout<theatre_plugin>.offset(of: \.create), 96),
    ]

    @Test func membersStandWhereTheyStood() {
        for row in Self.values + Self.tables { #expect(row.offset == row.golden, "\(row.member)") }
        #expect(Self.values.count + Self.tables.count == 70)
    }
}
