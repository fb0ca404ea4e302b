// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Crypto
internal import FoundationEssentials
internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import Runtime
internal import TheatreContracts
internal import TheatreManifest

/// From a whole request to the plugin's answer.
extension RequestHandler {
    func proceed(_ exchange: Exchange) {
        if let open = exchange.opensStream {
            exchange.opensStream = nil
            return open(self)
        }
        guard let entry = exchange.entry else { return }
        if let error = placed(exchange, entry.route.rate) { return refuse(exchange, error) }
        do throws(CallError) {
            try encode(exchange, entry)
        } catch {
            return answer(exchange, ErrorResponse(error, module: entry.instance))
        }
        exchange.wasEncoded()
        if exchange.needsApproval { return seekApproval(exchange, entry) }
        callOnce(exchange, entry)
    }

    /// Makes the request message and the context.
    func encode(_ exchange: Exchange, _ entry: RouteEntry) throws(CallError) {
        var path = try parameters(exchange, entry)
        // The stored row says which project it is of: what the request says must agree.
        if entry.takesProject { path.append(RouteParameter(name: "project_id", value: exchange.project)) }
        var query: [RouteParameter] = []
        if exchange.pathEnd < exchange.head.uri.utf8.count {
            guard let decoded = PercentDecoding.query(exchange.query) else {
                throw CallError(.invalidArgument, "request.query", "the query is not well-formed; percent-encode it")
            }
            query = decoded
        }
        switch entry.body {
        case .message(let codec):
            do throws(CallError) {
                exchange.message = try codec.request(body: exchange.body, path: path, query: query)
            } catch {
                throw entry.namesAnotherProject(error) ? Self.otherProject : error
            }
        case .raw, .rawStream:
            exchange.message = try RawCodec.request(exchange, entry, path: path, query: query)
        }
        exchange.context = makeContext(exchange, entry)
    }

    func parameters(_ exchange: Exchange, _ entry: RouteEntry) throws(CallError) -> [RouteParameter] {
        guard !exchange.captures.isEmpty else { return [] }
        if let known = exchange.parameters { return known }
        var parameters: [RouteParameter] = []
        parameters.reserveCapacity(exchange.captures.count)
        let uri = exchange.head.uri.utf8
        for (name, range) in zip(entry.parameterNames, exchange.captures) {
            let start = uri.index(uri.startIndex, offsetBy: range.lowerBound)
            let end = uri.index(start, offsetBy: range.count)
            guard let value = PercentDecoding.decode(uri[start..<end]) else {
                throw CallError(
                    .invalidArgument, "request.path", "the path is not well-formed; percent-encode it",
                    detail: "/\(name)")
            }
            parameters.append(RouteParameter(name: name, value: value))
        }
        exchange.parameters = parameters
        return parameters
    }

    private static var otherProject: CallError {
        CallError(
            .permissionDenied, "access.other_project",
            "The body names another project than the path leads to; leave it out.", detail: "/project_id")
    }

    /// - Parameter digest: of the request, where its body is not there any more.
    func makeContext(_ exchange: Exchange, _ entry: RouteEntry, digest: Data? = nil) -> CallContext {
        // Fields of theatre.host.v1.Context, by number.
        var rest = WireBytes(capacity: 96)
        if !exchange.project.isEmpty { rest.add(2, exchange.project.utf8) }
        // Comes after the route's own fields, and so in place of what they say.
        if !exchange.decision.isEmpty { rest.add(10, exchange.decision.utf8) }
        if let languages = exchange.headers.acceptLanguage { rest.add(13, Self.locale(languages).utf8) }
        rest.add(14, exchange.requestID.utf8)
        if entry.isMutating {
            if let key = exchange.headers.idempotencyKey { rest.add(15, key.utf8) }
        }
        if let digest {
            rest.add(16, digest)
        } else if entry.isMutating || exchange.needsApproval {
            let withBody = !entry.hidesBody || exchange.needsApproval
            exchange.digest(withBody: withBody).withUnsafeBytes { rest.add(16, $0) }
        }
        let network = network(exchange)
        if !network.isEmpty { rest.add(23, network.utf8) }
        return CallContext(
            route: entry.contextFields, principal: exchange.caller?.contextFields ?? exchange.stranger.contextFields,
            rest: rest.bytes, trace: exchange.trace)
    }

