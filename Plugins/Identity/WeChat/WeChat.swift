// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SignIn
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// Sign-in with WeChat: the code of a web site, an official account or an app of the Open Platform, or of a mini program.
struct WeChat: Plugin, AuthProviderContract {
    static var operations: [Operation<WeChat>] { authProviderOperations }

    private let host: PluginHost
    private let configuration: WeChatConfiguration

    init(_ host: PluginHost, _ configuration: WeChatConfiguration) throws {
        self.host = host
        self.configuration = configuration
    }

    func activate() async throws { try await ChallengeStore(host, feature: "wechat.storage").migrate() }

    func start(_ request: AuthStartRequest, _ call: Call) async throws -> AuthStartResponse {
        guard configuration.isRedirect == !request.redirectUri.isEmpty,
            request.redirectUri.isEmpty || configuration.redirectURIs.contains(request.redirectUri)
        else { throw SignInError.redirect() }
        let challenge = Challenge()
        // WeChat asks for letters and figures, 128 bytes at most: so is ours. A caller's goes out as it is, escaped.
        let state = request.state.isEmpty ? Hex.encode(Digest.sha256(challenge.state.utf8)) : request.state
        guard state.utf8.count <= 128 else {
            throw PluginError.invalid("/state", "auth.bad_state", "WeChat hands back at most 128 bytes; send fewer.")
        }
        let now = host.now
        try await ChallengeStore(call, feature: "wechat.storage").begin(
            challenge, .init(redirectURI: request.redirectUri, state: state),
            until: now + configuration.challengeSeconds * 1000, at: now)
        return .with {
            $0.challenge = challenge.text
            $0.expiresIn = UInt32(clamping: configuration.challengeSeconds)
            if configuration.isRedirect { $0.authorizeURL = authorizeURL(request.redirectUri, state) }
        }
    }

    func verify(_ request: AuthVerifyRequest, _ call: Call) async throws -> AuthVerifyResponse {
        guard let challenge = Challenge(request.challenge),
            let begun = try await ChallengeStore(call, feature: "wechat.storage").end(challenge, at: host.now)
        else { throw refused("challenge") }
        guard !configuration.isRedirect || begun.isAnswered(by: request.state) else { throw refused("state") }
        // WeChat never says who it is: an answer that does is somebody else's.
        guard request.issuer.isEmpty else { throw refused("issuer of the answer") }
        guard (1...200).contains(request.secret.utf8.count) else { throw refused("form of the code") }
        let answer = try await exchange(request.secret, call)
        guard !answer.openID.isEmpty else { throw SignInError.misconfigured("WeChat names nobody") }
        guard !answer.isSnapshot else { throw refused("snapshot user") }
        var response = AuthVerifyResponse()
        response.subject = subject(answer)
        response.claims = ["openid": answer.openID, "app_id": configuration.appID]
        if configuration.givesProfile { try await addProfile(answer, to: &response, call) }
        return response
    }

    /// Nothing is kept of a person here.
    func remove(_ request: AuthRemoveRequest, _ call: Call) async throws -> AuthRemoveResponse { AuthRemoveResponse() }

    private func authorizeURL(_ redirect: String, _ state: String) -> String {
        let path = configuration.kind == .website ? "/connect/qrconnect" : "/connect/oauth2/authorize"
        // In the order of WeChat's description, which its pages insist on.
        let fields = [
            ("appid", configuration.appID), ("redirect_uri", redirect), ("response_type", "code"),
            ("scope", configuration.grantedScope), ("state", state),
        ]
        return Form.append(fields, to: configuration.authorizeURL + path) + "#wechat_redirect"
    }

    /// Sent once: a code whose answer was lost may be used up.
    private func exchange(_ code: String, _ call: Call) async throws -> WeChatAnswer {
        let isMini = configuration.kind == .miniProgram
        let path = isMini ? "/sns/jscode2session" : "/sns/oauth2/access_token"
        // The host puts the secret in: it takes it in the query and nowhere else.
        let url =
            "\(configuration.baseURL)\(path)?appid=\(configuration.appID)&secret=${secret:app_secret}&"
            + Form.encode([(isMini ? "js_code" : "code", code), ("grant_type", "authorization_code")])
        return try WeChatAnswer(await http(call).get(url))
    }

    /// One person has one `unionid` over the AppIDs of an account, and an `openid` at each.
    private func subject(_ answer: WeChatAnswer) -> String {
        answer.unionID.isEmpty ? "o.\(configuration.appID).\(answer.openID)" : "u.\(answer.unionID)"
    }

    private func addProfile(_ answer: WeChatAnswer, to response: inout AuthVerifyResponse, _ call: Call) async throws {
        let url = Form.append(
            [("access_token", answer.accessToken), ("openid", answer.openID), ("lang", "zh_CN")],
            to: "\(configuration.baseURL)/sns/userinfo")
        let profile: WeChatAnswer
        do { profile = try WeChatAnswer(await http(call).get(url)) } catch let error as PluginError {
            // Who it is, is known: a picture that is missing keeps nobody out.
            host.log.debug("a profile was not given", ["error.reason": error.reason])
            return
        }
        guard profile.openID == answer.openID else { return }
        for (name, claim) in [("nickname", "nickname"), ("headimgurl", "picture")] where !profile.text(name).isEmpty {
            response.claims[claim] = profile.text(name)
        }
    }

    private func http(_ call: Call) -> OutsideHTTP {
        OutsideHTTP(call, timeoutMilliseconds: configuration.timeoutMilliseconds)
    }

    /// The caller learns no more than that; the log does.
    private func refused(_ fault: String) -> PluginError {
        host.log.debug("a sign-in was refused", ["auth.fault": fault])
        return SignInError.refused()
    }
}
