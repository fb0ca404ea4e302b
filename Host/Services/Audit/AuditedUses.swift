// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import Glibc
public import Runtime
internal import SwiftProtobuf
internal import TheatreContracts

/// A service whose uses of secrets and keys are audited: leases, what egress puts in the place of a placeholder, signatures
/// and MACs. Never what they hold.
public struct AuditedUses: HostService {
    private let service: any HostService
    private let uses: UseCounts

    /// `service` with its uses counted.
    public init(_ service: any HostService, _ uses: UseCounts) {
        self.service = service
        self.uses = uses
    }

    /// The service's.
    public var contract: String { service.contract }

    /// Serves one call; see `HostService`.
    public func serve(_ operation: String, _ call: any HostCall) {
        note(operation, call)
        service.serve(operation, call)
    }

    /// What does not decode is refused by the service itself.
    private func note(_ operation: String, _ call: any HostCall) {
        switch (contract, operation) {
        case ("theatre.host.v1.Secrets", "Lease"):
            guard let name = (try? HostLeaseRequest(serializedBytes: call.payload))?.name else { return }
            let isGranted = call.instance.grants.secrets[name]?.isLease == true
            uses.note(
                "secret:\(known(name, isGranted))", "lease", by: call, refused: isGranted ? "" : "secrets.not_granted")
        case ("theatre.host.v1.Keys", "Sign"):
            guard let key = (try? HostSignRequest(serializedBytes: call.payload))?.key else { return }
            note(key: key, "sign", call)
        case ("theatre.host.v1.Keys", "Mac"):
            guard let key = (try? HostMacRequest(serializedBytes: call.payload))?.key else { return }
            note(key: key, "mac", call)
        case ("theatre.host.v1.Egress", "Fetch"), ("theatre.host.v1.Egress", "FetchStream"): noteSubstitution(call)
        default: return
        }
    }

    private func note(key: String, _ action: String, _ call: any HostCall) {
        let isGranted = call.instance.grants.keys[key] != nil
        uses.note("key:\(known(key, isGranted))", action, by: call, refused: isGranted ? "" : "keys.not_granted")
    }

    /// A name that no grant has may be anything, also what it is not to be.
    private func known(_ name: String, _ isGranted: Bool) -> String { isGranted ? name : "unknown" }

    private func noteSubstitution(_ call: any HostCall) {
        guard Self.mentions(call.payload), let request = try? HostFetchRequest(serializedBytes: call.payload) else {
            return
        }
        let texts = [request.url] + request.headers.map(\.value)
        let named = Set(texts.flatMap(Self.names(in:)))
        for name in named.sorted() {
            let isGranted = call.instance.grants.secrets[name] != nil
            uses.note(
                "secret:\(known(name, isGranted))", "substitute", by: call,
                refused: isGranted ? "" : "egress.secret_misplaced")
        }
    }

    private static let opening = "${secret:"

    /// Whether a placeholder may be in it: bodies are large, and most requests have none.
    private static func mentions(_ payload: [UInt8]) -> Bool {
        payload.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while let base = UnsafeRawBufferPointer(rebasing: rest).baseAddress,
                let dollar = memchr(base, Int32(UInt8(ascii: "$")), rest.count)
            {
                rest = rest.dropFirst(base.distance(to: UnsafeRawPointer(dollar)))
                if rest.starts(with: opening.utf8) { return true }
                rest = rest.dropFirst()
            }
            return false
        }
    }

    private static func names(in text: String) -> [String] {
        text.split(separator: opening, omittingEmptySubsequences: false).dropFirst().compactMap { rest in
            rest.firstIndex(of: "}").map { String(rest[..<$0]) }
        }
    }
}
