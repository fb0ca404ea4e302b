// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Transcoding

/// Short names for the messages and enums of a contract, the same in every language: `Request` for one of the contract's own
/// package, `HostContext` for one of another.
struct TypeNames: Sendable {
    private let names: [String: String]

    init(_ contract: Contract) {
        let all = contract.messages.map(\.name) + contract.enums.map(\.name)
        var names: [String: String] = [:]
        var taken: [String: Int] = [:]
        for name in all {
            let short = Self.short(name, package: contract.package)
            names[name] = short
            taken[short, default: 0] += 1
        }
        // Two that would be called the same are called by all their words.
        for name in all where taken[names[name] ?? "", default: 0] > 1 {
            names[name] = name.split(separator: ".").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
        }
        self.names = names
    }

    /// `HostContext` of `theatre.host.v1.Context`.
    subscript(_ name: String) -> String { names[name] ?? name }

    private static func short(_ name: String, package: String) -> String {
        let parts = name.split(separator: ".")
        let types = parts.drop { $0.first?.isLowercase == true }
        let folders = parts.prefix(parts.count - types.count)
        let own = folders.joined(separator: ".") == package
        let area = own ? [] : folders.filter { $0 != "theatre" && $0.wholeMatch(of: #/v[0-9]+/#) == nil }
        return (area + types).map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }
}
