// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Matrices in memory, up to a size in all; what was not asked for longest goes first.
///
/// A version's vectors never change once it is indexed, so what is here is right for good.
final class MatrixShelf: Sendable {
    /// Which matrix.
    struct Key: Sendable, Hashable {
        var tenant: String
        var version: String
    }

    private struct State {
        var matrices: [Key: (matrix: VectorMatrix, used: UInt64)] = [:]
        var size = 0
        var clock: UInt64 = 0
        /// Who waits for one that is being loaded.
        var waiting: [Key: [CheckedContinuation<Void, Never>]] = [:]
    }

    private let most: Int
    private let state = Mutex(State())

    /// - Parameter bytes: what all of them may take. One that is larger by itself is given and not kept.
    init(bytes: Int) { most = bytes }

    /// How many are kept, and their bytes.
    var load: (matrices: Int, bytes: Int) { state.withLock { ($0.matrices.count, $0.size) } }

    /// The matrix, loaded by the first who asks while the others wait for it.
    func matrix(_ key: Key, _ load: () async throws -> VectorMatrix) async throws -> VectorMatrix {
        while true {
            if let matrix = find(key) { return matrix }
            guard begin(key) else {
                await withCheckedContinuation { wait(for: key, $0) }
                try Task.checkCancellation()
                continue
            }
            defer { end(key) }
            let matrix = try await load()
            keep(matrix, as: key)
            return matrix
        }
    }

    private func find(_ key: Key) -> VectorMatrix? {
        state.withLock { state in
            state.clock += 1
            state.matrices[key]?.used = state.clock
            return state.matrices[key]?.matrix
        }
    }

    private func begin(_ key: Key) -> Bool {
        state.withLock { state in
            guard state.waiting[key] == nil else { return false }
            state.waiting[key] = []
            return true
        }
    }

    private func wait(for key: Key, _ continuation: CheckedContinuation<Void, Never>) {
        let isLoading = state.withLock { state in
            guard state.waiting[key] != nil else { return false }
            state.waiting[key]?.append(continuation)
            return true
        }
        if !isLoading { continuation.resume() }
    }

    private func end(_ key: Key) {
        let waiting = state.withLock { $0.waiting.removeValue(forKey: key) ?? [] }
        for continuation in waiting { continuation.resume() }
    }

    private func keep(_ matrix: VectorMatrix, as key: Key) {
        guard matrix.size <= most else { return }
        state.withLock { state in
            while state.size + matrix.size > most,
                let oldest = state.matrices.min(by: { $0.value.used < $1.value.used })
            {
                state.matrices[oldest.key] = nil
                state.size -= oldest.value.matrix.size
            }
            state.clock += 1
            state.size += matrix.size - (state.matrices[key]?.matrix.size ?? 0)
            state.matrices[key] = (matrix, state.clock)
        }
    }
}
