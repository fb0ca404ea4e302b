// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// What a person is sent.
struct CodeMessage: Sendable {
    let title: String
    let body: String
    /// For channels with templates: `{"code":"123456","minutes":"5"}`.
    let data: String

    /// - Parameter locale: BCP 47; Chinese where it begins so, else English.
    init(code: String, seconds: Int64, locale: String) {
        let minutes = max(1, seconds / 60)
        let language = locale.lowercased().split(separator: "-").first.map(String.init) ?? ""
        switch language {
        case "zh":
            title = "验证码"
            body = "验证码 \(code)，\(minutes) 分钟内有效。请勿告诉任何人。"
        default:
            title = "Your code"
            body = "Your code is \(code). It counts for \(minutes) minutes; tell it to nobody."
        }
        data = #"{"code":"\#(code)","minutes":"\#(minutes)"}"#
    }
}
