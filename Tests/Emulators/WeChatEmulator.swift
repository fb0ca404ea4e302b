// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// The sign-ins of WeChat's Open Platform and of mini programs: answers of status 200 and `text/plain`, errors by number.
public final class WeChatEmulator: Sendable {
    /// What the AppID is of.
    public enum Kind: Sendable {
        /// `/connect/qrconnect`.
        case website
        /// `/connect/oauth2/authorize`.
        case officialAccount
        /// Codes from the client.
        case app
        /// Codes from the client, for `jscode2session`.
        case miniProgram
    }

    /// What the next exchange of a code meets.
    public enum Fault: Sendable {
        /// An error by number; the code stays good.
        case errcode(Int)
        /// A status and a body.
        case status(Int, String)
        /// The code is used and the connection is cut.
        case cut
        /// The person is a visitor with a made-up profile.
        case snapshot
    }

    private struct Grant {
        var person: String
        var scope: String
        var madeAt: Int64
    }

    private struct State {
        var grants: [String: Grant] = [:]
        var used: Set<String> = []
        var faults: [Fault] = []
        var requests = 0
        var number = 0
    }

    private let appID: String
    private let secret: String
    private let kind: Kind
    private let redirectURI: String
    private let hasUnion: Bool
    private let now: @Sendable () -> Int64
    private let state = Mutex(State())

    /// An AppID.
    ///
    /// - Parameters:
    ///   - hasUnion: it belongs to an account of the Open Platform, so that people have a `unionid`.
    ///   - now: milliseconds since 1970.
    public init(
        appID: String, secret: String, kind: Kind, redirectURI: String, hasUnion: Bool,
        now: @escaping @Sendable () -> Int64
    ) {
        self.appID = appID
        self.secret = secret
        self.kind = kind
        self.redirectURI = redirectURI
        self.hasUnion = hasUnion
        self.now = now
    }

    /// Queues faults for the exchange of codes.
    public func script(_ faults: Fault...) { state.withLock { $0.faults += faults } }
    /// How many requests came.
    public var requests: Int { state.withLock { $0.requests } }

    /// A person agrees to what a URL asks for; nil for one that WeChat's pages refuse.
    public func approve(_ url: String, as person: String) -> (code: String, state: String)? {
        let path = kind == .website ? "/connect/qrconnect" : "/connect/oauth2/authorize"
        let fields = FormFields(url: url)
        let scopes = kind == .website ? ["snsapi_login"] : ["snsapi_base", "snsapi_userinfo"]
        guard url.hasPrefix("https://open.weixin.qq.com\(path)?appid=\(appID)&redirect_uri="),
            url.hasSuffix("#wechat_redirect"), fields["redirect_uri"] == redirectURI,
            fields["response_type"] == "code", scopes.contains(fields["scope"]), fields["state"].utf8.count <= 128
        else { return nil }
        return (code(for: person, scope: fields["scope"]), fields["state"])
    }

    /// A code as a client on a device gets it.
    public func code(for person: String, scope: String = "snsapi_userinfo") -> String {
        state.withLock { state in
            state.number += 1
            let code = "0a1-\(state.number)"
            state.grants[code] = Grant(person: person, scope: scope, madeAt: now())
            return code
        }
    }

    /// The answer to a request.
    public func respond(to request: EmulatorRequest) -> EmulatorAnswer {
        state.withLock { $0.requests += 1 }
        let fields = FormFields(url: request.uri)
        guard request.method == "GET" else { return failure(43001) }
        switch (request.path, kind) {
        case ("/sns/jscode2session", .miniProgram): return exchange(fields, code: fields["js_code"])
        case ("/sns/oauth2/access_token", .website), ("/sns/oauth2/access_token", .officialAccount),
            ("/sns/oauth2/access_token", .app):
            return exchange(fields, code: fields["code"])
        case ("/sns/userinfo", _): return profile(fields)
        default: return EmulatorAnswer(404, [], "")
        }
    }

    private func exchange(_ fields: FormFields, code: String) -> EmulatorAnswer {
        guard fields["appid"] == appID else { return failure(40013) }
        guard fields["secret"] == secret else { return failure(40125) }
        guard fields["grant_type"] == "authorization_code" else { return failure(40002) }
        guard !code.isEmpty else { return failure(41008) }
        let fault = state.withLock { $0.faults.isEmpty ? nil : $0.faults.removeFirst() }
        switch fault {
        case .errcode(let number)?: return failure(number)
        case .status(let status, let body)?: return EmulatorAnswer(status, [], body)
        case .cut?, .snapshot?, nil: break
        }
        let (grant, isUsed) = state.withLock { state in
            let grant = state.grants.removeValue(forKey: code)
            if grant != nil { state.used.insert(code) }
            return (grant, grant == nil && state.used.contains(code))
        }
        guard !isUsed else { return failure(40163) }
        guard let grant, now() - grant.madeAt < 300_000 else { return failure(40029) }
        if case .cut? = fault { return .cut }
        var members: [String: Any] = ["openid": "o-\(grant.person)"]
        if hasUnion { members["unionid"] = "u-\(grant.person)" }
        if kind == .miniProgram {
            members["session_key"] = "tiihtNczf5v6AKRyjwEUhQ=="
        } else {
            members["access_token"] = "access-\(grant.person)"
            members["expires_in"] = 7200
            members["refresh_token"] = "refresh-\(grant.person)"
            members["scope"] = grant.scope
        }
        if case .snapshot? = fault { members["is_snapshotuser"] = 1 }
        return json(members)
    }

    private func profile(_ fields: FormFields) -> EmulatorAnswer {
        let person = String(fields["access_token"].dropFirst("access-".count))
        guard fields["access_token"].hasPrefix("access-") else { return failure(40001) }
        guard fields["openid"] == "o-\(person)" else { return failure(40003) }
        return json([
            "openid": "o-\(person)", "nickname": "昵称 \(person)", "sex": 0,
            "headimgurl": "https://thirdwx.qlogo.cn/\(person)", "privilege": [String](),
        ])
    }

    private func failure(_ code: Int) -> EmulatorAnswer { json(["errcode": code, "errmsg": "error \(code)"]) }

    private func json(_ members: [String: Any]) -> EmulatorAnswer {
        do {
            var answer = try EmulatorAnswer.json(200, members)
            answer.headers = [("content-type", "text/plain")]
            return answer
        } catch { return EmulatorAnswer(500, [], "\(error)") }
    }
}
