// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Runtime
import Services

/// The file that a `KeyFile` instance has its master key from: made at the first start of a development deployment, and
/// never elsewhere, where whoever loses it loses every stored secret.
enum MasterKeyring {
    /// Makes it where the deployment's key source is granted a file that is not there.
    static func prepare(_ plan: Fleet.Plan, _ host: HostConfiguration) throws(CallError) {
        guard host.isDevelopment, host.generatesKeys,
            let source = plan.instances.first(where: { $0.name == host.keySource })?.grants.secrets["keyring"]?.source,
            source.hasPrefix("file:"), !source.contains("/")
        else { return }
        let path = "\(host.state)/\(host.secretsFolder)/\(source.dropFirst("file:".count))"
        guard !FileManager.default.fileExists(atPath: path) else { return }
        let key = SecretEnvelope.newKey().base64EncodedString()
        do {
            try FileManager.default.createDirectory(
                atPath: "\(host.state)/\(host.secretsFolder)", withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
            try PrivateFile.create(path, contents: Data("1:\(key)\n".utf8))
        } catch {
            // Another process may have been first.
            guard !FileManager.default.fileExists(atPath: path) else { return }
            throw CallError(
                .failedPrecondition, "secrets.missing", "The master key cannot be put into \(path): \(error).")
        }
    }
}
