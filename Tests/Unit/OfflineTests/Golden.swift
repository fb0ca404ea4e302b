// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Values that never change without a new model name.
enum Golden {
    static let englishOutline: UInt64 = 7_859_881_748_062_480_156
    static let vector: UInt64 = 10_810_702_487_182_726_032
    static let picture: UInt64 = 11_182_026_925_207_677_547
}
