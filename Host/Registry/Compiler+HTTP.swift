// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreManifest

extension Compiler {
    /// Whoever may call a route of a project is decided by who belongs to it: somebody must know.
    mutating func checkGuards() {
        let knows = instances.contains { $0.plugin.manifest.provides.contains { $0.capability == Self.policy } }
        guard !knows else { return }
        for instance in instances {
            guard let route = instance.plugin.manifest.routes.first(where: { !$0.role.isEmpty }) else { continue }
            fault(
                .httpRouteUnguarded, at: instance.declaration.source,
                "\(route.method) \(route.path) of instance \"\(instance.declaration.name)\" is of a project, and no "
                    + "instance tells who belongs to one.",
                fix: "Enable an instance of a plugin that provides \(Self.policy), such as Access.")
        }
    }

    /// A class that is not there would bound nothing.
    mutating func checkRates() {
        for instance in instances {
            for route in instance.plugin.manifest.routes where !deployment.rates.contains(route.rate) {
                fault(
                    .httpRouteInvalid, at: instance.declaration.source,
                    "\(route.method) \(route.path) of instance \"\(instance.declaration.name)\" is of rate class "
                        + "\"\(route.rate)\", which there is not\(hint(route.rate, among: deployment.rates.sorted()))",
                    fix:
                        "Name one of \(deployment.rates.sorted().joined(separator: ", ")) in the plugin's manifest and "
                        + "build it again, or add the class to rates in 00-host.yaml.")
            }
        }
    }

    private static var policy: String { "theatre.access.v1.Policy" }

    /// No request matches two routes of which neither is the closer one.
    mutating func checkHTTPRoutes() {
        struct Group: Hashable {
            let method: String
            let count: Int
        }
        struct Placed {
            let template: PathTemplate
            let instance: InstanceDeclaration
        }
        var groups: [Group: [Placed]] = [:]
        for instance in instances {
            for route in instance.plugin.manifest.routes {
                let template = PathTemplate(route.path)
                let group = Group(method: route.method, count: template.segments.count)
                if let other = groups[group]?.first(where: { $0.template.conflicts(with: template) }) {
                    let same = other.template.segments == template.segments
                    fault(
                        .httpRouteConflict, at: instance.declaration.source,
                        "\(route.method) \(route.path) of instance \"\(instance.declaration.name)\" "
                            + (same ? "is also served" : "matches requests that are also served")
                            + " by \"\(other.instance.name)\" as \(other.template.text).",
                        fix: "Disable one of the instances.")
                } else {
                    groups[group, default: []].append(Placed(template: template, instance: instance.declaration))
                }
            }
        }
    }
}

/// A path template, `/api/v1/runs/{run_id}:cancel`.
struct PathTemplate {
    /// One segment between slashes.
    enum Segment: Hashable {
        case literal(String)
        /// Anything that ends in the verb, `:cancel`; anything at all where it is empty.
        case parameter(verb: String)

        /// True where some text is both.
        func overlaps(_ other: Segment) -> Bool {
            switch (self, other) {
            case (.literal(let a), .literal(let b)): a == b
            case (.literal(let text), .parameter(let verb)), (.parameter(let verb), .literal(let text)):
                text.count > verb.count && text.hasSuffix(verb)
            case (.parameter(let a), .parameter(let b)): a == b || a.isEmpty || b.isEmpty
            }
        }

        /// How closely it says what it matches.
        var closeness: Int {
            switch self {
            case .literal: 2
            case .parameter(let verb): verb.isEmpty ? 0 : 1
            }
        }
    }

    let text: String
    let segments: [Segment]

    init(_ text: String) {
        self.text = text
        segments = text.split(separator: "/", omittingEmptySubsequences: false).map { part in
            guard part.hasPrefix("{"), let close = part.firstIndex(of: "}") else { return .literal(String(part)) }
            return .parameter(verb: String(part[part.index(after: close)...]))
        }
    }

    /// True where a path matches both and neither is at least as close in every segment, or both alike.
    func conflicts(with other: PathTemplate) -> Bool {
        guard segments.count == other.segments.count else { return false }
        var isCloser = false
        var isWider = false
        for (a, b) in zip(segments, other.segments) {
            guard a.overlaps(b) else { return false }
            if a.closeness > b.closeness { isCloser = true }
            if a.closeness < b.closeness { isWider = true }
        }
        return isCloser == isWider
    }
}
