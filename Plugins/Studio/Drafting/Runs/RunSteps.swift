// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

/// The steps of a run as calls to others. Each may be done again.
struct RunSteps: Sendable {
    let call: Call
    let configuration: DraftingConfiguration
    let store: DraftingStore

    /// The chapter's bones, at most `max_beats` beats, numbered from 1.
    func outline(_ run: StoredRun) async throws -> ContentOutline {
        let text = try await chapter(run)
        let request = ContentChatRequest.with {
            $0.messages = [
                .with {
                    $0.role = .system; $0.text = OutlinePrompt.instruction
                },
                .with {
                    $0.role = .user; $0.text = text
                },
            ]
            $0.task = "outline"
            $0.responseSchema = OutlinePrompt.schema
        }
        let response = try await ContentChatClient(call, feature: Drafting.outline).complete(
            request,
            CallOptions(
                idempotencyKey: "outline:\(run.id)", timeout: .seconds(120), attributes: Self.labels(run, "outline")))
        guard response.finishReason != .length, response.finishReason != .filtered else {
            throw DraftingError.malformed("outline")
        }
        var outline = try Self.read(response.text)
        outline.beats = outline.beats.prefix(configuration.maxBeats).enumerated().map { index, beat in
            var beat = beat
            beat.number = UInt32(index + 1)
            return beat
        }
        guard !outline.beats.isEmpty else { throw DraftingError.noScenes() }
        return outline
    }

    /// One vector for each beat, in order.
    func embed(_ run: StoredRun) async throws -> [(model: String, vector: ContentVector)] {
        let beats = run.outline?.beats ?? []
        let request = ContentEmbedRequest.with { $0.texts = beats.map(Self.meaning) }
        let response = try await ContentEmbeddingClient(call, feature: Drafting.embedding).embed(
            request, CallOptions(idempotencyKey: "embed:\(run.id)", attributes: Self.labels(run, "embed")))
        guard response.vectors.count == beats.count,
            response.vectors.allSatisfy({ $0.values.count == response.vectors[0].values.count })
        else { throw DraftingError.malformed("embedding") }
        return response.vectors.map { (response.model, $0) }
    }

    /// What a call is for, so that its cost is told apart.
    private static func labels(_ run: StoredRun, _ stage: String) -> HostRouteAttributes {
        .with { $0.labels = ["run": run.id, "stage": stage] }
    }

    /// What in the whole chapter does not belong to the setting.
    func findings(_ run: StoredRun) async throws -> [CultureFinding] {
        let text = try await chapter(run)
        return try await culture.validate(
            .with {
                $0.text = text; $0.kind = .prose
            }
        ).findings
    }

    /// The draft of one scene.
    func scene(_ number: Int, of run: StoredRun) async throws -> StudioScene {
        guard let beats = run.outline?.beats, beats.indices.contains(number - 1) else {
            throw DraftingError.noScenes()
        }
        let beat = beats[number - 1]
        let text = Array(try await chapter(run).unicodeScalars)
        let spans = BeatSpans(beats, in: text)
        let span = spans.spans[number - 1]
        let words = span.isEmpty ? Self.meaning(beat) : String(String.UnicodeScalarView(text[span]))
        let judgement = try await culture.validate(
            .with {
                $0.text = words; $0.kind = .prose
            })
        let stage = judgement.stages.first ?? ""
        let prompt = ScenePrompt.text(beat, language: run.language)
        let enriched = try await culture.enrich(
            .with {
                $0.prompt = prompt; $0.stage = stage
            })
        let similar = Similarity.nearest(to: number - 1, in: try await store.vectors(run.id))
        return .with {
            $0.id = ULID.next(prefix: "scn", at: call.host.now)
            $0.number = beat.number
            $0.title = beat.title
            $0.summary = beat.summary
            $0.quote = beat.quote
            $0.characters = beat.characters
            $0.place = beat.place
            $0.stage = stage
            $0.prompt = enriched.prompt
            $0.findings = run.findings.filter { spans.beat(at: Int($0.start)) == number - 1 }
            $0.similar = similar
        }
    }

    /// Takes the chips. Again: the same answer.
    func settle(_ run: StoredRun) async throws {
        let request = LedgerSettleRequest.with {
            $0.key = run.holdKey
            $0.to = "system:sales:CHIP"
            $0.memo = "Draft of \(run.shortTitle)"
        }
        _ = try await ledger.settle(request, CallOptions(idempotencyKey: "settle:\(run.holdKey)"))
    }

    /// Frees the chips. Again: the same answer.
    func void(_ run: StoredRun) async throws {
        let options = CallOptions(idempotencyKey: "void:\(run.holdKey)")
        _ = try await ledger.void(.with { $0.key = run.holdKey }, options)
    }

    /// Tells the owner how it ended; one that cannot be told changes nothing.
    func announce(_ run: StoredRun) async throws {
        guard !call.host.environment.unrouted.contains(Drafting.notify) else { return }
        let request = try RunMessage.request(run)
        do {
            _ = try await NotificationChannelClient(call, feature: Drafting.notify).send(
                request, CallOptions(idempotencyKey: request.messageID))
        } catch let error as PluginError {
            call.host.log.warning(
                "the owner of a run could not be told",
                ["run": run.id, "reason": error.reason, "message": error.message])
        }
    }

    private var culture: CulturePackClient { CulturePackClient(call, feature: Drafting.culture) }
    private var ledger: LedgerClient { LedgerClient(call, feature: Drafting.ledger) }

    private func chapter(_ run: StoredRun) async throws -> String {
        try await store.chapter(run.chapterID, project: run.projectID).text
    }

    /// What of a beat is embedded.
    private static func meaning(_ beat: ContentBeat) -> String {
        let text = [beat.summary, beat.quote].filter { !$0.isEmpty }.joined(separator: "\n")
        return text.isEmpty ? beat.title : text
    }

    /// The outline in an answer; models like to put words or a fence around it.
    static func read(_ text: String) throws -> ContentOutline {
        guard let start = text.firstIndex(of: "{"), let end = text.lastIndex(of: "}"), start < end else {
            throw DraftingError.malformed("outline")
        }
        var options = JSONDecodingOptions()
        options.ignoreUnknownFields = true
        do {
            return try ContentOutline(jsonString: String(text[start...end]), options: options)
        } catch {
            throw DraftingError.malformed("outline")
        }
    }
}
