// TheatreOS
// SPDX-License-Identifier: Apache-2.0

extension Vocabulary {
    /// What is worn.
    static let costume = PackTable.terms(
        category: "costume",
        """
        幞头|a man's black gauze cap with two wings or ties|相国寺内万姓交易
        背子|a long open coat worn by women, also by matchmakers|娶妇
        盖头|a veil that a woman of standing wears out of doors|娶妇
        冠子|a woman's formal headdress|娶妇
        领抹|embroidered bands for a collar|相国寺内万姓交易
        头面|a woman's hair ornaments|东角楼街巷
        特髻|a ready-made chignon|相国寺内万姓交易
        皂衫角带|black gown and horn belt of a pawnshop clerk|民俗
        顶帽披背|cap and shawl of an incense shop's packer|民俗
        白虔布衫|white cotton-like ramie jacket of a pickle boy|饮食果子
        青花布手巾|blue patterned cloth tied at a serving woman's waist|饮食果子
        危髻|a high knot of hair|饮食果子
        锦袍|a brocade gown of the guards|元宵
        簪花|a flower stuck in the hair or cap, by men too|元宵
        紫衫|a purple tunic of attendants|清明节
        黄包髻|a yellow cloth around the hair of a lesser matchmaker|娶妇
        """)

    /// Who works at what.
    static let trades = PackTable.terms(
        category: "trade",
        """
        茶饭量酒博士|the man who serves food and measures wine|饮食果子
        大伯|what a tavern's boys are called, whatever their age|饮食果子
        焌糟|a neighbour's wife who warms and pours wine|饮食果子
        闲汉|an idler who runs errands for drinkers|饮食果子
        厮波|one who pours and sings unasked for coins|饮食果子
        撒暂|one who leaves fruit on tables and collects later|饮食果子
        行菜|the waiter who calls out and carries orders|食店
        铛头|the head of a kitchen|食店
        白席人|the caller who leads a hired banquet|筵会假赁
        四司人|the four services hired for a banquet|筵会假赁
        牙人|a broker of goods or servants|雇觅人力
        行老|the elder of a trade who finds workers|雇觅人力
        说诨话|a teller of comic patter|京瓦伎艺
        讲史|a teller of histories|京瓦伎艺
        说三分|a teller of the Three Kingdoms|京瓦伎艺
        小唱|singing of short songs to the clapper|京瓦伎艺
        诸宫调|a long tale sung in changing modes|京瓦伎艺
        杂剧|a short comic play|京瓦伎艺
        悬丝傀儡|string puppets|京瓦伎艺
        药发傀儡|puppets moved by fireworks|京瓦伎艺
        影戏|shadow plays|京瓦伎艺
        弄虫蚁|a trainer of small animals|京瓦伎艺
        商谜|riddling as a show|京瓦伎艺
        打香印|a seller of incense burned in patterns|诸色杂卖
        箍桶|a cooper who mends in the street|诸色杂卖
        淘井|a well cleaner of the summer months|诸色杂卖
        报晓行者|a temple servant who beats the hour at dawn|天晓诸人入市
        提茶瓶|a seller of tea from a flask, and of news|民俗
        质库|a pawnshop|民俗
        日者|a fortune teller|相国寺内万姓交易
        """)

    /// How people are called.
    static let titles = PackTable.terms(
        category: "title",
        """
        官人|sir, to a man of any standing|民俗
        娘子|madam; also a wife|民俗
        小娘子|young lady|民俗
        员外|a man of means|民俗
        相公|a high official, also a courtesy to a scholar|民俗
        待诏|a craftsman with court skills; later any artisan|民俗
        太尉|a commander at court|民俗
        推官|an investigating officer of the prefecture|民俗
        孔目|a senior clerk of an office|民俗
        班直|a guardsman of the palace|元宵
        教坊使|the head of the court's entertainers|除夕
        殿前司|the command of the palace army|军头司
        """)

    /// Things.
    static let objects = PackTable.terms(
        category: "object",
        """
        太平车|the great freight cart of twenty mules|般载杂卖
        平头车|a smaller ox cart, for wine|般载杂卖
        独轮车|a one-wheeled barrow|般载杂卖
        檐子|a sedan chair carried on poles|娶妇
        梅红匣儿|a plum-red box for sweetmeats|州桥夜市
        注碗|a wine ewer in its warming bowl|会仙酒楼
        盘盏|a cup on its stand|会仙酒楼
        碧碗|a shallow green glazed or glass bowl of a noodle shop|食店
        浅抱桶|a shallow tub in which live fish are carried|鱼行
        铁牌子|the iron plate a temple servant beats|天晓诸人入市
        木鱼|a wooden clapper shaped like a fish|天晓诸人入市
        银胜|a silver ornament of spring|立春
        春幡|a paper or silk pennant of spring|立春
        莲灯|a lamp shaped like a lotus|酒楼
        灯球|a globe of lights on a pole|元宵
        栀子灯|a red gardenia lamp before a tavern|酒楼
        望子|a tavern's banner|中秋
        草帖子|a draft betrothal letter|娶妇
        桃符|boards of peach wood at the gate|十二月
        钟馗画|a print of the demon queller|十二月
        交子|paper money of Sichuan|都市钱陌
        铜钱|copper cash, counted in strings|都市钱陌
        省陌|a short string, fewer than a hundred coins|都市钱陌
        """)
}
