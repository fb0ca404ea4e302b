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
