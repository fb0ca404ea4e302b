// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Logging
import Runtime
import Services
import SwiftProtobuf
import TheatreContracts

extension HostParts {
    /// Has it audited that the operator of this machine changed something, or was refused for a reason.
    func audit(_ context: HostContext, refused reason: String? = nil) {
        do {
            auditWriter.append(
                at: Int64(clock.wall() / 1_000_000), context: try context.serializedBytes(),
                outcome: reason == nil ? "changed" : "refused", reason: reason ?? "", count: 1)
        } catch {
            logger.error("an audit row cannot be encoded", metadata: ["error": "\(error)"])
        }
    }
}

extension HostContext {
    /// What the operator of this machine does; `route` says by what means, `decision` why it is allowed.
    static func operating(_ resource: String, _ action: String, route: String, decision: String) -> HostContext {
        .with {
            $0.tenant = "default"
            $0.principal = "svc:operator"
            $0.principalKind = .service
            $0.route = route
            $0.resource = resource
            $0.action = action
            $0.decision = decision
            $0.audit = "change"
        }
    }
}
