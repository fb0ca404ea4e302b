// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// A chapter's bones, as `theatre.content.v1.Outline` describes them.
struct ChapterOutline: Equatable {
    var title = ""
    var summary = ""
    var beats: [ChapterBeat] = []
    var characters: [CountedName] = []
    var places: [CountedName] = []
    var keywords: [String] = []
}

/// A unit of action that could be staged.
struct ChapterBeat: Equatable {
    var number: Int
    var title: String
    var summary: String
    var quote: String
    var characters: [String]
    var place: String
    /// In Unicode scalars of the text.
    var range: Range<Int>
}

/// A name and how often it stands.
struct CountedName: Equatable {
    var name: String
    var count: Int
}

/// Writes an outline from the text's own words.
struct Outliner {
    private let source: SourceText
    private let people: [Entity]
    private let places: [Entity]
    private let scores: SentenceScores

    /// Most people and most places of an outline.
    private static let mostNames = 24

    /// The outline of a chapter, Chinese or English, with or without Markdown.
    static func outline(_ text: String) -> ChapterOutline {
        Outliner(SourceText(text)).outline()
    }

    private init(_ source: SourceText) {
        self.source = source
        if source.isChinese {
            let found = ChineseNames.people(in: source)
            people = Self.commonest(found)
            places = Self.commonest(ChinesePlaces.places(in: source, people: found))
        } else {
            let found = EnglishNames.entities(in: source)
            people = Self.commonest(found.people)
            places = Self.commonest(found.places)
        }
        scores = SentenceScores(source, people: people, places: places)
    }

    /// The commonest, still by first appearance.
    private static func commonest(_ entities: [Entity]) -> [Entity] {
        guard entities.count > mostNames else { return entities }
        let kept = entities.indices.sorted { (-entities[$0].positions.count, $0) < (-entities[$1].positions.count, $1) }
        return kept.prefix(mostNames).sorted().map { entities[$0] }
    }

    private func outline() -> ChapterOutline {
        let segments = Segmentation(source).segments
        var outline = ChapterOutline()
        outline.title = source.title
        outline.summary = summary(of: segments)
        outline.beats = segments.enumerated().map { beat($0.element, number: $0.offset + 1) }
        outline.characters = people.map { CountedName(name: $0.name, count: $0.positions.count) }
        outline.places = places.map { CountedName(name: $0.name, count: $0.positions.count) }
        outline.keywords = Keywords.find(in: source, names: people + places)
        return outline
    }

    /// The best sentence of each of the best segments, in order.
    private func summary(of segments: [Range<Int>]) -> String {
        let limit = source.isChinese ? 320 : 900
        let best = segments.compactMap { segment in
            segment.filter { source.sentences[$0].range.count * 4 <= limit }.max {
                (scores.values[$0], $1) < (scores.values[$1], $0)
            }
        }
        var chosen: [Int] = []
        var size = 0
        for index in best.sorted(by: { (scores.values[$1], $0) < (scores.values[$0], $1) }) where chosen.count < 6 {
            let count = source.sentences[index].range.count
            guard size + count <= limit else { continue }
            chosen.append(index)
            size += count
        }
        return join(chosen.sorted().map { source.text(source.sentences[$0].range) })
    }

    private func join(_ sentences: [String]) -> String { sentences.joined(separator: source.isChinese ? "" : " ") }

    private func beat(_ segment: Range<Int>, number: Int) -> ChapterBeat {
        let range =
            source.sentences[segment.lowerBound].range
            .lowerBound..<source.sentences[segment.upperBound - 1].range.upperBound
        let limit = source.isChinese ? 140 : 360
        let chosen = scores.best(of: segment, most: 2, within: limit, in: source)
        let present = people.filter { $0.count(in: range) > 0 }
            .sorted { ($1.count(in: range), $0.positions[0]) < ($0.count(in: range), $1.positions[0]) }
        let place = places.filter { $0.count(in: range) > 0 }
            .max { ($0.count(in: range), $1.positions[0]) < ($1.count(in: range), $0.positions[0]) }
        let phrases = Phrases(source: source, people: people)
        return ChapterBeat(
            number: number, title: phrases.title(of: segment, scores: scores),
            summary: join(chosen.map { phrases.shortened(source.sentences[$0].range, to: limit) }),
            quote: source.text(phrases.quote(of: segment, scores: scores)),
            characters: present.prefix(8).map(\.name), place: place?.name ?? "", range: range)
    }
}
