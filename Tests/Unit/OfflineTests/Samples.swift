// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SeededRandom

/// Texts of the tests.
enum Samples {
    /// The project's own chapter.
    static func chapter() throws -> String {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
            .deletingLastPathComponent()
        return try String(contentsOf: root.appending(path: "Host/theatre/Samples/chapter.md"), encoding: .utf8)
    }

    /// An English scene in three places.
    static let english = """
        # The Lamp at Marrow Bridge

        Captain Holt came down to Marrow Bridge before the bells. The river was loud under the arches. "You are late," said Agnes.
        She held a lamp in one hand and a letter in the other. Holt took the letter and read it twice. The letter was not signed.

        "Who gave you this?" asked Holt. Agnes looked at the river. "A boy from Penny Street," she said. "He ran before I could hold him."

        That night they walked to Penny Street together. The houses were shuttered, and the boy was sitting on a step with a loaf of bread.
        "I was paid by Mr. Crane," the boy said. "Mr. Crane keeps the tavern." Agnes gave him a coin. Holt said nothing at all.

        The next morning Mr. Crane opened the tavern late. Holt was already inside, and Agnes stood at the door. "A letter without a name
        is a knife without a handle," said Holt. Crane laughed, but his hand shook. Behind him the lamp of Marrow Bridge hung on a nail.
        """

    /// Random text of a seed: Han, Latin, marks, breaks and what no one expects.
    static func random(seed: UInt64, length: Int) -> String {
        var generator = SeededGenerator(seed: seed)
        let alphabet: [Unicode.Scalar] = Array(
            "林冲道：“说来。”去东京樊楼李四王二门街桥张太尉！？…\n\n# -'\"abc The Mr. Holt said at in , ．\u{0}\u{FEFF}\u{1F600}\u{301}「」《》\r\t三更次日"
                .unicodeScalars)
        var view = String.UnicodeScalarView()
        for _ in 0..<length { view.append(alphabet[Int(generator.next() % UInt64(alphabet.count))]) }
        return String(view)
    }
}
