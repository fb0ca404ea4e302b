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
    /// Bytes of a holder's page, and of a page of all of them: an answer has at most 1 MiB.
    static let (holderPage, page) = (384 * 1024, 768 * 1024)
    /// Bytes of a holder's cursor.
    static let holderCursor = 512
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
            case "Export": try export(call.decode(HostExportPersonalRequest.self), instances, call)
            case "Erase": try erase(call.decode(HostErasePersonalRequest.self).person, instances, call)
            default: call.failUnknown(operation, of: contract)
            }
        } catch {
            call.fail(error)
        }
    }

    private func export(
        _ request: HostExportPersonalRequest, _ instances: [String], _ call: any HostCall
    ) throws(CallError) {
        try PersonalGrant.check(person: request.person)
        let place =
            request.cursor.isEmpty
            ? instances.first.map { ExportPlace($0) } : try ExportPlace(request.cursor, among: instances)
        export(request.person, from: place, instances, call, HostExportPersonalResponse())
    }

    /// Asks the holder at a place, then those after it, until one goes on or the next one's page might not fit.
    private func export(
        _ person: String, from place: ExportPlace?, _ instances: [String], _ call: any HostCall,
        _ all: HostExportPersonalResponse
    ) {
        guard call.isWanted else { return }
        let used = all.parts.reduce(0) { $0 + $1.json.utf8.count }
        guard let place, used + Self.holderPage <= Self.page else {
            var all = all
            all.nextCursor = place?.text ?? ""
            return call.answer(.success(all)) { all throws(CallError) in all }
        }
        let request = PrivacyExportRequest.with {
            $0.person = person
            $0.cursor = place.cursor
        }
        ask(place.instance, "Export", request, call) { [self] (answer: PrivacyExportResponse) throws(CallError) in
            try Self.check(answer, to: request)
            var all = all
            all.parts.append(
                .with {
                    $0.instance = place.instance
                    $0.json = answer.json
                })
            guard answer.nextCursor.isEmpty else {
                all.nextCursor = ExportPlace(place.instance, answer.nextCursor).text
                return call.answer(.success(all)) { all throws(CallError) in all }
            }
            let next = instances.first { $0 > place.instance }.map { ExportPlace($0) }
            export(person, from: next, instances, call, all)
        }
    }

    private static func check(_ answer: PrivacyExportResponse, to request: PrivacyExportRequest) throws(CallError) {
        guard answer.json.utf8.count <= holderPage, answer.nextCursor.utf8.count <= holderCursor,
            answer.nextCursor.isEmpty || answer.nextCursor != request.cursor
        else {
            throw CallError(
                .internal, "personal.bad_page",
                "A page of its export is over 384 KiB, or its next cursor over 512 bytes or the one before.")
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
        ask(instance, operation, request, call) { [self] (part: Part) throws(CallError) in
            var all = all
            add(part, instance, &all)
            each(instances.dropFirst(), operation, request, call, all, add)
        }
    }

    /// Asks one; whatever fails then is a failure of the whole, and names it.
    private func ask<Request: Message, Part: Message>(
        _ instance: String, _ operation: String, _ request: Request, _ call: any HostCall,
        _ then: @escaping @Sendable (Part) throws(CallError) -> Void
    ) {
        caller.call(
            instance, "\(Self.capability)/\(operation)", request, call.context, deadline: call.deadline
        ) { (result: Result<Part, CallError>) in
            do throws(CallError) {
                try then(try result.get())
            } catch {
                call.fail(
                    CallError(
                        error.code, error.reason, "\(instance): \(error.message)", effect: error.effect,
                        retry: error.retry, detail: error.detail))
            }
        }
    }
}
