// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SeededRandom
import Testing

@testable import Knowledge

/// Bytes as texts, with their headings.
struct ExtractionTests {
    @Test(
        arguments: [
            ([0x61, 0x62], nil), ([0xEF, 0xBB, 0xBF, 0x61], nil), ([], nil), (Array("水🏮é".utf8), nil),
            ([0xFF, 0xFE, 0x61, 0], .otherEncoding("UTF-16")), ([0xFE, 0xFF, 0, 0x61], .otherEncoding("UTF-16")),
            ([0xFF, 0xFE, 0, 0, 0x61, 0, 0, 0], .otherEncoding("UTF-32")),
            ([0, 0, 0xFE, 0xFF], .otherEncoding("UTF-32")),
            // GB 18030 of a Chinese word; an overlong slash; half of a pair; one that is cut off; a zero.
            ([0x61, 0xB6, 0xAB], .notUTF8(1)), ([0xC0, 0xAF], .notUTF8(0)), ([0x61, 0xED, 0xA0, 0x80], .notUTF8(1)),
            ([0xE6, 0xB0, 0xB4, 0xE6, 0xB0], .notUTF8(3)), ([0xF5, 0x80, 0x80, 0x80], .notUTF8(0)),
            ([0x61, 0, 0x62], .binary(1)), ([0xEF, 0xBB, 0xBF, 0x61, 0xFF], .notUTF8(4)),
        ] as [([UInt8], SourceBytes.Fault?)])
    func bytesAreUTF8OrSaidNotToBe(_ bytes: [UInt8], _ fault: SourceBytes.Fault?) {
        do throws(SourceBytes.Fault) {
            let text = try SourceBytes.text(bytes)
            #expect(fault == nil && !text.hasPrefix("\u{FEFF}"))
        } catch {
            #expect(error == fault)
        }
    }

    @Test func plainTextHasTheChaptersOfChineseNovels() {
        let document = PlainText.extract("第一卷 东京\n第一百二十三回　洪太尉误走妖魔\n话说。\n第一回来了一个人，坐下。\n　　第三节 桥\r\n完")
        #expect(document.headings.map(\.title) == ["第一卷 东京", "第一百二十三回 洪太尉误走妖魔", "第三节 桥"])
        #expect(document.headings.map(\.level) == [1, 2, 3])
        let scalars = Array(document.text.unicodeScalars)
        #expect(document.headings.map { scalars[$0.start] }[0] == "第")
    }

    @Test func markdownHeadingsAreThoseOfCommonMark() {
        let text = """
            # One #
            words

            Under
            lined
            ---
            - item
            ---
            ```
            # code
            ```
                # indented
            ####### seven
            #tag
            ### Three ##
            Top
            ===
            ~~~ x
            ## code
            """
        let document = Markdown.extract(text)
        #expect(document.headings.map(\.title) == ["One", "lined", "Three", "Top"])
        #expect(document.headings.map(\.level) == [1, 2, 3, 1])
        #expect(document.title == "One" && document.text == text)
        let sections = TextSection.sections(document.headings, length: text.unicodeScalars.count)
        #expect(sections.map(\.path) == [["One"], ["One", "lined"], ["One", "lined", "Three"], ["Top"]])
    }

    @Test func whatStandsBeforeMarkdownIsNoHeadingAndItsTitleIsTheFirst() {
        let document = Markdown.extract("---\ntitle: \"第十回 风雪\"\nweight: 10\n---\n\n话说。\n\n## 下\n")
        #expect(document.title == "第十回 风雪" && document.headings.map(\.title) == ["第十回 风雪", "下"])
        #expect(document.headings.map(\.level) == [1, 2] && document.headings[0].start == 0)
        #expect(Markdown.extract("---\na: 1\n---\n# B").headings.map(\.title) == ["B"])
        #expect(Markdown.extract("---\nno end\n# B").headings.map(\.title) == ["B"])
        #expect(FrontMatter("---\r\ntitle: 'x'  \r\n---\r\nText")?.title == "x")
    }

    @Test func aPageIsReadAsItIsSeen() {
        let page = """
            <!DOCTYPE html><html><head><title>Tea &amp; co</title><style>p>b{}</style></head><body>
            <h1>One <b>two</b></h1><!-- <p>no</p> --><p title='a>b'>Hello&nbsp;&#x6C34;   &lt;x&gt;<br>line
            <script>if (a<b) { document.write('</p>') }</script></p>
            <H2 class=x>Sub</H2><ul><li>a<li>b</ul><table><tr><td>x<td>y</table><pre>  k
              l</pre>a < b &copy2 &bogus; &#0; &#128; <svg><text>no</text></svg><textarea><p>no</textarea>
            """
        let document = HTMLText.extract(page)
        #expect(document.title == "Tea & co")
        #expect(
            document.text == """
                One two

                Hello\u{A0}水 <x>
                line

                Sub

                a
                b

                x y

                  k
                  l

                a < b ©2 &bogus; \u{FFFD} €
                """)
        #expect(document.headings.map(\.title) == ["One two", "Sub"] && document.headings.map(\.level) == [1, 2])
        let scalars = Array(document.text.unicodeScalars)
        #expect(document.headings.map { scalars[$0.start] } == ["O", "S"])
    }

    @Test(arguments: [
        ("<p>a<p>b", "a\n\nb"), ("a<!-->b<!--->c<!-- x --!>d", "abcd"), ("<![CDATA[a<b]]>", "a<b"), ("</p>a</", "a</"),
        ("a<b", "a"), ("<script>x", ""), ("<title>x", ""), ("x<?php echo 1 ?>y", "xy"), ("<a href=\"x>y", ""),
        ("&amp&lt&nope", "&<&nope"), ("&#x110000;&#xD800;", "\u{FFFD}\u{FFFD}"), ("</scr></ p>x", "x"),
        ("<script>a</scripty></script>b", "b"),
    ]) func whatIsMalformedIsReadAsBrowsersDo(_ page: String, _ text: String) {
        #expect(HTMLText.extract(page).text == text)
    }

    /// Whatever the page: text comes out of it, without what is hidden, and headings lie in it.
    @Test(arguments: 1...60) func anyPageIsRead(_ seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        let parts = [
            "<", ">", "</", "/>", "<p>", "<h1>", "</h1>", "<h2 a='", "'", "\"", "&", "&amp;", "&#", "x3b;", ";", "<!--",
            "-->",
            "<script>", "</script>", "<title>", "</title>", "水", "a", " ", "\n", "<pre>", "</pre>", "<td>", "=", "!",
            "<br/>",
        ]
        let page = (0..<80).map { _ in parts.randomElement(using: &random) ?? "" }.joined()
        let document = HTMLText.extract(page)
        let length = document.text.unicodeScalars.count
        #expect(document.headings.allSatisfy { (0..<max(1, length)).contains($0.start) && !$0.title.isEmpty })
        #expect(document.headings.map(\.start) == document.headings.map(\.start).sorted())
        #expect(document.text.unicodeScalars.count <= page.unicodeScalars.count * 2)
    }

    @Test func aFormatIsSaidOrIsTheEndingOfTheName() {
        #expect(SourceFormat("", name: "a.b.MD") == .md && SourceFormat("html", name: "x.txt") == .html)
        #expect(SourceFormat("", name: "notes") == nil && SourceFormat("pdf", name: "a.txt") == nil)
    }
}
