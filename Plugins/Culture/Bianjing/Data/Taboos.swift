// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// What must not be in a text of the setting.
enum Taboos {
    /// All families, in order.
    static let all = food + objects + buildings + institutions + dress + address + visuals

    static let food = PackTable.taboos(
        family: "anachronism",
        """
        chili|v|辣椒/辣子/红油/紅油/剁椒/chili/chilli/chillies/chilies/chili pepper|辣椒明末才由美洲传入|花椒、茱萸、姜、芥 (Sichuan pepper, dogwood, ginger, mustard)|Chilies came from America in the late Ming
        potato|v|土豆/马铃薯/馬鈴薯/洋芋/potato/potatoes|土豆原产美洲，宋人不曾见过|芋头、山药 (taro, yam)|Potatoes are American
        corn|v|玉米/玉蜀黍/苞谷/苞米/棒子面/maize/sweetcorn|玉米原产美洲|粟、黍、麦 (millet, wheat)|Maize is American
        tomato|v|番茄/西红柿/西紅柿/tomato/tomatoes|番茄原产美洲|柿子、梅子 (persimmon, plum)|Tomatoes are American
        sweet_potato|v|红薯/紅薯/番薯/地瓜/甘薯/sweet potato/sweet potatoes|红薯明代万历年间才传入|芋头、山药 (taro, yam)|Sweet potatoes came under the Ming
        peanut|v|花生/落花生/peanut/peanuts|花生原产美洲|榛子、松子、银杏 (hazelnut, pine nut, ginkgo)|Peanuts are American
        sunflower|v|向日葵/葵花籽/葵瓜子/sunflower/sunflowers/sunflower seeds|向日葵原产美洲|榧子、松子、栗子 (torreya nut, pine nut, chestnut)|Sunflowers are American
        pumpkin|v|南瓜/pumpkin/pumpkins|南瓜原产美洲|冬瓜、瓠子 (wax gourd, calabash)|Pumpkins are American
        tobacco|v|烟草/煙草/一支香烟/一根香烟/香烟盒/抽烟/抽煙/旱烟/旱煙/烟斗/煙斗/烟袋/煙袋/雪茄/tobacco/cigarette/cigarettes/cigar/cigars|烟草明末才传入|香饼、点茶 (incense cakes, whisked tea)|Tobacco came in the late Ming
        pineapple|v|菠萝/菠蘿/凤梨/鳳梨/pineapple/pineapples|菠萝原产美洲|荔枝、龙眼 (lychee, longan)|Pineapples are American
        chocolate|v|巧克力/chocolate/cocoa|可可原产美洲|乳糖、香糖 (milk sugar, spiced sugar)|Cocoa is American
        coffee|v|咖啡/coffee|咖啡宋时未入中国|点茶、汤药 (whisked tea, herbal drinks)|Coffee was unknown
        onion|w|洋葱/洋蔥/onion soup|洋葱近代才常见|葱、薤 (scallion, chive root)|The bulb onion came much later
        carrot|w|胡萝卜/胡蘿蔔/carrot/carrots|胡萝卜元代才多见于记载|萝卜、蔓菁 (radish, turnip)|Carrots are recorded from the Yuan on
        watermelon|w|西瓜/watermelon/watermelons|西瓜南宋初才自北方传入中原|甜瓜、木瓜 (melon, quince)|Watermelons reached the heartland after the fall of the city
        apple|s|苹果/蘋果/apple/apples|当时所食是林檎与柰|林檎、柰子 (crabapple)|The large apple came in modern times
        strawberry|v|草莓/strawberry/strawberries|今之草莓是十八世纪的杂交种|樱桃、覆盆子 (cherry, raspberry)|The garden strawberry is of the eighteenth century
        cabbage|w|卷心菜/圆白菜/圓白菜/洋白菜|结球甘蓝清代才传入|菘菜、莴苣 (pak choi, lettuce)|The head cabbage came under the Qing
        beer|v|啤酒/威士忌/白兰地/白蘭地/香槟/香檳/beer/whisky/whiskey/brandy/champagne|宋人饮的是米酒与果酒|新酒、羊羔酒 (new rice wine)|Song drinkers had rice and fruit wines
        liquor|w|烧刀子/燒刀子/二锅头/二鍋頭/高粱酒/baijiu|蒸馏烈酒元代以后才盛行|米酒、好酒 (rice wine)|Strong distilled liquor spread after the Song
        mooncake|s|月饼/月餅/mooncake/mooncakes|中秋食月饼的风俗成于明代|新酒、石榴、螃蟹 (new wine, pomegranates, crabs)|Mooncakes at Mid-Autumn are a Ming custom
        hotpot|s|火锅/火鍋/涮羊肉/hotpot|此名与吃法晚出|暖锅、拨霞供 (a stove at table)|The word and the dish are later
        """)

