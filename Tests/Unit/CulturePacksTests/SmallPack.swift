// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

@testable import CulturePacks

/// A pack of a few rules in three scripts.
enum SmallPack {
    static let patterns = [
        "tea", "green tea", "teapot", "茶", "抹茶", "茶壶", "شاي", "شاي أخضر", "قهوة", "هاتف", "ö", "кот",
    ]

    static func pack() throws -> CulturePack { try CulturePack(json: Data(document.utf8)) }

    static let document = """
        {"pack": 1, "id": "small", "version": "1", "languages": ["en"], "name": "Small", "summary": "A pack of tests.",
         "variants": ["壺壶"], "vocabulary": [{"term": "well", "meaning": "water", "category": "object", "source": "here"}],
         "norms": [
            {"kind": "visual", "show": true, "text": "Show wells.", "source": "here", "cues": ["well"]},
            {"kind": "visual", "show": false, "text": "No clouds.", "source": "here", "cues": ["sky"],
             "judged": {"code": "norm.clouds", "patterns": ["cloud"], "severity": "suggestion", "instead": "a clear sky"}}],
         "taboos": [
            {"code": "a.tea", "patterns": ["tea", "green tea", "teapot", "茶", "抹茶", "茶壶"], "severity": "violation",
             "reason": "There is none.", "instead": "water"},
            {"code": "a.drinks", "patterns": ["شاي", "شاي أخضر", "قهوة", "هاتف", "ö", "кот"], "severity": "warning",
             "reason": "There is none.", "instead": "water"},
            {"code": "a.design", "patterns": ["glow"], "severity": "violation", "reason": "No.", "instead": "shade",
             "kinds": ["design"]}],
         "stages": [{"id": "yard", "name": "The yard", "description": "A yard.", "details": ["dust"], "hours": ["day"],
             "source": "here", "cues": ["yard"]}],
         "themes": [{"id": "thirst", "name": "Thirst", "summary": "Who drinks first.",
            "gates": [{"id": "first", "kind": "public", "question": "Who?", "evidence": ["cup"], "explanation": "{option}.",
                "options": [{"id": "a", "text": "She", "changes": {"water": -2}}, {"id": "b", "text": "He", "changes": {}}]}],
            "evidence": [{"id": "cup", "name": "A cup", "category": "object", "tier": "C", "forgeability": 10, "hours": 0,
                "verified": "By its rim."}],
            "variables": [{"id": "water", "name": "Water", "meaning": "What is left.", "least": 0, "most": 10, "start": 4,
                "step": 2}]}],
         "prompts": [{"id": "p", "purpose": "scene", "text": "A scene at {stage}."}]}
        """
}
