// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Small word lists of English.
enum EnglishWords {
    /// Words a full stop follows without ending a sentence.
    static let abbreviations = words("mr mrs ms dr st prof sr jr capt col gen lt sgt rev hon vs etc no vol ch fig")

    /// Words that say nothing about what a text is about.
    static let stop = words(
        """
        a about above after again against all almost along already also although always am among an and another any anyone
        anything are around as ask asked at away back be became because become been before began behind being below
        beneath beside between beyond both but by came can cannot come could did do does done down during each either else enough
        even ever every everyone everything except far few first five for four from front gave get give go goes going
        gone good got great had half has have having he heard held her here hers herself him himself his how however
        i if in indeed into is it its itself just keep kept knew know last later least left less let like little long
        look looked made make many may me men might mine more most much must my myself near never new next no nobody none
        nor not nothing now of off often old on once one only onto or other others our out over own perhaps put quite
        rather really right said same saw say says see seemed seen several shall she should side since six so some
        someone something soon still stood such take taken tell than that the their them themselves then there these they thing
        things think this those though thought three through thus till time to today together told too took toward
        towards turned two under until up upon us use used very was way we well went were what when where whether
        which while who whom whose why will with within without word words would yes yet you your yours yourself man
        woman people day night year years hand hands eyes face don't didn't couldn't wouldn't wasn't it's i'm that's
        mr mrs ms dr sir
        """)

    /// Words that name what someone said.
    static let speech = words(
        """
        said says asked answered replied cried shouted whispered muttered murmured called added told laughed snapped
        growled sighed exclaimed demanded declared admitted agreed insisted
        """)

    /// Titles that stand before a person's name.
    static let titles = words(
        """
        mr mrs ms miss dr sir madam madame lady lord master mistress captain colonel general lieutenant sergeant
        inspector constable judge magistrate professor doctor father mother brother sister uncle aunt king queen prince
        princess duke emperor empress grandmother grandfather old young
        """)

    /// Words a place's name ends with.
    static let placeEndings = words(
        """
        street road lane avenue square bridge river lake sea bay hill hills mountain mountains mount valley forest wood
        woods park garden gardens temple church cathedral abbey monastery palace castle tower hall house inn tavern
        market gate harbour harbor station city town village county province island court theatre theater school
        university library hospital prison teahouse wharf quay canal alley ward
        """)

    /// Common nouns that are places after "the".
    static let plainPlaces = placeEndings.union(
        words(
            "kitchen cellar attic courtyard yard shop stable barn cabin cave shore beach field temple stage office room"
        ))

    /// Words a place follows.
    static let locative = words(
        "in at to from near into outside inside through across toward towards beyond beneath under")

    /// Capitalised words that name no one.
    static let neverNames = words(
        """
        i monday tuesday wednesday thursday friday saturday sunday january february march april may june july august
        september october november december english chinese french german god lord heaven chapter part book the oh ah
        yes no well now then but and so what why how when where who he she it they we you his her their my your our
        """)

    private static func words(_ text: String) -> Set<String> {
        Set(text.split(whereSeparator: \.isWhitespace).map(String.init))
    }
}
