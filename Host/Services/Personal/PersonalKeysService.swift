// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
public import Runtime
internal import SwiftProtobuf
internal import TheatreContracts

/// `theatre.host.v1.PersonalKeys`: instances with the grant `personal` seal what they know of a person by his key, and
/// never see it.
public struct PersonalKeysService: HostService {
    /// The contract's full name.
    public let contract = "theatre.host.v1.PersonalKeys"
    static let largestValue = 64 << 10
    static let mostValues = 64
    private let keys: PersonalKeys

    /// A service over `keys`.
    public init(keys: PersonalKeys) { self.keys = keys }

    /// Serves one call; see ``HostService``.
    public func serve(_ operation: String, _ call: any HostCall) {
        do throws(CallError) {
            try PersonalGrant.check(call)
            switch operation {
            case "Seal": try seal(call.decode(HostSealPersonalRequest.self), call)
            case "Open": try open(call.decode(HostOpenPersonalRequest.self), call)
            case "Destroy": try destroy(call.decode(HostDestroyPersonalRequest.self), call)
            default: call.failUnknown(operation, of: contract)
            }
        } catch {
            call.fail(error)
        }
    }

    private func seal(_ request: HostSealPersonalRequest, _ call: any HostCall) throws(CallError) {
        try Self.check(request.person, request.values, request.associatedData, "/values", Self.largestValue)
        keys.key(of: request.person, make: true, deadline: call.deadline) { result in
            call.answer(result) { key throws(CallError) in
                var response = HostSealPersonalResponse()
                for value in request.values {
                    let sealed = try PersonalEnvelope.seal(value, key, request.person, request.associatedData)
                    response.sealed.append(sealed)
                }
                return response
            }
        }
    }

    private func open(_ request: HostOpenPersonalRequest, _ call: any HostCall) throws(CallError) {
        // A version, a nonce and a tag more than the value.
        try Self.check(request.person, request.sealed, request.associatedData, "/sealed", Self.largestValue + 29)
        keys.key(of: request.person, make: false, deadline: call.deadline) { result in
            call.answer(result) { key throws(CallError) in
                var response = HostOpenPersonalResponse()
                for sealed in request.sealed {
                    let value = try PersonalEnvelope.open(sealed, key, request.person, request.associatedData)
                    response.values.append(value)
                }
                return response
            }
        }
    }

    private func destroy(_ request: HostDestroyPersonalRequest, _ call: any HostCall) throws(CallError) {
        try PersonalGrant.check(person: request.person)
        // The audit row is of the commit: whoever asked, by way of this instance.
        var context = call.context.message
        context.resource = "person:\(request.person)"
        context.action = "destroy_key"
        context.decision = "granted to \(call.instance.instance)"
        context.audit = "change"
        context.answerRequired = false
        context.idempotencyKey = ""
        if context.route.isEmpty { context.route = "instance \(call.instance.instance)" }
        keys.destroy(request.person, CallContext(context), deadline: call.deadline) { result in
            call.answer(result) { time throws(CallError) in
                HostDestroyPersonalResponse.with { $0.destroyedAt = time }
            }
        }
    }

    private static func check(
        _ person: String, _ values: [Data], _ associatedData: String, _ field: String, _ largest: Int
    ) throws(CallError) {
        try PersonalGrant.check(person: person)
        guard (1...mostValues).contains(values.count), values.allSatisfy({ $0.count <= largest }) else {
            throw CallError(
                .invalidArgument, "personal.bad_values", "1 to 64 values of 64 KiB each at most can be sealed at once.",
                detail: field)
        }
        guard associatedData.utf8.count <= 400 else {
            throw CallError(
                .invalidArgument, "personal.bad_values", "The associated data is longer than 400 bytes.",
                detail: "/associated_data")
        }
    }
}

/// Who may, and of whom.
enum PersonalGrant {
    static func check(_ call: any HostCall) throws(CallError) {
        guard call.instance.grants.personal else {
            throw CallError(
                .permissionDenied, "personal.not_granted",
                "Instance \(call.instance.instance) has no access to personal data; grant it `personal: true` in plugins.d."
            )
        }
    }

    static func check(person: String) throws(CallError) {
        guard (1...64).contains(person.utf8.count) else {
            throw CallError(
                .invalidArgument, "personal.bad_person", "A person is named by 1 to 64 bytes.", detail: "/person")
        }
    }
}

extension HostCall {
    /// Answers what came of a wait.
    func answer<Value>(
        _ result: Result<Value, CallError>, _ body: (Value) throws(CallError) -> some Message
    ) {
        do throws(CallError) { complete(try encoded(try body(try result.get()))) } catch { fail(error) }
    }
}
