// TheatreOS
// SPDX-License-Identifier: Apache-2.0

extension Vocabulary {
    /// What is eaten and drunk.
    static let food = PackTable.terms(
        category: "food",
        """
        水饭|rice in cool water, a stall's summer staple|州桥夜市
        爊肉|meat simmered slowly in spiced stock|州桥夜市
        旋煎羊白肠|sheep's white gut fried to order|州桥夜市
        批切羊头|sheep's head, thinly sliced|州桥夜市
        姜豉|jellied meat with ginger and fermented beans|州桥夜市
        麻腐|a cool curd of sesame|州桥夜市
        冰雪冷元子|iced balls of bean flour and honey|州桥夜市
        荔枝膏|a cooling syrup named after lychee|州桥夜市
        香糖果子|sweetmeats of fruit and spiced sugar|州桥夜市
        水晶脍|clear fish jelly, a winter dish|州桥夜市
        盘兔|hare served whole on a dish|州桥夜市
        杂嚼|small bites sold until the third watch|州桥夜市
        旋炙猪皮肉|pork with its skin, grilled while one waits|州桥夜市
        瓠羹|gourd soup; the shops that sell it open before dawn|食店
        软羊|tender mutton, the good cut of a tavern|食店
        冷淘|cold noodles|食店
        插肉面|noodles topped with meat, after the fashion of Sichuan|食店
        桐皮面|smooth broad noodles|食店
        馉饳儿|small stuffed dough parcels|食店
        百味羹|soup of many ingredients|饮食果子
        洗手蟹|raw crab dressed in the time it takes to wash hands|饮食果子
        决明兜子|thin-skinned parcels filled with shellfish|饮食果子
        假河鲀|mock blowfish, a cook's joke without the poison|饮食果子
        旋炒银杏|ginkgo nuts roasted to order|饮食果子
        河北鹅梨|fragrant pears from north of the River|饮食果子
        西川乳糖|milk sugar brought from western Sichuan|饮食果子
        狮子糖|sugar cast as lions|饮食果子
        胡饼|sesame flatbread baked on the oven wall|饼店
        油饼|fried or oiled flatbread|饼店
        蒸饼|steamed bread|饼店
        灌肺|stuffed lung, a breakfast snack|天晓诸人入市
        煎点汤茶药|herbal tea drinks hawked before daylight|天晓诸人入市
        枣锢|date pastry of the Clear Brightness outings|清明节
        子推燕|dough swallows strung on willow for Cold Food|清明节
        稠饧|thick malt sugar of spring|清明节
        粽子|rice wrapped in leaves for the Double Fifth|端午
        白团|white rice balls for the Double Fifth|端午
        重阳糕|steamed cake with little flags for the Double Ninth|重阳
        狮蛮|dough lions and riders set on the festival cake|重阳
        果食花样|honeyed pastry figures of the Seventh Night|七夕
        腊八粥|gruel of nuts and beans that temples share out|十二月
        澄沙团子|rice balls with fine bean paste|马行街铺席
        盐豉汤|broth of salted beans for winter nights|马行街铺席
        辣脚子|pickled pungent stalks, hot with ginger and mustard|州桥夜市
        """)
}
