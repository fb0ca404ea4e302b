// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Glibc
public import Runtime
internal import Synchronization

/// The keys of a ``KeyFolder`` as a host has them in memory, and follows them.
public final class FileKeys: KeySource {
    /// Where they are.
    public let folder: KeyFolder
    private let generate: Bool
    private let clock: @Sendable () -> Int64
    private let state = Mutex(State())

    private struct State {
        var known: [String: [KeyVersion]] = [:]
        var grants: [String: ResolvedGrants.KeyGrant] = [:]
        var stamps: [String: KeyFolder.Stamp] = [:]
    }

    /// Keys under `folder`.
    ///
    /// - Parameters:
    ///   - generate: makes a first version of a key that has none.
    ///   - clock: milliseconds since 1970; nil for the machine's.
    public init(folder: String, generate: Bool, clock: (@Sendable () -> Int64)? = nil) {
        self.folder = KeyFolder(folder)
        self.generate = generate
        self.clock =
            clock ?? {
                var time = timespec()
                clock_gettime(CLOCK_REALTIME, &time)
                return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
            }
    }

    /// See ``KeySource``.
    public var now: Int64 { clock() }

    /// Reads, and where allowed makes, these keys. Does file work: call it at start, and again to pick up new versions.
    ///
    /// - Throws: FAILED_PRECONDITION `keys.missing`, `keys.unsafe_file`, `keys.malformed`, `keys.wrong_algorithm`.
    public func prepare(keys: some Sequence<ResolvedGrants.KeyGrant>) throws(CallError) {
        var fresh: [String: [KeyVersion]] = [:]
        for grant in keys { fresh[grant.key] = try load(grant) }
        replace(fresh)
    }

    /// Takes these versions over. Others stay: what serves by another deployment still signs with them.
    public func replace(_ fresh: [String: [KeyVersion]]) { state.withLock { $0.known.merge(fresh) { $1 } } }

    /// Takes over what was not known before: what serves keeps signing with what it has.
    public func add(_ fresh: [String: [KeyVersion]]) { state.withLock { $0.known.merge(fresh) { old, _ in old } } }

    /// Everything that is known, newest versions first.
    public var known: [String: [KeyVersion]] { state.withLock { $0.known } }

    /// What ``prepare(keys:)`` loaded, newest first.
    public func versions(of key: String) throws(CallError) -> [KeyVersion] {
        guard let versions = state.withLock({ $0.known[key] }) else {
            throw CallError(
                .failedPrecondition, "keys.missing", "Key \(key) was not loaded at start; grant it and restart.")
        }
        return versions
    }

    /// Reads, and where allowed makes, one key, newest version first; nothing is kept of what is read. Does file work.
    ///
    /// - Throws: as ``prepare(keys:)``.
    public func load(_ grant: ResolvedGrants.KeyGrant) throws(CallError) -> [KeyVersion] {
        try load(grant, makes: generate)
    }

    private func load(_ grant: ResolvedGrants.KeyGrant, makes: Bool) throws(CallError) -> [KeyVersion] {
        var versions = try folder.files(of: grant.key).map(\.version)
        if versions.isEmpty {
            guard makes else {
                throw CallError(
                    .failedPrecondition, "keys.missing",
                    "Key \(grant.key) has no file in the keys folder; put 0001.jwk there.")
            }
            versions = [try folder.add(1, of: grant.key, algorithm: grant.algorithm).version]
        }
        for version in versions where !grant.takes(version.algorithm) {
            throw CallError(
                .failedPrecondition, "keys.wrong_algorithm",
                "Key \(grant.key) is \(version.algorithm) in its file and \(grant.algorithm) in its grant.")
        }
        state.withLock { $0.grants[grant.key] = grant }
        return versions
    }

    /// Looks whether files of known keys are others than at the last look, and takes over what they hold; true where a
    /// version came or went. Does a little file work.
    ///
    /// - Parameter failed: is told of a key that cannot be read; it goes on with what it has, and is looked at again once
    ///   its files change.
    public func look(failed: (_ key: String, _ error: CallError) -> Void) -> Bool {
        var changed = false
        for (key, versions) in known.sorted(by: { $0.key < $1.key }) {
            let stamp = folder.stamp(of: key)
            let (isOther, grant) = state.withLock { state in
                (state.stamps.updateValue(stamp, forKey: key) != stamp, state.grants[key])
            }
            guard isOther, let grant else { continue }
            do throws(CallError) {
                let fresh = try load(grant, makes: false)
                guard !fresh.elementsEqual(versions, by: { $0.id == $1.id && $0.signsFrom == $1.signsFrom }) else {
                    continue
                }
                replace([key: fresh])
                changed = true
            } catch {
                failed(key, error)
            }
        }
        return changed
    }
}
