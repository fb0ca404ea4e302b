// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import TheatreManifest

/// All routes at one moment. Immutable; ``GatewayServer/replace(_:)`` swaps it whole.
public final class GatewayTable: Sendable {
    private let trie: PathTrie
    /// Routes by the trie's value.
    private let places: [[RouteEntry]]
    /// All of them, in the order given.
    public let entries: [RouteEntry]
    /// The instance that knows who belongs to which project; nil where none does.
    let policy: String?
    /// The instance that knows keys of programs; nil where none does.
    let keys: String?
    /// What `/openapi.json` says of them.
    let description: APIDescription

    /// Compiles routes.
    ///
    /// - Parameters:
    ///   - policy: instance of theatre.access.v1.Policy; without one every route of a project answers 503.
    ///   - keys: instance of theatre.accounts.v1.Keys; without one no key of a program counts.
    ///   - description: Makes the API description, JSON; called once, on a thread that may block, when it is
    ///   first asked for; nil describes nothing.
    /// - Throws: ``RouteRefusal`` for a path that is no template and for two routes of one method and path.
    public init(
        _ entries: [RouteEntry], policy: String? = nil, keys: String? = nil,
        description: (@Sendable () -> [UInt8])? = nil
    ) throws(RouteRefusal) {
        var trie = PathTrie()
        var places: [[RouteEntry]] = []
        for (index, entry) in entries.enumerated() {
            let place: Int
            do throws(PathTrie.Malformed) {
                place = try trie.insert(entry.route.path, value: places.count)
            } catch {
                throw RouteRefusal(index: index, message: "its path is none such as /api/v1/runs/{run_id}:cancel")
            }
            if place == places.count { places.append([]) }
            if let other = places[place].first(where: { $0.route.method == entry.route.method }) {
                throw RouteRefusal(index: index, message: "instance \"\(other.instance)\" serves it already")
            }
            places[place].append(entry)
        }
        self.trie = trie
        self.places = places
        self.entries = entries
        self.policy = policy
        self.keys = keys
        self.description = APIDescription(description ?? { APIDescription.bare })
    }

    /// No routes.
    public static let empty: GatewayTable = GatewayTable(trie: PathTrie(), places: [], entries: [])

    private init(trie: PathTrie, places: [[RouteEntry]], entries: [RouteEntry]) {
        self.trie = trie
        self.places = places
        self.entries = entries
        policy = nil
        keys = nil
        description = APIDescription { APIDescription.bare }
    }

    enum Match {
        case found(RouteEntry, [Range<Int>])
        case notFound
        case notAllowed(allow: String)
        case malformed
    }

    /// The route for a method and a raw path.
    func match(method: String, path: UnsafeBufferPointer<UInt8>) -> Match {
        if PathTrie.hasDotSegment(path) { return .malformed }
        var captures: [Range<Int>] = []
        let place = trie.match(path, captures: &captures)
        guard place >= 0 else { return .notFound }
        let candidates = places[place]
        if let entry = candidates.first(where: { $0.route.method == method }) { return .found(entry, captures) }
        if method == "HEAD", let entry = candidates.first(where: { $0.route.method == "GET" }) {
            return .found(entry, captures)
        }
        var allow = candidates.map(\.route.method)
        if allow.contains("GET") { allow.append("HEAD") }
        return .notAllowed(allow: allow.sorted().joined(separator: ", "))
    }
}

/// Why there is no table.
public struct RouteRefusal: Error, Sendable, Hashable {
    /// Which of the routes.
    public let index: Int
    /// What is wrong with it, a clause.
    public let message: String
}
