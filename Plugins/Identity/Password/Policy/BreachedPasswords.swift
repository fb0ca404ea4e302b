// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// Passwords that are tried first wherever passwords are guessed: those at the head of published breach lists, and their
/// common extensions, of 10 characters or more. Shorter ones are refused by length.
enum BreachedPasswords {
    /// Whether a lower-case password is in the list.
    static func contains(_ folded: String) -> Bool { list.contains(Substring(folded)) }

    /// How many there are.
    static var count: Int { list.count }

    private static let list = Set(
        """
        !qaz2wsx3edc 0000000000 00000000000 000000000000 0123456789 01234567890 0987654321 0okm9ijn8uhb 1010101010
        1029384756 1111111111 11111111111 111111111111 1112131415 1122334455 112233445566 1212121212 1231231231
        123123123123 123123123a 1234512345 12345123451 123456123456 1234567123 1234567890 12345678900 12345678901
        123456789012 1234567890123 1234567890a 1234567890q 1234567890qwertyuiop 1234567891 12345678910 1234567899
        123456789a 123456789q 123456789z 1234567abc 123456qwerty 12345qwert 1234qwer1234 1234qwerasdf 123abc123abc
        123qwe123qwe 123qweasdzxc 1314520520 1357924680 1470258369 1472583690 147258369a 159753456a 1597534682
        1q2w3e4r5t 1q2w3e4r5t6y 1q2w3e4r5t6y7u 1q2w3e4r5t6y7u8i 1qaz!qaz2wsx 1qaz1qaz1qaz 1qaz2wsx3edc
        1qaz2wsx3edc4rfv 1qaz@wsx3edc 1qazxsw23edc 2020202020 2222222222 2468101214 3333333333 4444444444 5201314520
        52013145201314 5201314521 5555555555 6666666666 7418529630 741852963a 7777777777 7894561230 789456123a
        8888888888 9876543210 987654321a 9999999999 a123456789 a12345678910 a1b2c3d4e5 a1b2c3d4e5f6 aa12345678
        aaaaaaaaaa aaaaaaaaaaaa aabbccddee abc1231234 abc1234567 abc123456789 abcabcabc1 abcd123456 abcd1234567
        abcde12345 abcdefghij abcdefghijk abcdefghijkl abracadabra abracadabra1 admin123!@# admin12345 admin123456
        admin1234567 admin123admin admin@1234 admin@12345 adminadmin adminadmin1 administrator administrator1
        aini1314520 alexander1 alexander123 alexandra1 amanda1234 american1! andrew1234 angel12345 anthony123
        arsenal123 arsenal1234 asd123456789 asdasdasdasd asdf123456 asdfasdfasdf asdfg12345 asdfgh12345 asdfghjkl1
        asdfghjkl12 asdfghjkl123 asdfghjkl; ashley1234 ashley12345 asshole123 autumn2023 autumn2024 autumn2025
        autumn2026 azerty1234 azerty12345 azertyuiop azertyuiop1 babygirl10 babygirl11 babygirl12 babygirl123
        babygirl13 bailey1234 barcelona1 barcelona10 barcelona123 baseball12 baseball123 basketball basketball1
        basketball12 basketball123 batman1234 batman12345 beatles123 benjamin12 benjamin123 blackberry blackberry1
        blessed123 blink182182 buster1234 butterfly1 butterfly12 butterfly123 callofduty changeit123 changeme1!
        changeme12 changeme123 changemenow charlie123 charlie1234 cheese1234 chelsea123 chocolate1 chocolate12
        chocolate123 christian1 christian123 christopher christopher1 company123 computer12 computer123 contrasena123
        contraseña1 cookie1234 cookie12345 correcthorsebatterystaple corvette12 counter123 counterstrike cowboys123
        daniel1234 daniel12345 darthvader darthvader1 december2024 december2025 default123 default1234 dragon1234
        dragon12345 dragonball dragonball1 dragonballz eagles1234 elizabeth1 elizabeth12 elizabeth123 eminem1234
        facebook12 facebook123 ferrari123 flower1234 flower12345 football10 football11 football12 football123
        football1234 forever123 forever1234 fortnite12 fortnite123 freedom123 freedom1234 fuckyou123 fuckyou1234
        fuckyou12345 gandalf123 george1234 ginger1234 godisgood1 godisgreat google1234 google12345 guest12345
        guest123456 happy12345 happy123456 harley1234 harrypotter harrypotter1 haslo12345 hello12345 hello123456
        hello123hello hellohello hellokitty hellokitty1 helloworld helloworld1 helloworld123 heslo12345 hockey1234
        hunter1234 hunter12345 idontknow1 idontknow123 iforgot123 ilovejesus1 ilovemyfamily ilovemymom ilovemyself
        iloveu1234 iloveyou!! iloveyou10 iloveyou12 iloveyou123 iloveyou1234 iloveyou22 iloveyou2much iloveyou4ever
        iloveyoubaby iloveyoumom iloveyouso internet12 internet123 january2024 january2025 january2026 jennifer12
        jennifer123 jessica123 jessica1234 jesus12345 jesuschrist jesuschrist1 jesusislord jesuslovesme jonathan12
        jonathan123 jordan1234 jordan2323 joshua1234 juventus123 killer1234 lakers1234 lakers2424 leagueoflegends
        letmein1!! letmein123 letmein1234 letmein12345 letmeinnow li12345678 liverpool1 liverpool123 liverpoolfc
        lordoftherings lovelove12 lovelove123 lovely1234 loveme1234 loveyou123 lozinka123 maggie1234 manchester
        manchester1 manutd1234 master1234 master12345 masterkey1 matthew123 mercedes12 metallica1 metallica123
        michael123 michael1234 michelle12 michelle123 mickeymouse microsoft1 minecraft1 minecraft12 minecraft123
        mnbvcxz123 monday1234 monkey1234 monkey12345 monkey123456 motdepasse mustang123 mypassword mypassword1
        mypassword123 newcastle1 newpassword newpassword1 nicholas12 nicholas123 nicole1234 nintendo123 nintendo64
        nirvana123 nopassword nopassword1 opensesame opensesame1 p@55w0rd12 p@ssw0rd1! p@ssw0rd123 p@ssword123
        pa$$word123 pa55word123 parola12345 passw0rd1! passw0rd123 password!! password01 password1! password10
        password11 password12 password12! password123 password123! password1234 password1234! password12345
        password123456 password2020 password2021 password2022 password2023 password2024 password2025 password2026
        password22 password99 passwordpassword passwort123 pepper1234 pineapple1 playstation playstation1 playstation2
        playstation3 poiuytrewq pokemon123 pokemon1234 praisethelord princess12 princess123 princess1234 q123456789
        q1w2e3r4t5 q1w2e3r4t5y6 qazwsxedc1 qazwsxedc123 qazwsxedcrfv qqqqqqqqqq qwe1234567 qwe123qwe123 qweasdzxc1
        qweasdzxc12 qweasdzxc123 qweqweqweqwe qwer123456 qwer12345678 qwert12345 qwert123456 qwerty123! qwerty1234
        qwerty1234! qwerty12345 qwerty123456 qwertyqwerty qwertyuiop qwertyuiop1 qwertyuiop12 qwertyuiop123
        qwertyuiop[] qwertyuiopasdfghjkl rammstein1 ranger1234 realmadrid realmadrid1 robert1234 roblox1234
        roblox12345 root123456 root1234567 rootroot12 salasana123 samantha12 samantha123 samsung123 samsung1234
        scoobydoo1 secret1234 secret12345 senha12345 shadow1234 shadow12345 skywalker1 slipknot12 slipknot666
        soccer1234 softball123 spiderman1 spiderman12 spiderman123 spongebob1 spongebob12 spongebob123 spring2020
        spring2021 spring2022 spring2023 spring2024 spring2025 spring2026 starwars12 starwars123 steelers12 stephanie1
        strawberry strawberry1 summer2020 summer2021 summer2022 summer2023 summer2024 summer2025 summer2026 sunshine12
        sunshine123 sunshine1234 superadmin1 superman12 superman123 superman1234 supersecret supersecret1 temp123456
        temporary1 test123456 test1234567 test12345678 tester1234 testing123 testing1234 testpassword testtest12
        testtest123 thebeatles thepassword theresnoplacelikehome thomas1234 tigger1234 tigger12345 tinkerbell
        tinkerbell1 toor123456 topsecret1 trustno1!! trustno123 undertaker unknown123 user123456 volleyball
        volleyball1 w123456789 wachtwoord wachtwoord1 wang123456 watermelon welcome1!! welcome123 welcome123!
        welcome1234 welcome12345 welcome2020 welcome2021 welcome2022 welcome2023 welcome2024 welcome2025 welcome2026
        welcome@123 welcometo1 whatever12 whatever123 william123 winniethepooh winter2020 winter2021 winter2022
        winter2023 winter2024 winter2025 winter2026 wo123456789 woaini1314 woaini1314520 woaini520520 woaiwojia1
        worldofwarcraft xxxxxxxxxx yankees123 yourpassword zaq12wsxcde3 zaq1zaq1zaq1 zhang123456 zxcvb12345
        zxcvbn12345 zxcvbnm123 zxcvbnm1234 zxcvbnmzxcvbnm zzzzzzzzzz
        """.split { $0 == " " || $0 == "\n" })
}