    /// The prefix of the address that a request comes from.
    func network(_ exchange: Exchange) -> String {
        exchange.headers.forwardedFor == nil ? peerNetwork : client(exchange)?.networkText ?? ""
    }

    /// The first language tag of Accept-Language, or nothing for `*` and what is no tag.
    static func locale(_ languages: String) -> String {
        let first = languages.utf8.prefix { $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: ";") }
        if isTag(first) { return first.endIndex == languages.endIndex ? languages : String(Substring(first)) }
        let packed = String(Substring(first).filter { $0 != " " })
        return isTag(packed.utf8[...]) ? packed : ""
    }

    private static func isTag(_ text: Substring.UTF8View) -> Bool {
        (1...35).contains(text.count)
            && text.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D: true
                default: false
                }
            }
    }

    func call(_ exchange: Exchange, _ entry: RouteEntry) {
        guard let context = exchange.context else { return }
        let target: CallTarget
        do throws(CallError) {
            target = try entry.target()
        } catch {
            return answer(exchange, ErrorResponse(error, module: entry.instance))
        }
        exchange.attempts += 1
        let attempt = exchange.attempts
        exchange.message.withUnsafeBytes { payload in
            var outgoing = OutgoingCall(payload: payload, context: context)
            outgoing.attempt = attempt
            outgoing.timeout = entry.timeout
            if let key = exchange.headers.idempotencyKey { outgoing.idempotencyKey = key }
            let id = core.calls.start(outgoing, on: target, sink: exchange)
            if exchange === self.exchange { exchange.call = id }
        }
    }

    /// The plugin has answered.
    func settle(_ exchange: Exchange, _ outcome: Exchange.Outcome) {
        guard exchange === self.exchange, let entry = exchange.entry else { return }
        exchange.call = .none
        switch outcome {
        case .none: break
        case .answer(let made):
            auditRead(exchange, entry)
            if core.configuration.verifyAnswers, entry.context.answerRequired, core.services.answers != nil {
                verifyAnswer(exchange, entry, made)
            } else {
                answer(exchange, made)
            }
        case .failure(let error): failed(exchange, entry, error)
        }
    }

    func failed(_ exchange: Exchange, _ entry: RouteEntry, _ error: CallError) {
        if error.reason == "instance.retired", error.effect == .none {
            entry.forgetTarget()
            if exchange.attempts == 1 { return call(exchange, entry) }
        }
        if error.reason == "sql.answer_exists" { return replayAfterConflict(exchange, entry, error) }
        report(exchange, entry, error)
    }

    /// Answers with an error, and logs what is nobody's request's fault.
    func report(_ exchange: Exchange, _ entry: RouteEntry, _ error: CallError) {
        var response = ErrorResponse(error, module: entry.instance)
        if error.reason == "sql.connection_lost", mayRepeat(exchange, entry) {
            response.isRetryable = true
            response.retryAfter = 1
        }
        if response.status.code == 500 {
            core.log.error(
                "request failed",
                metadata: [
                    "request.id": "\(exchange.requestID)", "request.route": "\(entry.key)",
                    "instance": "\(entry.instance)", "error.reason": "\(error.reason)",
                    "error.message": "\(error.message)",
                ])
        }
        // A plugin's own refusal is one like the gateway's.
        response.status.code == 401 || response.status.code == 403
            ? refuse(exchange, response) : answer(exchange, response)
    }

    /// Whether the same request may come again although it is not known what became of it: the answer, stored with the
    /// effect, is found under its key where there was one.
    private func mayRepeat(_ exchange: Exchange, _ entry: RouteEntry) -> Bool {
        entry.context.answerRequired && exchange.headers.idempotencyKey != nil && core.services.answers != nil
    }
}
