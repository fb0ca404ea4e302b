// TheatreOS
// SPDX-License-Identifier: Apache-2.0

extension Dictionary where Key == UInt32 {
    /// Figures by generation: leaves the newest two, and older ones that are in use still, so that an instance that is
    /// replaced again and again does not have ever more series.
    mutating func forgetOld(_ isUnused: (Value) -> Bool = { _ in true }) {
        while count > 2, let oldest = filter({ isUnused($0.value) }).keys.min(), oldest != keys.max() {
            self[oldest] = nil
        }
    }
}
