// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import SwiftProtobuf
internal import Synchronization
public import TheatreContracts
internal import TheatreManifest
internal import TheatrePlugin

/// Keys of persons in a test's memory: what they seal is not to be read in a database, and opens for its person and place
/// alone. No cipher for anything else.
public final class TestPersonalKeys: Sendable {
    private let state = Mutex<(keys: [String: [UInt8]], destroyed: [String: Int64])>(([:], [:]))

    init() {}

    /// When a person's key was destroyed.
    public func destroyed(_ person: String) -> Int64? { state.withLock { $0.destroyed[person] } }

    func key(of person: String) throws -> [UInt8] {
        try state.withLock { state in
            guard state.destroyed[person] == nil else {
                throw PluginError(.failedPrecondition, "personal.erased", "The key of this person was destroyed.")
            }
            let key = state.keys[person] ?? Digest.sha256("test key of \(person)".utf8)
            state.keys[person] = key
            return key
        }
    }

    /// Destroys a person's key, where it was not; when that was.
    @discardableResult
    public func destroy(_ person: String, at time: Int64) -> Int64 {
        state.withLock { state in
            let first = state.destroyed[person] ?? time
            state.destroyed[person] = first
            state.keys[person] = nil
            return first
        }
    }

    static func seal(_ value: Data, _ key: [UInt8], _ place: String) -> Data {
        let hidden = mask(Array(value), key)
        return Data(Digest.hmacSHA256(key: key, Array(place.utf8) + [0] + hidden) + hidden)
    }

    static func open(_ sealed: Data, _ key: [UInt8], _ place: String) throws -> Data {
        let hidden = Array(sealed.dropFirst(32))
        guard Digest.hmacSHA256(key: key, Array(place.utf8) + [0] + hidden) == Array(sealed.prefix(32)) else {
            throw PluginError(.dataLoss, "personal.tampered", "A sealed value does not open.")
        }
        return Data(mask(hidden, key))
    }

    private static func mask(_ bytes: [UInt8], _ key: [UInt8]) -> [UInt8] {
        var (out, block) = ([UInt8](), [UInt8]())
        for (index, byte) in bytes.enumerated() {
            if index % 32 == 0 { block = Digest.sha256(key + Array("\(index)".utf8)) }
            out.append(byte ^ block[index % 32])
        }
        return out
    }
}

extension TestHost {
    /// Serves `theatre.host.v1.PersonalKeys` from memory, and `theatre.host.v1.PersonalData` by asking every installed
    /// instance that provides `theatre.privacy.v1.Holder`.
    @discardableResult
    public func servePersonalData() -> TestPersonalKeys {
        let keys = TestPersonalKeys()
        serve("theatre.host.v1.PersonalKeys/Seal") { (request: HostSealPersonalRequest, _) in
            let key = try keys.key(of: request.person)
            return HostSealPersonalResponse.with {
                $0.sealed = request.values.map { TestPersonalKeys.seal($0, key, request.associatedData) }
            }
        }
        serve("theatre.host.v1.PersonalKeys/Open") { (request: HostOpenPersonalRequest, _) in
            let key = try keys.key(of: request.person)
            let values = try request.sealed.map { try TestPersonalKeys.open($0, key, request.associatedData) }
            return HostOpenPersonalResponse.with { $0.values = values }
        }
        serve("theatre.host.v1.PersonalKeys/Destroy") { [self] (request: HostDestroyPersonalRequest, _) in
            HostDestroyPersonalResponse.with { $0.destroyedAt = keys.destroy(request.person, at: now) }
        }
        serve("theatre.host.v1.PersonalData/Export") { [self] (request: HostExportPersonalRequest, call) in
            // One holder's page an answer: "NAME CURSOR" is where the next goes on.
            let place = request.cursor.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
            let holders = self.holders
            guard let holder = request.cursor.isEmpty ? holders.first : place.first.map(String.init) else {
                return HostExportPersonalResponse()
            }
            guard holders.contains(holder) else {
                throw PluginError.invalid("/cursor", "request.cursor", "This is no cursor of an export.")
            }
            let client = PrivacyHolderClient(holderScope(call), feature: "theatre.privacy.v1.Holder@\(holder)")
            let answer = try await client.export(
                .with {
                    $0.person = request.person
                    $0.cursor = place.count == 2 ? String(place[1]) : ""
                })
            let next = holders.first { $0 > holder }.map { "\($0) " } ?? ""
            return HostExportPersonalResponse.with {
                $0.parts = [
                    .with {
                        $0.instance = holder
                        $0.json = answer.json
                    }
                ]
                $0.nextCursor = answer.nextCursor.isEmpty ? next : "\(holder) \(answer.nextCursor)"
            }
        }
        serve("theatre.host.v1.PersonalData/Erase") { [self] (request: HostErasePersonalRequest, call) in
            var response = HostErasePersonalResponse()
            for holder in holders {
                let client = PrivacyHolderClient(holderScope(call), feature: "theatre.privacy.v1.Holder@\(holder)")
                let answer = try await client.erase(.with { $0.person = request.person })
                response.parts.append(
                    .with {
                        $0.instance = holder
                        $0.erased = answer.erased
                        $0.kept = answer.kept
                    })
            }
            return response
        }
        return keys
    }

    private var holders: [String] {
        core.state.withLock { Array($0.slots.values) }.filter { slot in
            slot.manifest?.provides.contains { $0.capability == "theatre.privacy.v1.Holder" } == true
        }.map(\.name).sorted()
    }

    private func holderScope(_ call: Call) -> TestScope { scope(call.context, as: "host") }
}
