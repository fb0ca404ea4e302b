// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
public import Runtime
internal import SwiftProtobuf
internal import Synchronization
internal import TheatreContracts

/// `theatre.host.v1.PersonalData`: asks every instance that holds something of a person, one after the other.
public final class PersonalDataService: HostService {
    /// What an instance provides that holds personal data.
    public static let capability = "theatre.privacy.v1.Holder"
    /// The contract's full name.
    public let contract = "theatre.host.v1.PersonalData"
    /// Bytes of all parts of an export together: an answer has at most 1 MiB.
    static let exported = 960 * 1024
    private let caller: UnaryCaller
    private let holders = Mutex<[String]>([])

    /// A service that reaches instances by `calls`.
    public convenience init(calls: any CallStarting) { self.init(DispatchedCalls(calls: calls)) }

    init(_ calls: any UnaryCalling) { caller = UnaryCaller(calls: calls) }

    /// The instances of the deployment that provide ``capability``, whether or not they serve: what one of them holds is
    /// not passed over in silence.
    public func ask(_ instances: some Sequence<String>) { holders.withLock { $0 = instances.sorted() } }

    /// Serves one call; see ``HostService``.
    public func serve(_ operation: String, _ call: any HostCall) {
        do throws(CallError) {
            try PersonalGrant.check(call)
            let instances = holders.withLock { $0 }
            switch operation {
            case "Export": try export(call.decode(HostExportPersonalRequest.self).person, instances, call)
            case "Erase": try erase(call.decode(HostErasePersonalRequest.self).person, instances, call)
            default: call.failUnknown(operation, of: contract)
            }
        } catch {
            call.fail(error)
        }
    }

    private func export(_ person: String, _ instances: [String], _ call: any HostCall) throws(CallError) {
        try PersonalGrant.check(person: person)
        let request = PrivacyExportRequest.with { $0.person = person }
        each(instances[...], "Export", request, call, HostExportPersonalResponse()) {
            (answer: PrivacyExportResponse, instance, all) in
            // What is too much with the rest is told of and left out: without it there would be no answer at all.
            let fits = all.parts.reduce(answer.json.utf8.count) { $0 + $1.json.utf8.count } <= Self.exported
            all.parts.append(
                .with {
                    $0.instance = instance
                    $0.json = fits ? answer.json : #"{"truncated":true}"#
                })
        }
    }

    private func erase(_ person: String, _ instances: [String], _ call: any HostCall) throws(CallError) {
        try PersonalGrant.check(person: person)
        let request = PrivacyEraseRequest.with { $0.person = person }
        each(instances[...], "Erase", request, call, HostErasePersonalResponse()) {
            (answer: PrivacyEraseResponse, instance, all) in
            all.parts.append(
                .with {
                    $0.instance = instance
                    $0.erased = answer.erased
                    $0.kept = answer.kept
                })
        }
    }

    /// Asks the first, then the rest; ends with the first that fails.
    private func each<Request: Message, Part: Message, All: Message>(
        _ instances: ArraySlice<String>, _ operation: String, _ request: Request, _ call: any HostCall, _ all: All,
        _ add: @escaping @Sendable (Part, String, inout All) -> Void
    ) {
        guard call.isWanted else { return }
        guard let instance = instances.first else { return call.answer(.success(all)) { all throws(CallError) in all } }
        caller.call(
            instance, "\(Self.capability)/\(operation)", request, call.context, deadline: call.deadline
        ) { [self] (result: Result<Part, CallError>) in
            do throws(CallError) {
                var all = all
                add(try result.get(), instance, &all)
                each(instances.dropFirst(), operation, request, call, all, add)
            } catch {
                call.fail(
                    CallError(
                        error.code, error.reason, "\(instance): \(error.message)", effect: error.effect,
                        retry: error.retry))
            }
        }
    }
}
