// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Places where a scene can stand.
enum Stages {
    /// All, by their place in the city, from the palace outwards.
    static let all = PackTable.stages(
        """
        xuande_tower|宣德楼|Gate tower of the palace|五门并列，砖石间刻龙凤飞云，檐角层叠；楼前横街阔大，节日万人仰望。|朱漆金钉的大门/楼上黄缘垂帘/禁卫衣甲轻响/风里有松烟墨与香烛味|day/festival|大内|宣德门/大内
        imperial_way|御街|The Imperial Way|宽阔大道自宫门直向南去，长廊夹道，杈子分路，莲花满沟。|廊下脚步回响/沟中莲叶的清气/黑朱两色杈子/远处宫门的影子|day/dusk|御街|御廊/御沟
        zhou_bridge|州桥|The Zhou Bridge|低平石桥横跨汴河，石栏雕海马水兽，桥上望得见月与宫门。|石栏冰手/桥下水撞石柱/两岸石壁水光/更鼓由北传来|dusk/night|河道|天汉桥
        zhou_night_market|州桥夜市|Night market at the Zhou Bridge|桥南一路食摊，夏卖冰饮，冬卖炙肉，到三更不散。|铁板上羊肠滋滋作响/姜豉与炭火气/梅红匣子成排/摊主报价的长腔|night|州桥夜市|夜市/杂嚼
        dragon_ford_bridge|龙津桥|Dragon Ford Bridge|夜市的尽头，过桥便是太学与贡院一带。|收摊的水声/士子吟诵/末一盏灯/湿石板|night/day|朱雀门外街巷|太学
        fan_tower|樊楼|Fan Tower, the great tavern|五座三层高楼相向，飞桥相连，珠帘之内灯火彻夜。|珠帘相碰/飞桥上的脚步/瓦垄间莲灯/热酒与香药味|night/festival|酒楼|矾楼/白矾楼/丰乐楼
        pan_tower_street|潘楼街|Panlou Street|珍珠、匹帛、香药铺一家挨一家，楼下五更开市。|绸缎抖开的声响/沉香气/算筹起落/金银反光|dawn/day|东角楼街巷|潘楼/界身
        ghost_market|鬼市子|The ghost market|五更点灯，衣物图画换手，天一亮便散。|灯影里只见手不见脸/低声还价/旧衣霉味/霜|dawn|潘楼东街巷|鬼市
        sangjia_quarter|桑家瓦子|The Sang entertainment quarter|大小勾栏数十座，说书、傀儡、相扑、杂剧终日不歇。|锣鼓一阵紧一阵/满棚喝彩/糖与汗气/戏台幕布|day/night|东角楼街巷|瓦子/勾栏/瓦舍
        xiangguo_market|相国寺|Market of the Xiangguo Temple|每月数次开放交易，三门卖禽兽，廊下卖绣作，殿后卖书画。|鸟叫/旧纸与樟木味/铜罗汉的光/讨价声盖过诵经|day|相国寺内万姓交易|大相国寺
        xiangguo_wall|寺东门街|Street east of the temple|幞头、腰带、书籍、冠朵铺席，绣巷里尽是师姑绣作。|针线笸箩/新书墨气/巷口风铃/晾晒的绣片|day|寺东门街巷|寺东门/绣巷
        horse_guild_street|马行街|Horse Guild Street|医铺与香药铺相连十里，夜里车马塞路。|捣药声/药香/金字药牌/车铃|day/night|马行街北诸医铺|医铺/药铺
        tea_house|北山子茶坊|Beishan tea house|内有仙洞仙桥，仕女夜游吃茶。|茶筅击盏/假山滴水/炭炉/低语|night|潘楼东街巷|茶坊/茶肆
        noodle_shop|食店|A noodle shop|欢门朱绿，坐客呼索，行菜唱名如歌。|唱菜声/葱油气/碗摞碰响/灶火|dawn/day|食店|面店/瓠羹店
        bread_ovens|饼店|A bakery|案上三五人擀饼入炉，五更声响传遍街坊。|擀杖敲案/芝麻焦香/炉口红光/面粉|dawn|饼店|胡饼/炉饼
        fish_gate|西水门|The western water gate|鱼担入城，铁闸起落，船队候潮。|桶里鱼跃/铁闸绞索/河腥气/柳叶|dawn|鱼行|水门/鱼市
        rainbow_bridge|虹桥|The Rainbow Bridge|无柱木桥如虹，桥上列摊，桥下放桅过船。|船夫号子/木桥震动/桥头酒旗/逆流漩涡|day|河道|东水门外
        east_water_gate|东水门|The eastern water gate|粮船由此入京，仓场连岸。|绞盘吱呀/粮袋尘土/税吏点筹/纤夫脚印|day/dusk|东都外城|汴河码头/码头
        golden_pond|金明池|The Golden Bright Pond|池心五殿，仙桥如驼背，三月龙舟争标。|战鼓/彩旗/池水溅起/关扑的钱声|festival/day|三月一日开金明池琼林苑|争标/琼林苑
        kaifeng_court|开封府|The prefecture court|公厅、狱房、鼓楼，晨起告状人列门外。|堂鼓/水火棍顿地/墨与潮纸/喊冤声|day|大内前州桥东街巷|府衙/公堂
        watch_tower|望火楼|A fire tower|砖楼高耸，下屯军兵百人，夜望四方烟火。|楼上风声/梆子/水桶斧锯/远处一点红|night|防火|军巡铺/救火
        qingfeng_tavern|清风楼|Clear Wind Tavern|城南乘凉酒楼，夏夜临风对饮。|穿堂风/冰盆/竹帘/蝉声|dusk/night|朱雀门外街巷|清风楼酒店
        vermilion_gate|朱雀门|The Vermilion Bird Gate|旧城南门，内外食摊、果子行与夜游人汇成一处。|门洞回声/切羊头的刀声/车轴声/灯笼成串|dusk/night|朱雀门外街巷|果子行
        zoroastrian_lane|祆庙斜街|Lane of the fire temple|旧封丘门外斜街，外来的香火与市声相杂。|异香/斜长的影/驼铃/低矮门额|dusk|马行街铺席|祆庙
        five_peaks_temple|五岳观|Temple of the Five Peaks|城南宏壮道观，迎祥池畔垂杨夹岸。|池上凫雁/钟磬/垂杨拂水/香烟|day|朱雀门外街巷|迎祥池
        south_gate|南薰门|The south gate|每到傍晚，成群的猪由此入城，十数人赶着。|猪群蹄声/尘土/赶猪人的哨/城门阴影|dusk|朱雀门外街巷|城南门
        kiln_lane_inn|保康门客店|Inns by the Baokang Gate|沿城皆客店，南来的官员商贾歇脚于此。|各地口音/马厩草味/行李绳结/账板|day/night|大内前州桥东街巷|客店/保康门
        lantern_mountain|灯山|The lantern mountain|元宵灯山对着宫门，百戏在棘盆中连演。|水从高处倾下/烛油气/人潮推挤/鼓笛|festival/night|元宵|山棚/棘盆/元宵
        """)
}
