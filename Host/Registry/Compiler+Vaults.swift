// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreManifest

extension Compiler {
    /// What secrets are read by is there, reads secrets, and waits for none of its kind itself.
    mutating func checkVaults() {
        let vaults = instances.filter { instance in
            instance.plugin.manifest.provides.contains { $0.capability == VaultReference.capability }
        }.map(\.declaration.name)
        for instance in instances.map(\.declaration) {
            for (name, secret) in instance.grants.secrets.sorted(by: { $0.key < $1.key }) {
                guard let reference = VaultReference(secret.from) else { continue }
                let place = instance.map.source(at: "/grants/secrets/\(name)/from")
                guard vaults.contains(reference.instance) else {
                    let why =
                        instanceIndex[reference.instance] != nil
                        ? "reads no secrets"
                        : declared.contains(reference.instance) ? "does not serve" : "is not declared"
                    fault(
                        .secretUnknownVault, at: place,
                        "Secret \"\(name)\" of instance \"\(instance.name)\" is to be read by \"\(reference.instance)\", "
                            + "which \(why)\(hint(reference.instance, among: vaults))",
                        fix: "Name an instance of a plugin that provides \(VaultReference.capability), such as OpenBao."
                    )
                    continue
                }
                guard vaults.contains(instance.name) else { continue }
                fault(
                    .secretCircular, at: place,
                    "Instance \"\(instance.name)\" reads secrets from a vault and would wait for \"\(name)\", which is "
                        + "in one itself.",
                    fix: "Give it from file: or env:, or from store: where it is not the key source.")
            }
        }
    }
}