    static let objects = PackTable.taboos(
        family: "anachronism",
        """
        clock|v|钟表/鐘錶/手表/手錶/怀表/懷錶/挂钟/掛鐘/座钟/座鐘/闹钟/鬧鐘/wristwatch/pocket watch/alarm clock|机械钟表明末才传入|漏刻、更鼓、报晓 (water clock, watch drum)|Mechanical clocks came in the late Ming
        minute|s|分钟/分鐘/秒钟/秒鐘|当时以刻、更、时辰计时|一刻、一盏茶、一炷香 (a quarter, a cup of tea's time)|Time was told in quarters and watches
        glasses|v|眼镜/眼鏡/望远镜/望遠鏡/放大镜/放大鏡/spectacles/eyeglasses/telescope|磨制镜片宋时无|水晶片、凑近细看 (a crystal, a close look)|Ground lenses came later
        glass_mirror|v|玻璃镜/玻璃鏡/穿衣镜/穿衣鏡|当时用铜镜|铜镜 (bronze mirror)|Mirrors were of bronze
        sofa|v|沙发/沙發/sofa/couch|近代家具|榻、交椅 (day bed, folding chair)|Modern furniture
        match|v|火柴盒/一根火柴/划火柴/擦火柴/打火机/打火機/matchstick/matchbox/lighter fluid|近代之物|火折子、火镰、发烛 (tinder, fire steel)|Modern things
        electric|v|电灯/電燈/灯泡/燈泡/手电/手電/电话/電話/电报/電報/手机/手機/light bulb/flashlight/telephone/smartphone/electric light|电器近代才有|灯笼、蜡烛 (lantern, candle)|Electricity is modern
        train|v|火车/火車/铁路/鐵路/汽车/汽車/自行车/自行車/黄包车/黃包車/人力车/人力車/railway/automobile/bicycle/rickshaw|近代车辆|太平车、檐子、驴 (freight cart, sedan, donkey)|Modern vehicles
        gun|v|手枪/手槍/步枪/步槍/子弹/子彈/洋枪/洋槍/pistol/rifle/bullet/bullets|当时火器不是枪|弓弩、朴刀 (bow, crossbow, halberd)|Handguns came later
        photograph|v|照片/相片/照相/摄影/攝影/photograph/photographs/camera|近代之物|写真、画像 (a painted likeness)|Photography is modern
        newspaper|w|报纸/報紙/newspaper/newspapers|当时有邸报、小报|邸报、小报 (court gazette, unlicensed sheet)|There were gazettes and unlicensed sheets
        pencil|v|铅笔/鉛筆/钢笔/鋼筆/圆珠笔/圓珠筆/pencil/ballpoint/fountain pen|近代文具|毛笔、炭条 (brush, charcoal)|Modern writing tools
        silver_dollar|v|银元/銀元/银圆/銀圓/silver dollar/silver dollars|银元明清之际才流入|铜钱、贯、银铤 (coppers, strings, silver ingots)|Silver dollars came with later trade
        banknote|w|银票/銀票/钞票/鈔票/banknote/banknotes|当时纸币是交子，只行于川中|交子、铜钱 (Sichuan exchange notes, coppers)|Paper money was the exchange note of Sichuan
        umbrella_steel|w|雨衣/雨靴/橡胶/橡膠/塑料/raincoat/rubber/plastic|近代材料|蓑衣、木屐、油纸伞 (straw cape, clogs, oiled paper)|Modern materials
        cement|v|水泥/混凝土/concrete|近代材料|青砖、夯土、糯米灰浆 (brick, rammed earth)|Modern materials
        soap|w|肥皂/牙膏|当时用皂角、澡豆|皂角、澡豆、刷牙子 (soap bean, tooth brush)|Soap bean and bath powder were used
        mahjong|v|麻将/麻將/扑克/撲克/mahjong/poker|麻将清代才有|双陆、关扑、叶子 (backgammon, coin toss)|Mahjong is of the Qing
        erhu_modern|s|小提琴/钢琴/鋼琴/吉他/violin/piano/guitar|西洋乐器|琵琶、稽琴、箫管 (pipa, fiddle, flute)|Western instruments
        blue_white|s|青花瓷|成熟的青花瓷器元代才盛|青瓷、白瓷、建盏 (celadon, white ware, Jian cups)|Mature blue-and-white is of the Yuan
        """)

