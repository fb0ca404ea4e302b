// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Registry
import Runtime
import Staging
import SwiftProtobuf
import Testing
import TheatreContracts

/// A generation hands its state to the next, wherever either of them runs.
@Suite(.serialized) struct HandoverTests {
    private let modes: [InstanceMode] = [.inproc, .isolated, .remote]

    /// Edition, which counts what it served, by the same library in each mode.
    private struct Editions {
        let stage: Stage
        let server: PluginProcess

        func plan(_ mode: InstanceMode, _ configuration: String = "{}") throws -> InstancePlan {
            mode == .remote
                ? try Stage.plan("Edition", "edition", at: server.address, configuration: configuration)
                : try Stage.plan("Edition", "edition", mode, configuration: configuration)
        }

        /// `generation count`.
        func served() throws -> String {
            let answer = try stage.call("edition")
            if let error = answer.error { throw error }
            return String(decoding: try HTTPResponse(serializedBytes: answer.payload).body, as: UTF8.self)
        }
    }

    private func with(_ body: (Editions) throws -> Void) throws {
        try Stage.withFolder { folder in
            let server = try PluginProcess.serve("Edition", ["--listen", "unix:\(folder)/edition", "--plaintext"])
            defer { server.end() }
            let stage = try Stage()
            defer { stage.stop() }
            try body(Editions(stage: stage, server: server))
        }
    }

    @Test func stateGoesFromEachModeToEachMode() throws {
        try with { editions in
            try editions.stage.start([try editions.plan(.inproc)])
            #expect(try editions.served() == "1 1")
            // Each of the nine ways once.
            let path: [InstanceMode] = [
                .inproc, .isolated, .isolated, .remote, .remote, .inproc, .remote, .isolated, .inproc,
            ]
            for (index, mode) in path.enumerated() {
                let done = try editions.stage.fleet.replace(try editions.plan(mode), drainSeconds: 5)
                #expect(done.handedOver && done.from == UInt32(index + 1) && done.to == UInt32(index + 2))
                let served = try editions.served()
                #expect(served == "\(index + 2) \(index + 2)", "as \(mode)")
                #expect(editions.stage.status("edition")?.mode == mode.rawValue)
            }
        }
    }

    /// As much as a message may hold, in one, and far more than a stream's first credit.
    @Test func stateOfAnySizeAMessageHasIsHandedOver() throws {
        try with { editions in
            let heavy = #"{"ballast": 1000000}"#
            try editions.stage.start([try editions.plan(.isolated, heavy)])
            #expect(try editions.served() == "1 1")
            for (index, mode) in [InstanceMode.remote, .inproc, .isolated].enumerated() {
                let done = try editions.stage.fleet.replace(try editions.plan(mode, heavy), drainSeconds: 5)
                #expect(done.handedOver)
                let served = try editions.served()
                #expect(served == "\(index + 2) \(index + 2)", "as \(mode)")
            }
        }
    }

    @Test func aGenerationThatCannotTakeItOverDoesNotServe() throws {
        try with { editions in
            for mode in modes {
                let other = try editions.plan(mode, #"{"format": "edition/2"}"#)
                if mode == .inproc {
                    try editions.stage.start([try editions.plan(.isolated)])
                }
                let before = try editions.served()
                let error = #expect(throws: LoadError.self) {
                    try editions.stage.fleet.replace(other, drainSeconds: 5)
                }
                #expect(error?.code == "instance.handover_failed", "\(mode): \(String(describing: error))")
                #expect(error?.found.contains("edition.bad_state") == true, "\(mode): \(String(describing: error))")
                let words = before.split(separator: " ")
                let next = (words.last.flatMap { Int($0) } ?? 0) + 1
                let served = try editions.served()
                #expect(served == "\(words[0]) \(next)", "what served goes on as if nothing had been")
            }
            let fresh = try editions.plan(.remote, #"{"format": "edition/2"}"#)
            let done = try editions.stage.fleet.replace(fresh, handover: false, drainSeconds: 5)
            #expect(!done.handedOver)
            #expect(try editions.served() == "\(done.to) 1")
        }
    }

    @Test func whatCannotBeTakenOutIsGivenUp() throws {
        try with { editions in
            for (index, mode) in modes.enumerated() {
                let mute = try editions.plan(mode, #"{"format": ""}"#)
                if index == 0 {
                    try editions.stage.start([mute])
                } else {
                    try editions.stage.fleet.replace(mute, handover: false, drainSeconds: 5)
                }
                #expect(try editions.served().hasSuffix(" 1"))
                let done = try editions.stage.fleet.replace(try editions.plan(mode), drainSeconds: 5)
                #expect(!done.handedOver, "\(mode)")
                #expect(try editions.served() == "\(done.to) 1", "\(mode)")
            }
        }
    }
}
