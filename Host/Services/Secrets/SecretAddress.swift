// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import FoundationEssentials

/// Whose a stored secret is and what it is called: what its ciphertext is bound to.
public struct SecretAddress: Sendable, Hashable {
    /// Of the deployment where it is `default`.
    public var tenant: String
    /// Empty for none.
    public var project: String
    /// Who uses it; `deployment` for those that `store:NAME` in plugins.d names.
    public var owner: String
    /// The field: `store:NAME` without its kind.
    public var name: String

    /// The owner of what `store:NAME` in plugins.d names.
    static let deployment = "deployment"

    /// One that plugins.d may name as `store:NAME`.
    public init(deployment name: String) {
        self.init(tenant: "default", project: "", owner: Self.deployment, name: name)
    }

    /// One of anybody's.
    public init(tenant: String, project: String, owner: String, name: String) {
        (self.tenant, self.project, self.owner, self.name) = (tenant, project, owner, name)
    }

    /// As audit rows name it.
    public var resource: String { "secret:\(owner)/\(name)" }

    /// 1 to 128 letters, digits, dots, `_` and `-`, no dot first.
    public static func isName(_ name: some StringProtocol) -> Bool {
        (1...128).contains(name.utf8.count) && !name.hasPrefix(".")
            && name.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0)
                    || "._-".utf8.contains($0)
            }
    }

    /// What a version's ciphertext and its data key are authenticated with. Each part has its length before it, so that
    /// no two places give the same bytes.
    public func associatedData(version: Int64) -> Data {
        var data = Data("theatre secret 1".utf8)
        for part in [tenant, project, owner, name, String(version)] {
            withUnsafeBytes(of: UInt32(clamping: part.utf8.count).bigEndian) { data.append(contentsOf: $0) }
            data.append(contentsOf: part.utf8)
        }
        return data
    }
}
