// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Runtime
import Staging
import Testing

/// A process that ends: what becomes of its calls, of its instance, and of the others.
@Suite(.serialized) struct CrashTests {
    /// Waits until an instance stands as wanted; the test's own time limit ends it where that never comes.
    private func settled(_ stage: Stage, _ name: String, _ isWanted: (InstanceStatus) -> Bool) throws -> InstanceStatus
    {
        let end = Date().addingTimeInterval(20)
        while Date() < end {
            if let status = stage.status(name), isWanted(status) { return status }
        }
        return try #require(stage.status(name))
    }

    @Test(arguments: [
        ("segv", "killed by SIGSEGV"), ("trap", "killed by SIG"), ("abort", "SIGABRT"), ("exit", "exited with code 3"),
        ("oom", "SIGABRT"), ("babbles", "broke the protocol"), ("closes", "exited with code 0"),
    ])
    func aCrashEndsItsCallsAndIsMadeGood(_ crash: (String, String)) throws {
        let stage = try Stage()
        defer { stage.stop() }
        try stage.start([try Stage.plan("Unruly", "unruly"), try Stage.plan("Good", "good")])
        let answer = try stage.ask("unruly", crash.0)
        let error = try #require(answer.error)
        #expect(error.code == .unavailable)
        #expect(error.reason == "instance.crashed", "\(error)")
        #expect(error.effect == .none)
        #expect(error.retry == .safe)
        #expect(try stage.call("good").text == "served")
        let status = try settled(stage, "unruly") { $0.state == .ready && $0.generation == 2 }
        #expect(status.generation == 2)
        #expect(status.facts["crashes"] == "1")
        #expect(status.facts["last_crash"]?.contains(crash.1) == true, "\(status.facts)")
        if crash.0 == "oom" { #expect(status.facts["last_output"] == "memory runs out\n") }
        #expect(try stage.ask("unruly", "hello").text == "served")
        #expect(stage.status("good")?.generation == 1)
    }

    @Test func everyCallUnderWayEndsAndNoneIsLost() throws {
        let stage = try Stage()
        defer { stage.stop() }
        var plan = try Stage.plan("Unruly", "unruly")
        plan.operations[0].traits.sideEffect = true
        try stage.start([plan])
        let target = try stage.dispatcher.target(instance: "unruly", operation: Stage.handle)
        let port = try #require(stage.fleet.port("unruly"))
        let sinks = (0..<20).map { _ in WaitingSink() }
        for (index, sink) in sinks.enumerated() {
            Array((index == 19 ? "segv" : "never").utf8).withUnsafeBytes { bytes in
                _ = stage.dispatcher.start(OutgoingCall(payload: bytes, context: .system), on: target, sink: sink)
            }
        }
        for sink in sinks {
            let error = sink.wait().error
            #expect(error?.reason == "instance.crashed")
            #expect(error?.effect == .unknown, "it may have changed the world")
            #expect(error?.retry == .never)
        }
        let end = Date().addingTimeInterval(10)
        while port.callsOutstanding > 0, Date() < end {}
        #expect(port.callsInFlight == 0)
        #expect(port.callsOutstanding == 0)
    }

    @Test func whatDoesNotAnswerIsEnded() throws {
        let stage = try Stage()
        defer { stage.stop() }
        var plan = try Stage.plan("Unruly", "unruly")
        plan.sandbox.silence = 400
        try stage.start([plan])
        #expect(try stage.ask("unruly", "hang").error?.reason == "instance.crashed")
        let status = try settled(stage, "unruly") { $0.state == .ready && $0.generation == 2 }
        #expect(status.facts["last_crash"]?.contains("did not answer") == true, "\(status.facts)")
    }

    @Test func aLoopOfCrashesEndsInQuarantineWithTheCommandToRetry() throws {
        var policy = CrashPolicy()
        policy.limit = 3
        policy.delays = [0]
        let stage = try Stage(crashes: policy)
        defer { stage.stop() }
        try stage.start([try Stage.plan("Unruly", "unruly")])
        for generation in 1...3 as ClosedRange<UInt32> {
            _ = try settled(stage, "unruly") { $0.state == .ready && $0.generation == generation }
            #expect(try stage.ask("unruly", "segv").error?.reason == "instance.crashed")
        }
        let status = try settled(stage, "unruly") { $0.reason?.contains("instance.crash_loop") == true }
        #expect(status.reason?.contains("theatre plugins release unruly") == true, "\(status)")
        #expect(throws: CallError.self) { try stage.ask("unruly", "hello") }
    }

    /// What a crash leaves behind where that is asked for: the calls it was in.
    @Test(arguments: ["segv", "abort"]) func aStackIsKeptWhereItIsAskedFor(_ crash: String) throws {
        let stage = try Stage()
        defer { stage.stop() }
        var told = try Stage.plan("Unruly", "told")
        told.sandbox.writesStack = true
        try stage.start([told, try Stage.plan("Unruly", "silent")])
        for name in ["told", "silent"] {
            _ = try stage.ask(name, crash)
            let output = try settled(stage, name) { $0.facts["last_crash"] != nil }.facts["last_output"] ?? ""
            let calls = output.split(separator: "\n").filter { $0.contains("[0x") }
            #expect(name == "told" ? calls.count > 3 : calls.isEmpty, "\(output)")
        }
    }

    /// A library that has taken its runner over and sends whatever it likes: the host ends it or drops what makes no
    /// sense, and everything else goes on.
    @Test(arguments: 1...12, ["odd", "counts"]) func aHostileRunnerHarmsNobody(_ seed: Int, _ what: String) throws {
        var policy = CrashPolicy()
        (policy.limit, policy.delays) = (100, [0])
        let stage = try Stage(crashes: policy)
        defer { stage.stop() }
        var plan = try Stage.plan("Unruly", "unruly")
        plan.calls = [PortCall("nobody/Answers", .refused(CallError(.unimplemented, "call.no_service", "Nobody.")))]
        try stage.start([plan, try Stage.plan("Good", "good")])
        for round in 0..<10 {
            _ = try settled(stage, "unruly") { $0.state == .ready }
            _ = try? stage.ask("unruly", "\(what):\(seed * 100 + round);", seconds: 2)
            #expect(try stage.call("good").text == "served")
        }
        let status = try settled(stage, "unruly") { $0.state == .ready }
        #expect(status.state == .ready, "\(status)")
        #expect(stage.status("good")?.generation == 1)
        let port = try #require(stage.fleet.port("good"))
        let end = Date().addingTimeInterval(10)
        while port.callsOutstanding > 0, Date() < end {}
        #expect(port.callsOutstanding == 0)
    }
}
