// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Values that never change without a new model name.
enum Golden {
    static let englishOutline: UInt64 = 0
    static let vector: UInt64 = 0
}
