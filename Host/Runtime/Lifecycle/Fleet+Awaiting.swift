// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatreHost
internal import Logging
internal import Synchronization

extension Fleet {
    /// Instances that could not be brought up because their servers are out of reach are tried until these answer, each on
    /// a thread beside.
    func awaitServers(of plan: Plan) {
        let failed = shared.withLock { $0.failed }
        for plan in plan.instances {
            guard let closed = failed[plan.name], closed.error?.isPassing == true else { continue }
            awaitServer(of: plan, closed)
        }
    }

    private func awaitServer(of plan: InstancePlan, _ closed: ClosedInstance) {
        let delays = crashPolicy.delays
        let thread = ControlThread(name: "theatre-await")
        thread.enqueue { [weak self] in
            var count = 0
            while true {
                count += 1
                theatre_clock_pause(UInt64(delays[min(count, delays.count - 1)]) * 1_000_000)
                guard let self, !tryAgain(plan, closed) else { return }
            }
        }
        thread.end()
    }

    /// True where it serves now, or is not to be tried any more.
    private func tryAgain(_ plan: InstancePlan, _ closed: ClosedInstance) -> Bool {
        do throws(LoadError) {
            // Whatever an operator or a reload made of it meanwhile stays.
            _ = try replace(
                plan, where: { $0.running[plan.name] == nil && $0.failed[plan.name] == closed }, handover: false,
                drainSeconds: 1)
            return true
        } catch {
            guard error.isPassing else {
                if error.code != "instance.replaced" {
                    logger.error(
                        "instance failed; its routes answer 503",
                        metadata: ["instance": "\(plan.name)", "error": "\(error)"])
                }
                return true
            }
            return false
        }
    }
}
