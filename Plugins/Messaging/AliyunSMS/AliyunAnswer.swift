// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import TextMessages
import TheatreContracts
import TheatrePlugin

/// What SendSms answered.
struct AliyunAnswer: Decodable, Sendable {
    /// OK, or why not.
    var code: String
    /// The provider's id of the message.
    var receipt: String?

    enum CodingKeys: String, CodingKey {
        case code = "Code"
        case receipt = "BizId"
    }

    /// The receipt of a message that was taken.
    ///
    /// - Throws: an error of the contract's classes.
    static func receipt(_ response: HostFetchResponse) throws -> String {
        let answer: AliyunAnswer
        do {
            answer = try JSONDecoder().decode(AliyunAnswer.self, from: response.body)
        } catch {
            switch response.status {
            case 429: throw TextError.throttled("status 429", milliseconds: 5000)
            case 300...499: throw TextError.misconfigured("status \(response.status) without an answer of the API")
            default: throw TextError.uncertain("status \(response.status)")
            }
        }
        if answer.code == "OK", (200...299).contains(response.status) { return answer.receipt ?? "" }
        throw error(String(answer.code.prefix(80)), response.status)
    }

    /// What a code means. One that nothing is known of is a refusal, unless the server failed or says that all went well.
    private static func error(_ code: String, _ status: UInt32) -> PluginError {
        switch code {
        // A number's own limits: one a minute, five an hour, ten a day. Which of them is not said.
        case "isv.BUSINESS_LIMIT_CONTROL": TextError.throttled(code, milliseconds: 60_000)
        case "isv.DAY_LIMIT_CONTROL", "isv.MONTH_LIMIT_CONTROL": TextError.throttled(code, milliseconds: 3_600_000)
        case "isv.MOBILE_NUMBER_ILLEGAL": TextError.dead(code)
        case "isv.AMOUNT_NOT_ENOUGH", "isv.OUT_OF_SERVICE", "isp.RAM_PERMISSION_DENY", "SignatureDoesNotMatch",
            "isv.ACCOUNT_NOT_EXISTS", "isv.ACCOUNT_ABNORMAL":
            TextError.misconfigured(code)
        case "isp.SYSTEM_ERROR": TextError.uncertain(code)
        case "SignatureNonceUsed": TextError.throttled(code, milliseconds: 1000)
        default:
            if code.hasPrefix("Throttling") {
                TextError.throttled(code, milliseconds: 5000)
            } else if code.hasPrefix("InvalidAccessKeyId") || code.hasPrefix("InvalidTimeStamp") {
                TextError.misconfigured(code)
            } else if status >= 500 || code == "OK" {
                TextError.uncertain("\(code), status \(status)")
            } else {
                TextError.rejected(code)
            }
        }
    }
}
