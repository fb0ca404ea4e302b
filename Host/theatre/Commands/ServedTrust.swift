// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FoundationEssentials
import Logging
import Runtime
import TheatreManifest
import Trust

/// What `theatre plugin serve` asks of its library: the switches of `trust` in `00-host.yaml`.
struct ServedTrust: ParsableArguments {
    @Option(help: "plugins.lock that names the build; with it, other builds are not served.")
    var lock: String?

    @Option(help: "allow, warn or refuse a library that the lock does not name; with --lock refuse, else allow.")
    var unlocked: String?

    @Option(help: "Folder of public keys of which one must have signed the library.")
    var signatures: String?

    @Option(help: "allow, warn or refuse a library without a badge in the lock that will do.")
    var badges = "allow"

    @Option(help: "Least version of the checks of a badge.")
    var badgeKit = 1

    @Option(help: "full or quick: what a badge must have been made of at least.")
    var badgeProfile = "full"

    @Option(help: "allow, warn or refuse a library that others may write.")
    var files = "refuse"

    /// Says what is not as it should be.
    ///
    /// - Throws: the gravest finding that refuses; what is wrong with the switches or the lock.
    func judge(_ file: PluginFile, _ logger: Logger) throws {
        let settings = try HostConfiguration(
            .object([
                "trust": .object([
                    "unlocked": .string(unlocked ?? (lock == nil ? "allow" : "refuse")),
                    "signatures": .string(signatures ?? ""), "badges": .string(badges),
                    "badge_kit": .integer(Int64(badgeKit)), "badge_profile": .string(badgeProfile),
                    "files": .string(files),
                ])
            ])
        ).trust
        let lock = try lock.map { try LockFile(JSONValue(json: Data(contentsOf: URL(filePath: $0)))) }
        for finding in TrustPolicy(settings, lock: lock).findings(serving: file) {
            if finding.refuses { throw finding.error }
            logger.warning("a library is not trusted", metadata: ["error": "\(finding.error)"])
        }
    }
}
