// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import Runtime
internal import SwiftProtobuf
internal import TheatreContracts
internal import Transcoding

/// Answers what plugins ask of a real dispatcher, with empty messages, but for keys, whose answers have a length that a
/// self-test may look at; and keeps which generations asked on behalf of one request.
final class ServingWorld: HostService {
    let contract = "theatre.validator.v1.World"
    private let generations = Monitor<[String: Set<UInt32>]>([:])

    func serve(_ operation: String, _ call: any HostCall) {
        let request = call.context.message.requestID
        if !request.isEmpty {
            generations.withLock { _ = $0[request, default: []].insert(call.instance.generation) }
        }
        call.complete(Self.answers[operation] ?? [])
    }

    /// Of HMAC-SHA-256 and Ed25519, over whatever it is and with no key, and a secret that is a keyring, too: nothing here
    /// depends on their values.
    private static let answers: [String: [UInt8]] = [
        "theatre.host.v1.Keys/Mac": encoded(HostMacResponse.with { $0.mac = Data(repeating: 0x5A, count: 32) }),
        "theatre.host.v1.Secrets/Lease": encoded(
            HostLeaseResponse.with {
                $0.value = Data("1:\(Data((UInt8(0)..<32).map { $0 &* 37 &+ 11 }).base64EncodedString())".utf8)
            }),
        "theatre.host.v1.Keys/Sign": encoded(HostSignResponse.with { $0.signature = Data(repeating: 0x5A, count: 64) }),
    ]

    private static func encoded(_ message: some Message) -> [UInt8] { (try? message.serializedBytes()) ?? [] }

    /// Requests on whose behalf more than one generation of an instance asked.
    var mixed: Int { generations.withLock { $0.values.count { $0.count > 1 } } }
}

/// How one call by the dispatcher ended.
struct CallAnswer: Sendable, Hashable {
    var payload: [UInt8] = []
    var error: CallError?
    /// It ended by the deadline: nothing ever came.
    var isSilent: Bool { error?.reason == "call.deadline" || error?.code == .deadlineExceeded }
    /// What two answers of one request have in common, whatever they hold.
    var kind: String { error.map { "\($0.code) \($0.reason)" } ?? "ok" }
}

/// Calls with their answers, counted.
final class AnswerSink: CallSink {
    private let state = Monitor<[CallAnswer]>([])

    func complete(_ call: CallID, _ result: borrowing CallResult) {
        let answer = CallAnswer(payload: Array(result.payload), error: result.error)
        state.withLock { $0.append(answer) }
    }

    /// How often it was completed so far.
    var count: Int { state.withLock { $0.count } }

    /// Its first completion; nil where none comes in time.
    func wait(milliseconds: Int) -> CallAnswer? { state.wait(milliseconds: milliseconds) { $0.first } }
}

/// Instances of the library under a real dispatcher and fleet: with crashes, starts and swaps as in the host.
final class Deployed: Sendable {
    let subject: Subject
    let dispatcher: Dispatcher
    let fleet: Fleet
    let housing = InProcessHousing(residentLimit: 4)
    let world = ServingWorld()

    /// An operation with a request whose answer is of one kind each time.
    struct Steady: Sendable {
        let operation: Subject.Operation
        let request: [UInt8]
        let kind: String
    }

    init(_ subject: Subject) throws {
        self.subject = subject
        dispatcher = Dispatcher()
        var crashes = CrashPolicy()
        (crashes.limit, crashes.delays) = (10, [0])
        fleet = Fleet(
            dispatcher: dispatcher, hooks: InstancePort.Hooks(), logger: LibraryHome.silence,
            homes: [.inproc: housing, .isolated: LibraryHome.housing], crashes: crashes)
        try dispatcher.startSweeping()
    }

    /// Starts instances, each with a state folder of its own.
    func start(_ instances: [(name: String, mode: InstanceMode)]) throws {
        let plans = try instances.map { try plan($0.name, $0.mode) }
        do throws(LoadError) {
            try fleet.start(Fleet.Plan(instances: plans, closed: []) { _ in Unserved() })
        } catch {
            throw Skip("it does not start with what this host offers: \(error)")
        }
    }

    func plan(_ name: String, _ mode: InstanceMode) throws -> InstancePlan {
        let folder = try subject.folder(of: name)
        return try LibraryHome.plan(subject, name, mode, folder: folder, service: world)
    }

    func status(_ name: String) -> InstanceStatus? { fleet.statuses.first { $0.instance == name } }

    func stop() {
        fleet.stop(drainSeconds: 2)
        dispatcher.stopSweeping()
    }

    /// Sends a call with a request id of its own.
    func send(_ instance: String, _ operation: String, _ payload: [UInt8], id: String, seconds: UInt64 = 20)
        -> AnswerSink
    {
        let sink = AnswerSink()
        var context = Trial.context
        context.requestID = id
        do throws(CallError) {
            let target = try dispatcher.target(instance: instance, operation: operation)
            payload.withUnsafeBytes { bytes in
                var call = OutgoingCall(payload: bytes, context: CallContext(context))
                call.timeout = seconds * 1_000_000_000
                _ = dispatcher.start(call, on: target, sink: sink)
            }
        } catch {
            sink.complete(.none, CallResult(error))
        }
        return sink
    }

    func call(_ instance: String, _ operation: String, _ payload: [UInt8], seconds: UInt64 = 20) -> CallAnswer {
        let sink = send(instance, operation, payload, id: "", seconds: seconds)
        return sink.wait(milliseconds: Int(seconds) * 1000 + 5000) ?? CallAnswer(error: Self.silent)
    }

    static let silent = CallError(.deadlineExceeded, "call.deadline", "Nothing ever came.")

    /// Unary operations that answer the same kind three times, each within some seconds.
    func steady(_ instance: String) -> [Steady] {
        let unary = subject.operations.filter {
            !$0.description.isClientStreaming && !$0.description.isServerStreaming
        }
        // What only the host calls is called here where there is nothing else.
        let open = unary.filter { !$0.description.hostOnly }
        return (open.isEmpty ? unary : open).flatMap { operation in
            (0..<3).compactMap { round in
                var generator = MessageGenerator(subject.catalog, subject.numbers("\(operation.name) steady \(round)"))
                let request = generator.message(operation.description.input)
                let first = call(instance, operation.name, request, seconds: 3)
                guard !first.isSilent,
                    (0..<2).allSatisfy({ _ in
                        call(instance, operation.name, request, seconds: 3).kind == first.kind
                    })
                else { return nil }
                return Steady(operation: operation, request: request, kind: first.kind)
            }
        }
    }
}

/// Nothing is routed: every call of the plugin's is answered by the service in its plan.
private final class Unserved: Routing {
    func resolve(_ query: borrowing RouteQuery) -> Resolution {
        .unavailable(CallError(.unavailable, "route.unrouted", "The validator routes nothing."))
    }
}
