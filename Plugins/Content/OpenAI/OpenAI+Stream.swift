// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import ModelServers
import TheatreContracts
import TheatrePlugin

extension OpenAI {
    func stream(_ request: ContentChatRequest, _ call: Call, _ output: MessageSink<ContentChatPart>) async throws {
        let body = try ChatBody(request, CallParameters(call), configuration)
        guard body.form.schema == nil else {
            return try await output.send(ContentChatPart(whole: try await complete(request, call)))
        }
        let fetch = post("chat/completions", try body.json(streamed: true))
        try await server.stream(fetch, ChatStream(), for: request, call, output)
    }
}
