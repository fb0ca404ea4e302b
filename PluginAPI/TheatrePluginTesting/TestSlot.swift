// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import TheatreManifest
internal import TheatrePlugin

/// One instance in a test host, with the table of host functions that belongs to it.
///
/// Unchecked: `table` is written once, before any call is routed to the slot; the host table never changes. Slots
/// live as long as the process, because a plugin may call its host until the last of its tasks has ended.
final class TestSlot: @unchecked Sendable {
    let name: String
    let core: TestCore
    let manifest: Manifest?
    let hostTable = UnsafeMutablePointer<theatre_host>.allocate(capacity: 1)
    var table: UnsafeMutablePointer<theatre_instance>?

    init(_ name: String, _ core: TestCore, manifest: Manifest?) {
        self.name = name
        self.core = core
        self.manifest = manifest
        hostTable.initialize(to: .sized)
        hostTable.pointee.ctx = Unmanaged.passRetained(self).toOpaque()
        fillTable()
    }

    private func fillTable() {
        hostTable.pointee.complete = { ctx, id, result in
            guard let slot = find(ctx), let result else { return THEATRE_INVALID_ARGUMENT }
            return slot.core.complete(slot, id, result)
        }
        hostTable.pointee.request = { ctx, request, id, error in
            guard let slot = find(ctx), let request, let id else { return THEATRE_INVALID_ARGUMENT }
            return slot.core.request(slot, theatre_request(reading: request), id, error)
        }
        hostTable.pointee.send = { ctx, id, chunk in
            guard let slot = find(ctx), let chunk else { return THEATRE_INVALID_ARGUMENT }
            return slot.core.send(slot, id, chunk)
        }
        hostTable.pointee.credit = { ctx, id, bytes in
            if let slot = find(ctx) { slot.core.credit(slot, id, bytes) }
        }
        hostTable.pointee.cancel = { ctx, id, _ in
            if let slot = find(ctx) { slot.core.cancel(slot, id) }
        }
        hostTable.pointee.is_live = { ctx, id in
            guard let slot = find(ctx) else { return 0 }
            return slot.core.isLive(id) ? 1 : 0
        }
        hostTable.pointee.now = { ctx, kind in find(ctx)?.core.now(kind) ?? 0 }
        hostTable.pointee.log = { ctx, level, message, fields in
            if let slot = find(ctx) { slot.core.log(slot, level, message.text, fields.text) }
        }
    }
}

private func find(_ ctx: UnsafeMutableRawPointer?) -> TestSlot? {
    guard let ctx else { return nil }
    return Unmanaged<TestSlot>.fromOpaque(ctx).takeUnretainedValue()
}
