// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import TheatreContracts

/// The prompt for pictures of a scene, before a culture pack enriches it.
enum ScenePrompt {
    static func text(_ beat: ContentBeat, language: String) -> String {
        let isChinese = language.hasPrefix("zh")
        var lines = [beat.title, beat.summary]
        if !beat.characters.isEmpty {
            lines.append(
                (isChinese ? "人物：" : "Characters: ") + beat.characters.joined(separator: isChinese ? "、" : ", "))
        }
        if !beat.place.isEmpty { lines.append((isChinese ? "地点：" : "Place: ") + beat.place) }
        return lines.filter { !$0.isEmpty }.joined(separator: "\n")
    }
}