    static let buildings = PackTable.taboos(
        family: "anachronism",
        """
        glass_window|v|玻璃窗/玻璃门/玻璃門/落地窗/glass window/glass windows/windowpane/windowpanes|宋时窗上糊纸、糊纱或镶明瓦|纸窗、碧纱窗、明瓦 (paper, gauze or shell windows)|Windows had paper, gauze or shell
        forbidden_city|v|紫禁城/故宫/故宮/天安门/天安門/午门/午門/forbidden city|明代北京的宫城|大内、宣德楼 (the Great Interior)|The palace of Ming Beijing
        hutong|v|胡同/四合院/hutong/hutongs|元明以后北方的说法|坊、巷 (ward, lane)|A later northern word
        temple_heaven|v|天坛/天壇/颐和园/頤和園/圆明园/圓明園/summer palace|明清建筑|南郊圜丘、金明池 (southern altar, Golden Bright Pond)|Ming and Qing buildings
        skyscraper|v|高楼大厦/高樓大廈/公寓/电梯/電梯/skyscraper/apartment building/elevator|近代建筑|重楼、三层酒楼 (storeyed halls)|Modern building
        bund|v|外滩/外灘/租界/教堂/洋行|近代之物|邸店、蕃坊 (warehouse inns)|Modern things
        great_wall_brick|s|八达岭/八達嶺|明代砖石长城|边寨、烽台 (frontier fort, beacon)|The brick wall is of the Ming
        """)

    static let institutions = PackTable.taboos(
        family: "institution",
        """
        qing|v|清朝/满清/滿清/大清/康熙/乾隆/雍正/qing dynasty|晚于故事六百年|大宋、本朝 (the Song)|Six hundred years later
        ming|v|明朝/大明王朝/锦衣卫/錦衣衛/东厂/東廠/西厂/西廠/ming dynasty|明代机构|皇城司 (the Imperial City Office)|A Ming office
        grand_council|v|军机处/軍機處/总督/總督/巡抚/巡撫/viceroy|明清官制|枢密院、知府、转运使 (military council, prefect)|Ming and Qing offices
        police|w|警察/警察局/巡捕房/派出所/policeman/policemen/police station|近代机构|军巡铺、弓手、开封府公人 (ward patrol, prefecture runners)|A modern institution
        bank|w|银行/銀行/钱庄/錢莊/票号/票號/邮局/郵局/post office|后世金融与邮政|质库、金银铺、递铺 (pawnshop, silver shop, relay post)|Later institutions
        escort|w|镖局/鏢局/镖师/鏢師/保镖/保鏢|镖局清代才有|护送的军健、脚夫 (hired guards)|Escort companies are of the Qing
        eight_legs|w|八股/八股文|八股取士是明清制度|经义、策论 (essays on the classics)|The eight-legged essay is later
        concubine_palace|s|皇贵妃/皇貴妃/贝勒/貝勒/格格/福晋/福晉|明清与满洲称号|贵妃、帝姬、亲王 (consort, imperial princess)|Later and Manchu titles
        beijing|w|北京城/京师大学堂/京師大學堂|当时的都城是东京开封府|东京、汴京 (the Eastern Capital)|The capital was Kaifeng
        republic|v|民国/民國/共和国/共和國|近现代政制|朝廷、官家 (the court)|Modern government
        hospital|s|医院/醫院/hospital|当时有安济坊、医铺|安济坊、医铺 (charity infirmary, physician's shop)|There were infirmaries and physicians' shops
        school_modern|s|小学生/小學生/大学生/大學生/university student|近现代学制|学童、太学生 (pupil, student of the Imperial University)|Modern schooling
        """)

