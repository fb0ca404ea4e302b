// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Logging
import Registry
import Runtime

extension Logger {
    /// Says that a profile is in another state than before.
    func tell(_ report: HealthReport) {
        var metadata: Metadata = ["profile": "\(report.profile)", "instance": "\(report.instance)"]
        metadata["capability"] = "\(report.capability)"
        metadata["state"] = "\(report.state.rawValue)"
        guard report.state == .down, let failure = report.lastFailure else {
            return info("a profile changed its state", metadata: metadata)
        }
        metadata["class"] = "\(failure.kind.rawValue)"
        metadata["reason"] = "\(failure.reason)"
        metadata["retry_at"] = "\(report.retryAt)"
        warning("a profile is down", metadata: metadata)
    }
}
