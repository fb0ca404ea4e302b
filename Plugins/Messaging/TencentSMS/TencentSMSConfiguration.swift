// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TextMessages

/// The configuration of an instance; the schema in `plugin.json` holds defaults and bounds.
struct TencentSMSConfiguration: Decodable, Sendable {
    /// Where the API is, without a path.
    var baseURL: String
    var secretID: String
    var appID: String
    var region: String
    var signName: String
    var templates: [TextTemplate]
    var timeoutMilliseconds: UInt32

    enum CodingKeys: String, CodingKey {
        case region, templates
        case baseURL = "base_url"
        case secretID = "secret_id"
        case appID = "app_id"
        case signName = "sign_name"
        case timeoutMilliseconds = "timeout_ms"
    }

    /// What the Host header says.
    var host: String { String(baseURL.drop { $0 != "/" }.dropFirst(2)) }
}