    static let dress = PackTable.taboos(
        family: "dress",
        """
        queue|v|辫子头/辮子頭/大辫子/大辮子/长辫子/長辮子/辫子/辮子/剃发留辫/pigtail|男子剃发垂辫是清代|束发、髻 (bound hair, a knot)|The queue is of the Qing
        manchu|v|马褂/馬褂/长袍马褂/長袍馬褂/旗袍/花盆底/马蹄袖/馬蹄袖/qipao/cheongsam|清代与近代服饰|袍、背子、襦裙 (gown, open coat, skirt)|Qing and modern dress
        suit|v|西装/西裝/领带/領帶/衬衫/襯衫/牛仔裤/牛仔褲/高跟鞋/necktie/jeans/high heels|西式服饰|襕衫、背子 (scholar's robe, open coat)|Western dress
        official_hat|v|顶戴花翎/頂戴花翎/红顶子/紅頂子/朝珠|清代官服|展脚幞头、笏 (winged cap, tablet)|Qing official dress
        button|s|纽扣/鈕扣/拉链/拉鏈/zipper/zippers|衣以带系，物藏袖中怀中|系带、袖中、怀中 (ties, sleeve, bosom)|Clothes were tied; things were carried in sleeve or bosom
        cotton|s|棉袄/棉襖/棉衣/棉花|棉花北宋中原尚少|绵袄、纸被、木绵 (silk floss coat)|Cotton was still rare in the north
        """)

    static let address = PackTable.taboos(
        family: "address",
        """
        laoye|w|老爷/老爺|宋时称官人、相公，此称后世才通行|官人、相公、员外 (sir)|A later form; Song speech has other words
        taitai|w|太太/少奶奶|后世称呼|娘子、夫人、恭人 (madam)|A later form
        daren|s|青天大老爷/青天大老爺/钦差大人/欽差大人/巡抚大人/巡撫大人|宋时少以大人称官|相公、府尹、太尉 (by office)|Officials were called by office
        miss|s|大小姐/千金小姐|宋时小姐多指婢妓|小娘子 (young lady)|In Song speech this word was no courtesy
        laoban|w|老板/老闆/老板娘/老闆娘|后世称呼|店主人、掌事 (shop owner)|A later form
        xiansheng|s|女士们/先生们/女士們/先生們|西式称呼|诸位、列位看官 (honoured guests)|A Western form
        huangshang|s|万岁爷/萬歲爺/老佛爷/老佛爺|宋人称天子为官家|官家、圣上 (the Official Family)|Song people said "the Official Family"
        nucai|w|奴才|清代主奴之称|小人、小的 (this humble one)|Qing forms
        comrade|v|同志们/同志們/领导/領導/comrade/comrades|现代称呼|官人、相公|A modern form
        """)

    static let visuals = PackTable.taboos(
        family: "visual",
        """
        neon|v|霓虹灯/霓虹燈/霓虹/neon|夜市以灯烛照明|灯笼、栀子灯、烛火 (lanterns, candles)|Night markets were lit by lamps
        simplified_sign|w|简体字招牌/簡體字招牌/拼音/pinyin/qr code/二维码/二維碼|招牌当用繁体正楷墨书|木牌墨书、布望子 (inked boards, banners)|Signs bear full characters
        anime|s|赛博朋克/賽博朋克/蒸汽朋克/cyberpunk/steampunk/anime style|与写实的宋代场景不合|界画、工笔设色 (ruled-line painting)|At odds with a Song scene
        samurai|v|武士刀/榻榻米/鸟居/鳥居/kimono/katana/torii/samurai/geisha|日本之物|朴刀、背子、坐榻|Japanese things
        yellow_tiles|s|满城黄瓦/滿城黃瓦|民居不得用黄瓦|青瓦、灰瓦 (grey tiles)|Common houses had grey tiles
        stone_lions_ming|s|中国结/中國結/chinese knot|近世节庆意象|彩楼欢门、望子、灯球|A modern festive image
        """)
}
