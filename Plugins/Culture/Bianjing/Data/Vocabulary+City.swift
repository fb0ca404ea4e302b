// TheatreOS
// SPDX-License-Identifier: Apache-2.0

extension Vocabulary {
    /// Streets, gates, bridges, quarters.
    static let streets = PackTable.terms(
        category: "street",
        """
        御街|the Imperial Way, two hundred paces broad, south from the palace|御街
        杈子|black and red wooden barriers that keep the roadway free|御街
        御沟|the brick-lined canals of the Imperial Way, planted with lotus|御街
        御廊|the arcades along the Imperial Way|御街
        州桥|the low stone bridge of the Imperial Way over the Bian|河道
        龙津桥|the bridge south of the Vermilion Bird Gate|河道
        虹桥|the timber bridge without piers, painted, like a rainbow|河道
        金梁桥|a bridge in the west of the city|河道
        汴河|the canal that brings the south's grain through the city|河道
        蔡河|the southern canal with eleven bridges|河道
        金水河|the clean water that feeds the palace gardens|河道
        水门|a water gate with an iron portcullis|东都外城
        朱雀门|the south gate of the old city|朱雀门外街巷
        南薰门|the south gate of the outer city, opposite the palace|朱雀门外街巷
        宣德楼|the palace's front gate tower with five doors|大内
        东华门|the palace's east gate, where the costliest market stands|大内
        潘楼街|the street of pearls, silks and incense|东角楼街巷
        界身|the lane of gold, silver and silk dealers|东角楼街巷
        马行街|the long northern street of physicians and shops|马行街北诸医铺
        土市子|the crossing east of Panlou|潘楼东街巷
        鬼市子|the market that opens by lamplight and is gone at dawn|潘楼东街巷
        瓦子|an entertainment quarter|东角楼街巷
        勾栏|a theatre inside an entertainment quarter|东角楼街巷
        彩楼欢门|a tavern's entrance scaffolded and hung with silk|酒楼
        正店|one of the seventy-two taverns licensed to brew|酒楼
        脚店|a tavern that buys its wine from a licensed house|酒楼
        茶坊|a tea house|潘楼东街巷
        军巡铺|a ward's post of night patrol and fire watch|防火
        望火楼|a brick tower from which fires are watched|防火
        坊巷|wards and lanes|防火
        开封府|the prefecture that governs the capital|大内前州桥东街巷
        国子监|the directorate of education|朱雀门外街巷
        """)

    /// Festivals and what is done on them.
    static let festivals = PackTable.terms(
        category: "festival",
        """
        元宵|the Lantern Festival on the fifteenth of the first month|元宵
        山棚|the mountain of lanterns built before the palace gate|元宵
        棘盆|the thorn-fenced ring of shows below the lantern mountain|元宵
        与民同乐|the motto over the lights: joy shared with the people|元宵
        打春|whipping the clay ox on the eve of spring|立春
        寒食|the days without fire before Clear Brightness|清明节
        清明|Clear Brightness: graves are swept, the city goes out|清明节
        金明池争标|boat races for the prize on the Golden Bright Pond|驾幸临水殿观争标锡宴
        端午|the Double Fifth|端午
        百索|cords of five colours worn on the Double Fifth|端午
        七夕|the Seventh Night|七夕
        磨喝乐|clay dolls of the Seventh Night|七夕
        乞巧楼|a bower where girls ask for skill|七夕
        种生|beans sprouted in a bowl and bound with coloured silk|七夕
        中元节|the Ghost Festival in the seventh month|中元节
        中秋|Mid-Autumn, when taverns renew their gates and wine|中秋
        重阳|the Double Ninth, of chrysanthemums and heights|重阳
        冬至|the winter solstice, for which even the poor buy new clothes|冬至
        大傩|the great exorcism of the year's last night|除夕
        守岁|sitting up around the stove until the new year|除夕
        关扑|gambling for goods, allowed on feast days|正月
        """)
}
