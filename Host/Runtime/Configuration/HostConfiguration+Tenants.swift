// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import TheatreManifest

extension HostConfiguration {
    static func tenants(_ members: [String: JSONValue]) throws -> [String: Tenant] {
        var owners: [String: String] = [:]
        var tenants: [String: Tenant] = [:]
        for (name, value) in members.sorted(by: { $0.key < $1.key }) {
            guard isWord(name, among: "-_", most: 64) else {
                throw ManifestError(
                    code: "manifest.name", pointer: "/tenants/\(name)",
                    message: "is no name; 1 to 64 lower-case letters, digits, - and _ are")
            }
            var reader = try ObjectReader(value, at: "/tenants/\(name)")
            let hosts = try reader.strings("hosts")
            for (index, host) in hosts.enumerated() {
                let place = "/tenants/\(name)/hosts/\(index)"
                guard isWord(host, among: "-.", most: 253) else {
                    throw ManifestError(
                        code: "manifest.format", pointer: place,
                        message: "is \"\(host)\"; the name of a host is expected, in lower case and without a port")
                }
                if let other = owners.updateValue(name, forKey: host) {
                    throw ManifestError(
                        code: "manifest.duplicate", pointer: place,
                        message: "is of tenant \(other) already; a host is of one tenant")
                }
            }
            tenants[name] = Tenant(hosts: hosts, isClosed: try reader.bool("closed", default: false))
            try reader.finish()
        }
        return tenants
    }

    private static func isWord(_ text: String, among others: String, most: Int) -> Bool {
        (1...most).contains(text.utf8.count)
            && text.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x61...0x7a).contains($0) || others.utf8.contains($0)
            }
    }
}
