// TheatreOS
// SPDX-License-Identifier: Apache-2.0

extension Scenarios {
    static let content = [
        Scenario(
            "theatre.content.v1.Chat", by: "Offline",
            [
                .call("Complete", chat), .call("Stream", chat),
                .refused("Complete", "content.no_message", "{}"),
                .refused("Stream", "content.no_message", "{}"),
            ]),
        Scenario(
            "theatre.content.v1.Embedding", by: "Offline",
            [
                .call("Embed", #"{"texts": ["bridge", "灯"]}"#),
                .call("Embed", #"{"texts": ["bridge"], "dimensions": 32}"#),
                .refused("Embed", "content.count", "{}"),
            ]),
        Scenario(
            "theatre.content.v1.Image", by: "Offline",
            [
                .call("Generate", #"{"prompt": "a lamp", "width": 40, "height": 30, "count": 2, "seed": 3}"#),
                .refused("Generate", "content.unsupported", #"{"prompt": "a lamp", "negative_prompt": "rain"}"#),
            ]),
        Scenario(
            "theatre.content.v1.Moderation", by: "Offline",
            [
                .call("Classify", #"{"texts": ["a lamp", "kill yourself", "炸药配方"]}"#),
                .refused("Classify", "content.count", "{}"),
            ]),
        Scenario(
            "theatre.content.v1.Rerank", by: "Offline",
            [
                .call("Rank", #"{"query": "the lamp", "documents": ["a boat", "a lamp"], "top": 2}"#),
                .refused("Rank", "content.count", #"{"query": "the lamp"}"#),
            ]),
        Scenario(
            "theatre.content.v1.Speech", by: "Offline",
            [
                .call("Speak", #"{"text": "灯", "speed": 4}"#),
                .refused("Speak", "content.unsupported", #"{"text": "a", "voice": "alto"}"#),
            ]),
        Scenario(
            "theatre.content.v1.Transcription", by: "Offline",
            [
                .call("Transcribe", #"{"head": {"content_type": "audio/wav"}}"#, "{\"data\": \"\(tones)\"}"),
                .refused("Transcribe", "content.bad_sound", #"{"data": "UklGRg=="}"#),
            ]),
        Scenario(
            "theatre.content.v1.Video", by: "Offline",
            [
                .chance("Start", #"{"request_id": "r", "prompt": "a boat", "duration_ms": 10000}"#, as: "job"),
                .chance("Find", #"{"request_id": "r"}"#), .chance("Get", #"{"job_id": "$job.job_id"}"#),
                .chance("Cancel", #"{"job_id": "$job.job_id"}"#),
                .refused("Fetch", "content.not_ready", #"{"job_id": "$job.job_id"}"#),
                .refused("Find", "content.no_job", #"{"request_id": "never"}"#),
                .refused("Get", "content.no_job", #"{"job_id": "vid_nowhere"}"#),
            ]),
        Scenario(
            "theatre.content.v1.Provider", by: "Anthropic",
            [
                .call("Probe", #"{"tier": "CONFIGURATION"}"#), .call("ListModels", "{}"),
                .refused("Probe", "content.bad_probe", "{}"),
                .refused("theatre.content.v1.Chat/Complete", "content.bad_answer", chat),
                .refused("theatre.content.v1.Chat/Stream", "content.no_message", "{}"),
            ]),
        Scenario(
            "theatre.culture.v1.Pack", by: "Bianjing",
            [
                .call("Describe", #"{"language": "en"}"#), .call("Describe", #"{"language": "zh"}"#),
                .refused("Describe", "culture.language_unknown", #"{"language": "xx"}"#),
                .call(
                    "Validate", #"{"text": "He paid with a banknote and ate a tomato by the bridge.", "kind": "PROSE"}"#
                ),
                .call("Validate", #"{"text": "他在桥边吃了番茄。", "kind": "PROMPT"}"#),
                .call("Enrich", #"{"prompt": "A lantern seller crosses the bridge at dusk."}"#),
                .call("Export", #"{"target": "json"}"#), .call("Export", #"{"target": "markdown"}"#),
                .call("Export", #"{"target": "02"}"#), .call("Export", #"{"target": "07", "language": "en"}"#),
                .call("Export", #"{"target": "10"}"#),
                .refused("Export", "culture.target_unknown", "{}"),
            ]),
        Scenario(
            "theatre.culture.v1.Pack", by: "Baghdad",
            [
                .call("Describe", #"{"language": "ar"}"#),
                .call("Validate", #"{"text": "أكل البطاطسَ عند الجسر", "kind": "PROSE"}"#),
                .call("Validate", #"{"text": "A caliph in a fez among sand dunes.", "kind": "DESIGN"}"#),
                .call("Enrich", #"{"prompt": "وراق في سوق الوراقين ليلًا", "stage": "booksellers"}"#),
                .refused("Enrich", "culture.stage_unknown", #"{"prompt": "night", "stage": "moon"}"#),
                .call("Export", #"{"target": "10", "language": "ar"}"#),
                .refused("Export", "culture.language_unknown", #"{"target": "10", "language": "zh"}"#),
            ]),
        Scenario(
            "theatre.studio.v1.Drafting", by: "Drafting",
            [
                .call("AddChapter", chapter, as: "chapter"),
                .refused(
                    "AddChapter", "drafting.not_found",
                    #"{"project_id": "prj_nowhere", "title": "One", "text": "Night."}"#),
                .refused("StartRun", "drafting.insufficient_chips", start),
                .call("with-ledger:theatre.ledger.v1.Ledger/Post", gift),
                .call("StartRun", start, as: "run"),
                .call("GetRun", #"{"run_id": "$run.id"}"#),
                .refused("GetRun", "drafting.not_found", #"{"run_id": "run_nowhere"}"#),
                .call("theatre.events.v1.Consumer/Deliver", deliver),
                .call("GetRun", #"{"run_id": "$run.id"}"#),
                .call("ListScenes", #"{"run_id": "$run.id"}"#),
                .call("AddChapter", #"{"project_id": "prj_1", "title": "Two", "text": "It rains."}"#, as: "two"),
                .call("StartRun", #"{"project_id": "prj_1", "chapter_id": "$two.id"}"#, as: "second"),
                .call("CancelRun", #"{"run_id": "$second.id"}"#),
                .refused("CancelRun", "drafting.run_ended", #"{"run_id": "$run.id"}"#),
            ]),
        Scenario(
            "theatre.knowledge.v1.Knowledge", by: "Knowledge",
            [
                .call(
                    "AddCollection", #"{"project_id": "prj_1", "name": "Sources", "tags": ["song"]}"#, as: "collection"),
                .refused("AddCollection", "knowledge.name_taken", #"{"project_id": "prj_1", "name": "Sources"}"#),
                .call("ListCollections", #"{"project_id": "prj_1"}"#),
                .call("GetCollection", #"{"collection_id": "$collection.id"}"#),
                .refused("GetCollection", "knowledge.not_found", #"{"collection_id": "col_nowhere"}"#),
                .call("StartImport", sources, as: "import"),
                .refused(
                    "StartImport", "knowledge.not_found",
                    #"{"collection_id": "col_nowhere", "sources": [{"name": "a.txt", "text": "x"}]}"#),
                .call(
                    "theatre.jobs.v1.Worker/Run", #"{"job": {"kind": "knowledge.import", "unique_key": "$import.id"}}"#),
                .call("GetImport", #"{"import_id": "$import.id"}"#),
                .call("ListImports", #"{"collection_id": "$collection.id"}"#),
                .call("ListItems", #"{"collection_id": "$collection.id"}"#),
                .refused("Search", "knowledge.unreleased", #"{"collection_id": "$collection.id", "q": "tea"}"#),
                .call("AddVersion", #"{"collection_id": "$collection.id", "note": "first"}"#, as: "version"),
                .refused("ReleaseVersion", "knowledge.version_state", #"{"version_id": "$version.id"}"#),
                .call(
                    "theatre.jobs.v1.Worker/Run", #"{"job": {"kind": "knowledge.index", "unique_key": "$version.id"}}"#),
                .call("GetVersion", #"{"version_id": "$version.id"}"#),
                .call("ListVersions", #"{"collection_id": "$collection.id"}"#),
                .call("ReleaseVersion", #"{"version_id": "$version.id"}"#),
                .call("Search", #"{"collection_id": "$collection.id", "q": "樊楼"}"#, as: "found"),
                .call("GetChunk", #"{"chunk_id": "$found.items.0.chunk_id"}"#),
                .call("theatre.access.v1.Scopes/ResolveProject", #"{"parameter": "version_id", "id": "$version.id"}"#),
                .refused("RollbackVersion", "knowledge.bad_reason", #"{"version_id": "$version.id", "reason": " "}"#),
                .call("RollbackVersion", #"{"version_id": "$version.id", "reason": "another book"}"#),
            ]),
        Scenario(
            "theatre.access.v1.Scopes", by: "Drafting",
            [
                .call("with-ledger:theatre.ledger.v1.Ledger/Post", gift),
                .call("theatre.studio.v1.Drafting/AddChapter", chapter, as: "chapter"),
                .call("theatre.studio.v1.Drafting/StartRun", start, as: "run"),
                .call("ResolveProject", #"{"parameter": "run_id", "id": "$run.id"}"#),
                .refused("ResolveProject", "drafting.not_found", #"{"parameter": "run_id", "id": "run_nowhere"}"#),
            ]),
        Scenario(
            "theatre.events.v1.Consumer", by: "Drafting",
            [
                .call("with-ledger:theatre.ledger.v1.Ledger/Post", gift),
                .call("theatre.studio.v1.Drafting/AddChapter", chapter, as: "chapter"),
                .call("theatre.studio.v1.Drafting/StartRun", start, as: "run"),
                .call("Deliver", deliver), .call("Deliver", deliver),
                .call("Deliver", #"{"event": {"type": "another.thing", "aggregate": "x"}, "attempt": 1}"#),
                .call(
                    "Deliver",
                    #"{"event": {"type": "draft.requested", "aggregate": "run_nowhere"}, "attempt": 1}"#),
            ]),
    ]

    /// The letter `a` as the offline model speaks it at four times the speed of people.
    private static let tones = """
        UklGRpQDAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YXADAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAEAfQB/B4MDgQB9AH8HgwOBAH0AfweDA4EAfQB/B4MDgQB9AH8Hg\
        wOBAH0AfweDA4EAfQB/B4MDgQB9AH8HgwOBAH0AfweDA4EAfQB/B4MDgQB8xLEAfAADB4M/TwOAAAEAfMSxAHwAAweDP08DgAABAHzEsQB8A\
        AMHgz9PA4AAAQB8xLEAfAADB4M/TwOAAAEAfMSxAHwAAweDP08DgAABAH/Dr6QbpBvDrQB+g2KYrWtRgJ8HgEBQX+Rf5EBTA4GAnWtSmK6DY\
        QB/w6+kG6Qbw60AfoNimK1rUYCfB4BAUF/kX+RAUwOBgJ1rUpiug2EAfEBRa1OkGYCfB4PDrpisX+aDYQB8QFFrU6QZgJ8Hg8OumKxf5oNhA\
        HxAUWtTpBmAnweDw66YrF/mg2EAfEBRa1OkGYCfB4PDrpisX+aDYQB8AAMDgMSzB4AAAQB/P00AfAADA4DEsweAAAEAfz9NAHwAAwOAxLMHg\
        AABAH8/TQB8AAMDgMSzB4AAAQB/P00AfAADA4DEsweAAAEAfz9NAH/oZoNhY8qYrAABa1KgNYCcG5sDgwCMQFPnVF/kxLBf5+dUQFMAjweAG\
        5mAnqA1a1AAApitY8qDY+hlAH0Dc8OsHKukGz9PpBgcq8OtA3EAfAADA4DEsweAAAEAfz9NAHwAAwOAxLMHgAABAH8/TQB8AAMDgMSzB4AAA\
        QB/P00AfAADA4DEsweAAAEAfz9NAHwAAwOAxLMHgAABAH8/TQB/w6+kG6Qbw60AfoNimK1rUYCfB4BAUF/kX+RAUwOBgJ1rUpiug2EAf8Ovp\
        BukG8OtAH6DYpita1GAnweAQFBf5F/kQFMDgYCda1KYroNhAH2AnF/la1PDrQB9gJxf5WtTw60AfYCcX+VrU8OtAH2AnF/la1PDrQB9gJxf5\
        WtTw60AfYCcX+VrU8OtAH2AnF/la1PDrQB9gJxf5WtTw60AfByrpBkDcoNgAAGAnwCMX+fnVwOCoDaYr+hnw68/T8Ov6GaYrqA3B4PnVF/nA\
        I2AnAACg2EDc6QYHKkAfWPJa1AbmEBQxLBAUBuZa1Fjy
        """

    private static let chat = """
        {"messages": [{"role": "USER", "text": "A lantern seller crosses the bridge at dusk. 汴河上灯火通明。"}], "seed": 4}
        """

    private static let chapter = """
        {"project_id": "prj_1", "title": "One",
         "text": "A lantern seller crosses the bridge at dusk. The river is loud. A boat comes under the arch."}
        """

    private static let sources = """
        {"collection_id": "$collection.id", "sources": [
            {"name": "hall.txt", "text": "第二回 樊楼\\n樊楼是东京最大的酒楼。"},
            {"name": "tea.md", "text": "# Tea\\nTea houses opened before dawn."}, {"name": "x.pdf", "text": "%"}]}
        """

    private static let gift = """
        {"key": "gift", "memo": "a gift", "postings": [
            {"account": "user:usr_1:CHIP", "amount": 100, "currency": "CHIP"},
            {"account": "system:issued:CHIP", "amount": -100, "currency": "CHIP"}]}
        """

    private static let start = #"{"project_id": "prj_1", "chapter_id": "$chapter.id"}"#

    private static let deliver = """
        {"event": {"type": "draft.requested", "aggregate": "$run.id", "tenant": "default"}, "attempt": 1}
        """
}
