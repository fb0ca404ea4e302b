// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Transcoding

/// What manifest, README and build files say, the same in every language.
struct ManifestPlaceholders {
    private let plan: SkeletonPlan

    init(_ plan: SkeletonPlan) { self.plan = plan }

    var values: [String: String] {
        let words = Words(plan.name)
        return [
            "name": plan.name, "snake": words.snake, "kebab": words.kebab, "constant": words.constant,
            "camel": words.camel, "capability": plan.contract.service.name, "summary": summary,
            "operations": plan.operations.map { "\n    \"\($0.description.name)\"" }.joined(separator: ","),
            "extras": extras, "operation_count": "\(plan.operations.count)", "operation_table": table, "try_it": tryIt,
        ]
    }

    private var summary: String { "Provides \(plan.contract.service.name)." }

    /// What some contracts ask of a manifest beside their operations.
    private var extras: String {
        let id = Words(plan.name).kebab
        switch plan.contract.service.name {
        case "theatre.http.v1.Handler":
            return """
                  "routes": [
                    {
                      "method": "GET", "path": "/\(id)/{word}", "operation": "theatre.http.v1.Handler/Handle",
                      "access": "anyone", "resource": "\(id)", "action": "read", "scope": "none", "audit": "none",
                      "rate": "provider", "body_limit": 0, "idempotent": true, "body": "raw",
                      "request": "theatre.http.v1.Request", "response": "theatre.http.v1.Response"
                    }
                  ],

                """
        case "theatre.jobs.v1.Worker": return "  \"queues\": [{\"name\": \"\(id)\"}],\n"
        case "theatre.events.v1.Consumer": return "  \"consumes\": [{\"types\": [\"\(Words(plan.name).snake).\"]}],\n"
        default: return ""
        }
    }

    private var table: String {
        plan.operations.map { operation in
            let does =
                switch operation.behaviour {
                case .answer: "answers"
                case .refuse(let code, let reason, _): "\(code) `\(reason)`"
                case nil: "UNIMPLEMENTED: it streams"
                }
            return "| `\(operation.method)` | \(plan.comment(operation)) | \(does) |\n"
        }
        .joined()
    }

    private var tryIt: String {
        plan.contract.service.name == "theatre.http.v1.Handler"
            ? "curl http://127.0.0.1:8080/\(Words(plan.name).kebab)/hello"
            : "theatre explain \(plan.contract.service.name)"
    }
}
