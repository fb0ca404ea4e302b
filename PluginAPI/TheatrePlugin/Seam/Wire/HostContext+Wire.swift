// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import TheatreContracts

extension HostContext {
    /// Fields with their tags, as theatre/host/v1/context.proto has them.
    init?(wire bytes: UnsafeRawBufferPointer) {
        self.init()
        var reader = WireReader(bytes)
        while !reader.isAtEnd {
            guard let tag = reader.varint() else { return nil }
            switch tag {
            case 32:
                guard let kind = reader.word().flatMap({ HostPrincipalKind(rawValue: Int($0)) }) else { return nil }
                principalKind = kind
            case 130:
                guard let digest = reader.data() else { return nil }
                requestDigest = digest
            case 136:
                guard let isRequired = reader.varint() else { return nil }
                answerRequired = isRequired != 0
            default:
                guard tag & 7 == 2, let text = reader.text(), set(text, tag >> 3) else { return nil }
            }
        }
    }

    /// False where the field is no text.
    private mutating func set(_ text: String, _ field: UInt64) -> Bool {
        switch field {
        case 1: tenant = text
        case 2: project = text
        case 3: principal = text
        case 5: session = text
        case 6: roles.append(text)
        case 7: route = text
        case 8: resource = text
        case 9: action = text
        case 10: decision = text
        case 11: audit = text
        case 12: traceparent = text
        case 13: locale = text
        case 14: requestID = text
        case 15: idempotencyKey = text
        case 18: caller = text
        case 19: profile = text
        case 20: parameters = text
        case 21: publishes = text
        case 22: queues = text
        case 23: network = text
        default: return false
        }
        return true
    }
}
