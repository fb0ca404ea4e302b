// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CTheatrePlugin
import FoundationEssentials
import Testing

/// What `theatre_plugin.h` says of itself: every function with its rules, every constant with its value.
@Suite struct HeaderTests {
    private static let text: String = {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let header = root.appending(path: "PluginAPI/CTheatrePlugin/include/theatre_plugin.h")
        return (try? String(contentsOf: header, encoding: .utf8)) ?? ""
    }()

    /// Each function pointer with the comment right above it, empty where there is none.
    private static func functions(_ text: String) -> [(name: String, comment: String)] {
        let pointer = #/(?:typedef )?(?:const )?\w+ \*?\(\*(\w+)\)\(/#
        var found: [(String, String)] = []
        var comment = ""
        var rest = text[...]
        while let next = rest.firstMatch(of: #/(?s)\/\*.*?\*\/|;|(?:typedef )?(?:const )?\w+ \*?\(\*\w+\)\(/#) {
            rest = rest[next.range.upperBound...]
            if next.output.hasPrefix("/*") {
                comment = String(next.output)
            } else if let function = next.output.wholeMatch(of: pointer) {
                found.append((String(function.1), comment))
            } else {
                comment = ""
            }
        }
        return found
    }

    /// What a comment does not say of thread, state and ownership.
    private static func silences(_ comment: String) -> [String] {
        var missing: [String] = []
        if comment.firstMatch(of: #/\[(?:control|any)\]/#) == nil { missing.append("thread") }
        let afterThread = comment.firstMatch(of: #/\](?:\s|\*)+(LOADED|CONFIGURED|READY|DRAINING)\b/#)
        if afterThread == nil { missing.append("state") }
        if comment.firstMatch(of: #/\* Ownership: \S+/#) == nil { missing.append("ownership") }
        return missing
    }

    @Test func everyFunctionStatesItsThreadItsStatesAndWhoOwnsWhat() {
        let functions = Self.functions(Self.text)
        #expect(
            functions.map(\.name) == [
                "activate", "self_test", "invoke", "reply", "send", "credit", "cancel", "deactivate", "destroy",
                "complete", "request", "send", "credit", "cancel", "is_live", "now", "log", "create",
                "theatre_plugin_entry",
            ])
        for (name, comment) in functions { #expect(Self.silences(comment) == [], "\(name)") }
    }

    @Test func aFunctionThatDoesNotSaySoIsFound() {
        let header = """
            /* [any] READY. Does.
             * Ownership: nothing is handed over. */
            void (*told)(void *ctx);
            void (*untold)(void *ctx);
            /* Does. */
            int32_t (*silent)(void *ctx);
            """
        #expect(Self.functions(header).map { Self.silences($0.comment).count } == [0, 3, 3])
    }

    /// Of revision 0; what a later one adds is added here, what stands stays as it is.
    private static let golden: [String: String] = [
        "THEATRE_ABI_MAJOR": "1u", "THEATRE_ABI_REVISION": "0u", "THEATRE_ERROR_SIZE_0": "72u",
        "THEATRE_REQUEST_SIZE_0": "104u", "THEATRE_RESULT_SIZE_0": "32u", "THEATRE_CHUNK_SIZE_0": "32u",
        "THEATRE_CREATE_SIZE_0": "72u", "THEATRE_INSTANCE_SIZE_0": "88u", "THEATRE_HOST_SIZE_0": "80u",
        "THEATRE_PLUGIN_SIZE_0": "104u", "THEATRE_OK": "0", "THEATRE_CANCELLED": "1", "THEATRE_UNKNOWN": "2",
        "THEATRE_INVALID_ARGUMENT": "3", "THEATRE_DEADLINE_EXCEEDED": "4", "THEATRE_NOT_FOUND": "5",
        "THEATRE_ALREADY_EXISTS": "6", "THEATRE_PERMISSION_DENIED": "7", "THEATRE_RESOURCE_EXHAUSTED": "8",
        "THEATRE_FAILED_PRECONDITION": "9", "THEATRE_ABORTED": "10", "THEATRE_OUT_OF_RANGE": "11",
        "THEATRE_UNIMPLEMENTED": "12", "THEATRE_INTERNAL": "13", "THEATRE_UNAVAILABLE": "14",
        "THEATRE_DATA_LOSS": "15", "THEATRE_UNAUTHENTICATED": "16", "THEATRE_EFFECT_NONE": "0u",
        "THEATRE_EFFECT_UNKNOWN": "1u", "THEATRE_EFFECT_APPLIED": "2u", "THEATRE_RETRY_NEVER": "0u",
        "THEATRE_RETRY_SAFE": "1u", "THEATRE_RETRY_AFTER": "2u", "THEATRE_CALL_STREAM_IN": "1u",
        "THEATRE_CALL_STREAM_OUT": "2u", "THEATRE_CALL_SIDE_EFFECT": "4u", "THEATRE_CHUNK_END": "1u",
        "THEATRE_STREAM_CREDIT": "65536u", "THEATRE_CLOCK_MONOTONIC": "0u", "THEATRE_CLOCK_WALL": "1u",
        "THEATRE_LOG_TRACE": "0u", "THEATRE_LOG_DEBUG": "1u", "THEATRE_LOG_INFO": "2u", "THEATRE_LOG_NOTICE": "3u",
        "THEATRE_LOG_WARNING": "4u", "THEATRE_LOG_ERROR": "5u", "THEATRE_CANCEL_CALLER": "0u",
        "THEATRE_CANCEL_DEADLINE": "1u", "THEATRE_CANCEL_DRAIN": "2u",
        "THEATRE_ENTRY_PREFIX": "\"theatre_plugin_v1_\"", "THEATRE_MANIFEST_SECTION": "\".theatre.manifest\"",
        "THEATRE_CONTRACTS_SECTION": "\".theatre.contracts\"",
    ]

    @Test func everyConstantStands() {
        let pairs = Self.text.matches(of: #/(?m)^#define (\w+) (\S+)/#).map { (String($0.1), String($0.2)) }
        let found = Dictionary(pairs) { first, _ in first }
        #expect(found.count == pairs.count, "a constant is defined twice")
        for name in Set(found.keys).union(Self.golden.keys).sorted() {
            #expect(found[name] == Self.golden[name], "\(name)")
        }
    }

    /// The structs grow at their ends only, so none is ever shorter than it was.
    @Test(arguments: [
        ("theatre_error", MemoryLayout<theatre_error>.size, THEATRE_ERROR_SIZE_0),
        ("theatre_request", MemoryLayout<theatre_request>.size, THEATRE_REQUEST_SIZE_0),
        ("theatre_result", MemoryLayout<theatre_result>.size, THEATRE_RESULT_SIZE_0),
        ("theatre_chunk", MemoryLayout<theatre_chunk>.size, THEATRE_CHUNK_SIZE_0),
        ("theatre_create", MemoryLayout<theatre_create>.size, THEATRE_CREATE_SIZE_0),
        ("theatre_instance", MemoryLayout<theatre_instance>.size, THEATRE_INSTANCE_SIZE_0),
        ("theatre_host", MemoryLayout<theatre_host>.size, THEATRE_HOST_SIZE_0),
        ("theatre_plugin", MemoryLayout<theatre_plugin>.size, THEATRE_PLUGIN_SIZE_0),
    ])
    func noStructIsShorterThanInRevisionZero(_ name: String, _ size: Int, _ least: UInt32) {
        #expect(size >= Int(least), "\(name)")
        if THEATRE_ABI_REVISION == 0 { #expect(size == Int(least), "\(name) grew, and the revision did not") }
    }
}
