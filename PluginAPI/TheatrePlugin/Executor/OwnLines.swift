// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Memory that shares no cache line, nor the line the processor fetches with it, with anything else: threads that write
/// near one another wait for each other as if they wrote the same.
enum OwnLines {
    private static let size = 128

    /// A place for `value`. Freed with ``free(_:)``.
    static func allocate<Value: ~Copyable>(_ value: consuming Value) -> UnsafeMutablePointer<Value> {
        let bytes = (MemoryLayout<Value>.size + size - 1) / size * size
        let place = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: size)
            .bindMemory(to: Value.self, capacity: 1)
        place.initialize(to: value)
        return place
    }

    static func free<Value: ~Copyable>(_ place: UnsafeMutablePointer<Value>) {
        place.deinitialize(count: 1)
        UnsafeMutableRawPointer(place).deallocate()
    }
}
