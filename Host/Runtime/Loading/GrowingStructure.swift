// TheatreOS
// SPDX-License-Identifier: Apache-2.0

package import CTheatrePlugin

/// A structure of the interface, which begins with its size and grows at its end only.
package protocol GrowingStructure {
    init()
}

extension theatre_error: GrowingStructure {}
extension theatre_request: GrowingStructure {}
extension theatre_result: GrowingStructure {}
extension theatre_chunk: GrowingStructure {}
extension theatre_instance: GrowingStructure {}
extension theatre_plugin: GrowingStructure {}

extension GrowingStructure {
    /// What a plugin of any revision wrote: the smaller of its size and this host's is read, the rest is zero.
    package init(copying pointer: UnsafePointer<Self>) {
        self.init()
        let stated = Int(UnsafeRawPointer(pointer).loadUnaligned(as: UInt32.self))
        withUnsafeMutableBytes(of: &self) { own in
            own.copyMemory(from: UnsafeRawBufferPointer(start: pointer, count: min(stated, own.count)))
        }
    }
}
