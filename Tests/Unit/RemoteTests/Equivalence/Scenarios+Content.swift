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
                .refused("Embed", "content.count", "{}"),
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
                .refused("Export", "culture.target_unknown", "{}"),
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
