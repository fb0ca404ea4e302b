// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import TheatreManifest

/// What a route of a project asks of its caller.
struct AccessRule: Sendable, Hashable {
    /// Name of the path parameter that leads to the project.
    let parameter: String
    /// The parameter is a row of the project, not the project itself.
    let isRow: Bool
    /// The least role.
    let role: MemberRole
    /// It changes something, which is refused in an archived project to all but those who look after it.
    let writes: Bool
    let resource: String
    /// `resource:action`.
    let permission: String

    /// Nil for a route of no project.
    init?(_ route: Manifest.Route) {
        guard let role = MemberRole(name: route.role), let colon = route.scope.firstIndex(of: ":") else { return nil }
        isRow = route.scope[..<colon] == "row"
        parameter = String(route.scope[colon...].dropFirst(2).dropLast())
        self.role = role
        writes = route.method != "GET"
        resource = route.resource
        permission = "\(route.resource):\(route.action)"
    }

    init(
        parameter: String, isRow: Bool = false, role: MemberRole, writes: Bool = false, resource: String = "",
        action: String = ""
    ) {
        self.parameter = parameter
        self.isRow = isRow
        self.role = role
        self.writes = writes
        self.resource = resource
        permission = "\(resource):\(action)"
    }
}
