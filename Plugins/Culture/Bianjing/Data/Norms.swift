// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// What should and should not be shown.
enum Norms {
    /// All kinds, in order.
    static let all = visual + signage + costume + props + naming

    static let visual = PackTable.norms(
        kind: "visual",
        """
        +|御街两侧画长廊与黑漆、朱漆杈子，路心留空|Line the Imperial Way with arcades and black and red barriers; its middle stays empty.|御街|御街/宣德楼
        +|御沟里种莲，岸上种桃李，春夏如绣|Plant the canals of the Imperial Way with lotus and their banks with fruit trees.|御街|御街/御沟/春
        +|虹桥无柱，巨木叠架成拱，通体施彩|Show the Rainbow Bridge as an arch of timbers without piers, painted.|河道|虹桥/汴河
        +|州桥低平，石柱密排，船只平篷方能过|Show the Zhou Bridge low and flat on stone posts; only flat boats pass.|河道|州桥/汴河
        +|酒楼之间架飞桥，帘幕隔出明暗|Join a great tavern's towers by flying galleries behind curtains.|酒楼|樊楼/酒楼/飞桥
        +|夜市灯烛夹道，热气腾起，人车不得驻足|Fill a night market with lamps, steam and a crowd that cannot stand still.|马行街北诸医铺|夜市/州桥/马行街
        +|清明郊外设席树下，轿顶插杨柳杂花|At Clear Brightness spread meals under trees and deck sedans with willow and flowers.|清明节|清明/郊
        +|元宵灯山高对宣德楼，草龙身上密插灯烛|At the Lantern Festival face the palace gate with a mountain of lights and straw dragons of candles.|元宵|元宵/灯
        -|不画明清宫城的红墙黄瓦一望无边|Do not spread red walls and yellow roofs of later palaces over the city.|大内|宫/大内
        -|夜里不用电光，光源须是灯、烛、炉火|Light no night scene with anything but lamps, candles and stoves.|州桥夜市|夜/灯
        """)

    static let signage = PackTable.norms(
        kind: "signage",
        """
        +|正店门首缚彩楼欢门，下悬栀子灯|Give a licensed tavern a scaffold of silk at its door and a gardenia lamp.|酒楼|酒楼/正店/樊楼
        +|酒家挑布望子，酒尽便收|A tavern hangs a cloth banner and takes it in when the wine is gone.|中秋|酒/望子
        +|铺名多用姓氏加行当，如某家油饼、某家瓠羹|Name shops by surname and trade, as So-and-so's oil bread.|朱雀门外街巷|店/铺/饼
        +|药铺挂葫芦、鱼、人形等实物招子|Let physicians hang things as signs: a gourd, a fish, a figure.|马行街北诸医铺|药/医
        +|招牌竖写，墨书木板，用繁体正字|Write signs top to bottom in ink on wood, in full characters.|马行街铺席|招牌/牌
        +|元宵彩山正中金书大牌，写与民同乐之意|Put a board with gold letters on the lantern mountain: joy shared with the people.|元宵|元宵/灯山
        -|招牌不用后世的简笔字、注音与洋文|Keep simplified characters, romanization and foreign scripts off signs.|马行街铺席|招牌
        -|私铺不得用龙纹与明黄|Keep dragons and imperial yellow off private shops.|大内|铺/龙
        """)

    static let costume = PackTable.norms(
        kind: "costume",
        """
        +|百工衣装各有本色，一望便知行当|Dress each trade in its own way, known at a glance.|民俗|铺/行/衣
        +|质库掌事穿皂衫、束角带、不戴帽|A pawnshop clerk wears a black gown and horn belt and no cap.|民俗|质库/当
        +|香铺裹香人戴帽披背|An incense packer wears a cap and a shawl.|民俗|香铺/香
        +|士人戴幞头，穿圆领或交领袍|Scholars wear the gauze cap and a round- or cross-collared robe.|相国寺内万姓交易|士/秀才/书
        +|妇人出门可戴盖头，家常穿背子|Women may veil out of doors and wear the open coat at home.|娶妇|妇/娘子
        +|酒肆换汤妇人腰系青花布手巾，绾高髻|A woman who pours in taverns ties a blue cloth at her waist and knots her hair high.|饮食果子|酒/焌糟
        +|节日男女皆可簪花|On feast days men and women alike wear flowers.|元宵|节/花
        +|上等媒人戴盖头穿紫背子，中等戴冠子持青凉伞|Matchmakers of the first rank wear purple, of the second carry a blue parasol.|娶妇|媒
        -|男子不剃额、不垂长发辫|No man shaves his brow or wears a queue.|民俗|发
        -|平民不着黄袍、不用金带|No commoner wears yellow robes or gold belts.|民俗|袍
        """)

    static let props = PackTable.norms(
        kind: "prop",
        """
        +|酒桌用注碗、盘盏、果菜碟，银器寻常可见|Set a wine table with ewer, stemmed cups and dishes; silver is common.|会仙酒楼|酒/席
        +|果子用梅红匣子盛|Serve sweetmeats in plum-red boxes.|州桥夜市|果子/糖
        +|行菜一臂托起二十来碗，一路唱名|A waiter carries a score of bowls on one arm and calls each.|食店|食店/面/碗
        +|活鱼盛浅桶，以柳叶相间|Carry live fish in shallow tubs with willow leaves between.|鱼行|鱼
        +|货车用多头骡驴前后拽行，车上悬铃|Draw freight carts by strings of mules, with a bell beneath.|般载杂卖|车/骡
        +|报晓人敲铁牌或木鱼，沿门而行|The crier of dawn beats an iron plate or a wooden fish from door to door.|天晓诸人入市|晓/五更/天明
        +|窗用纸、纱或明瓦|Close windows with paper, gauze or shell.|酒楼|窗
        +|救火用水桶、洒子、麻搭、斧锯、火叉、大索|Fight fire with buckets, swabs, axes, hooks and ropes.|防火|火
        +|钱以铜钱为主，论文论贯，常用省陌|Pay in copper, by the coin and the short string.|都市钱陌|钱/贯/文
        -|席上不见美洲来的果蔬|Keep plants of America off the table.|饮食果子|菜/席
        -|不见机械报时之物，听更鼓与报晓知时|Show no clocks; the drum and the crier tell the hour.|天晓诸人入市|更/时辰
        """)

    static let naming = PackTable.norms(
        kind: "naming",
        """
        +|市井人多以排行称呼，如张三、孙四娘|Call townspeople by surname and order of birth.|京瓦伎艺|郎/娘
        +|艺人爱用诨名，名里带技艺或相貌|Give entertainers nicknames from their art or looks.|京瓦伎艺|瓦子/艺
        +|店家称姓加行当，如李家香铺|Name a house by surname and trade.|朱雀门外街巷|家
        +|官员以官职相称，不呼其名|Address officials by office, never by name.|民俗|官/府
        +|店小二称大伯，量酒人称博士|Call a tavern's boy uncle and its wine server doctor.|饮食果子|店/酒
        +|天子称官家|Speak of the emperor as the Official Family.|元宵|天子/官家/圣
        +|街巷名多取自行市与人家，如姜行、甜水巷|Name lanes after trades and houses.|东角楼街巷|街/巷
        -|不用后世才有的称呼，如店东称板者|Avoid forms of address of later times.|民俗|称
        -|不以当朝皇帝名讳起名|Give no one the reigning emperor's personal name.|民俗|名
        """)
}
