// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import TheatreContracts
import TheatrePlugin

/// Which service a request says it is from, RFC 6749 section 2.3.1: in its header or in its form.
enum ClientClaim: Hashable {
    /// None.
    case nobody
    /// One, and its secret.
    case secret(id: String, secret: String)

    /// nil where it is said in both ways, which section 2.3 forbids.
    init?(_ request: HTTPRequest, _ form: FormBody) {
        let header = request.headers.first { $0.name == "authorization" }?.value ?? ""
        let inForm = form["client_secret"]
        guard let basic = Self.basic(header) else {
            self = .nobody
            if let id = form["client_id"], let inForm { self = .secret(id: id, secret: inForm) }
            return
        }
        guard inForm == nil else { return nil }
        self = basic
    }

    /// Of an Authorization header; nil for one of another scheme. What is malformed is nobody's secret.
    private static func basic(_ header: String) -> ClientClaim? {
        guard header.utf8.count > 6, header.prefix(6).lowercased() == "basic " else { return nil }
        let text = header.dropFirst(6).filter { $0 != " " }
        // Our ids have a colon, which not everybody encodes; our secrets have none.
        guard let bytes = Data(base64Encoded: text).map(Array.init), let colon = bytes.lastIndex(of: UInt8(ascii: ":")),
            let id = FormBody.decode(bytes[..<colon]), let secret = FormBody.decode(bytes[(colon + 1)...])
        else { return .secret(id: "", secret: "") }
        return .secret(id: id, secret: secret)
    }
}
