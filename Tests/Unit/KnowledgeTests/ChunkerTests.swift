// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SeededRandom
import Testing

@testable import Knowledge

/// Texts cut into chunks of whole sentences.
struct ChunkerTests {
    private func sentences(_ text: String) -> [String] {
        let scalars = Array(text.unicodeScalars)
        return SentenceBreaks.sentences(scalars, 0..<scalars.count).map {
            String(String.UnicodeScalarView(scalars[$0]))
        }
    }

    @Test func sentencesEndAtTheMarksOfBothLanguages() {
        #expect(
            sentences("他说：“你来了？”她没有答。桥上有人！") == ["他说：“你来了？”", "她没有答。", "桥上有人！"])
        #expect(
            sentences("Dr. Smith met J. R. Tolkien. It is 3.14 today! Yes. e.g. no")
                == ["Dr. Smith met J. R. Tolkien. ", "It is 3.14 today! ", "Yes. e.g. no"])
        #expect(sentences("标题\n\n正文。\n\n\nNo mark\n\nEnd") == ["标题\n\n", "正文。\n\n\n", "No mark\n\n", "End"])
        #expect(sentences("等等……真的？！好") == ["等等……", "真的？！", "好"])
        #expect(sentences("one\ntwo lines. three") == ["one\ntwo lines. three"])
        #expect(sentences("") == [])
    }

    @Test func aChunkRepeatsWholeSentencesOfTheOneBefore() {
        let text = (1...12).map { "这是第\($0)句话正文。" }.joined()
        let pieces = Chunker(tokens: 30, overlap: 12).chunks(of: PlainText.extract(text))
        #expect(pieces.count > 3)
        for (before, after) in zip(pieces, pieces.dropFirst()) {
            #expect(
                after.range.lowerBound < before.range.upperBound && after.range.upperBound > before.range.upperBound)
        }
    }

    @Test func noChunkCrossesAHeadingUnlessWhatIsBeforeItIsTiny() {
        let body = String(repeating: "汴河上有一座虹桥。", count: 12)
        let document = Markdown.extract("# Book\n\n## One\n\(body)\n\n## Two\n\(body)\n")
        let pieces = Chunker(tokens: 60, overlap: 10).chunks(of: document)
        #expect(Set(pieces.map(\.path)) == [["Book", "One"], ["Book", "Two"]])
        let second = document.headings[2].start
        #expect(pieces.allSatisfy { !$0.range.contains(second) || $0.range.lowerBound == second })
        #expect(pieces[0].range.lowerBound == 0, "the title stands with what follows")
    }

    /// Whatever the text: chunks lie in it, are not too large, come in order, and cover all that is not white space.
    @Test(arguments: 1...40) func chunksCoverTheText(_ seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        let alphabet = Array("汴河桥上。！？，、；“”\n\n 　abcD.?! \t#-=第一回\r\u{301}é🏮1.5".unicodeScalars)
        let count = Int.random(in: 0...600, using: &random)
        let scalars = (0..<count).map { _ in alphabet.randomElement(using: &random) ?? " " }
        let text = String(String.UnicodeScalarView(scalars))
        let tokens = Int.random(in: 8...60, using: &random)
        let chunker = Chunker(tokens: tokens, overlap: Int.random(in: 0...40, using: &random))
        for document in [PlainText.extract(text), Markdown.extract(text)] {
            #expect(Array(document.text.unicodeScalars) == scalars)
            let pieces = chunker.chunks(of: document)
            var covered = [Bool](repeating: false, count: count)
            for piece in pieces {
                #expect(!piece.range.isEmpty && piece.range.upperBound <= count)
                #expect(TextWeight.of(scalars[piece.range]) <= tokens * 4)
                #expect(!scalars[piece.range.lowerBound].properties.isWhitespace)
                for place in piece.range { covered[place] = true }
            }
            #expect(scalars.indices.allSatisfy { covered[$0] || scalars[$0].properties.isWhitespace })
            #expect(zip(pieces, pieces.dropFirst()).allSatisfy { $0.range.upperBound < $1.range.upperBound })
            let sentences = SentenceBreaks.sentences(scalars, 0..<count)
            #expect(sentences.first?.lowerBound ?? 0 == 0 && sentences.last?.upperBound ?? count == count)
            #expect(zip(sentences, sentences.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound && !$0.isEmpty })
        }
    }
}
