// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreContracts
import TheatrePlugin
import TheatreStorage

/// theatre.events.v1.Log.
extension PostgreSQL: EventsLogContract {
    func append(_ request: EventsAppendRequest, _ call: Call) async throws -> EventsAppendResponse {
        try await serving(call) { engine, scope in try await engine.append(request, for: scope) }
    }

    func read(_ request: EventsReadRequest, _ call: Call) async throws -> EventsReadResponse {
        try await serving(call) { engine, scope in try await engine.read(request, for: scope) }
    }

    func moveCursor(_ request: EventsMoveCursorRequest, _ call: Call) async throws -> EventsMoveCursorResponse {
        try await serving(call) { engine, _ in try await engine.moveCursor(request) }
    }

    func listConsumers(_ request: EventsListConsumersRequest, _ call: Call) async throws -> EventsListConsumersResponse
    {
        try await serving(call) { engine, _ in try await engine.listConsumers() }
    }

    func addDeadLetter(
        _ request: EventsAddDeadLetterRequest, _ call: Call
    ) async throws -> EventsAddDeadLetterResponse {
        try await serving(call) { engine, _ in
            try await engine.write(DeadLetterRows.add(request, at: engine.environment.now()))
        }
    }

    func listDeadLetters(
        _ request: EventsListDeadLettersRequest, _ call: Call
    ) async throws -> EventsListDeadLettersResponse {
        try await serving(call) { engine, _ in try await engine.look(DeadLetterRows.list(request)) }
    }

    func resolveDeadLetters(
        _ request: EventsResolveDeadLettersRequest, _ call: Call
    ) async throws -> EventsResolveDeadLettersResponse {
        try await serving(call) { engine, _ in try await engine.write(DeadLetterRows.resolve(request)) }
    }

    func trim(_ request: EventsTrimRequest, _ call: Call) async throws -> EventsTrimResponse {
        try await serving(call) { engine, _ in try await engine.write(EventRows.trim(request)) }
    }

    func previewTrim(_ request: EventsPreviewTrimRequest, _ call: Call) async throws -> EventsPreviewTrimResponse {
        try await serving(call) { engine, _ in try await engine.look(EventRows.previewTrim(request)) }
    }
}
