// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import TextMessages
import TheatreContracts
import TheatrePlugin

/// What SendSms answered.
struct TencentAnswer: Decodable, Sendable {
    var response: Response

    /// Of all numbers, or an error of the whole.
    struct Response: Decodable, Sendable {
        var statuses: [Status]?
        var error: Failure?

        enum CodingKeys: String, CodingKey {
            case statuses = "SendStatusSet"
            case error = "Error"
        }
    }

    /// Of one number.
    struct Status: Decodable, Sendable {
        var serial: String?
        var code: String

        enum CodingKeys: String, CodingKey {
            case serial = "SerialNo"
            case code = "Code"
        }
    }

    /// Of the whole.
    struct Failure: Decodable, Sendable {
        var code: String

        enum CodingKeys: String, CodingKey {
            case code = "Code"
        }
    }

    enum CodingKeys: String, CodingKey {
        case response = "Response"
    }

    /// The serial number of a message that was taken.
    ///
    /// - Throws: an error of the contract's classes.
    static func serial(_ response: HostFetchResponse) throws -> String {
        let answer: TencentAnswer
        do {
            answer = try JSONDecoder().decode(TencentAnswer.self, from: response.body)
        } catch {
            switch response.status {
            case 429: throw TextError.throttled("status 429", milliseconds: 5000)
            case 300...499: throw TextError.misconfigured("status \(response.status) without an answer of the API")
            default: throw TextError.uncertain("status \(response.status)")
            }
        }
        if let code = answer.response.error?.code { throw error(String(code.prefix(80)), response.status) }
        guard let status = answer.response.statuses?.first else { throw TextError.uncertain("no status of the number") }
        guard status.code == "Ok", (200...299).contains(response.status) else {
            throw error(String(status.code.prefix(80)), response.status)
        }
        return status.serial ?? ""
    }

    /// What a code means. One that nothing is known of is a refusal, unless the server failed or says that all went well.
    private static func error(_ code: String, _ status: UInt32) -> PluginError {
        switch code {
        case "LimitExceeded.PhoneNumberThirtySecondLimit": return TextError.throttled(code, milliseconds: 30_000)
        case "LimitExceeded.PhoneNumberOneHourLimit": return TextError.throttled(code, milliseconds: 3_600_000)
        case "LimitExceeded.PhoneNumberDailyLimit", "LimitExceeded.PhoneNumberSameContentDailyLimit":
            return TextError.throttled(code, milliseconds: 86_400_000)
        case "InvalidParameterValue.IncorrectPhoneNumber", "FailedOperation.PhoneNumberInBlacklist":
            return TextError.dead(code)
        case "FailedOperation.InsufficientBalanceInSmsPackage": return TextError.misconfigured(code)
        default: break
        }
        switch code.prefix(while: { $0 != "." }) {
        case "AuthFailure", "UnauthorizedOperation": return TextError.misconfigured(code)
        case "RequestLimitExceeded", "LimitExceeded": return TextError.throttled(code, milliseconds: 5000)
        case "InternalError": return TextError.uncertain(code)
        default:
            let isUnclear = status >= 500 || code == "Ok"
            return isUnclear ? TextError.uncertain("\(code), status \(status)") : TextError.rejected(code)
        }
    }
}
