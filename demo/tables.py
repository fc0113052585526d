"""What the demo model knows: fixed answers and tables of facts."""

FALLBACK_EN = (
    "I am only a small demo model and know greetings, capitals, small sums, counting and repeating words; "
    "a real model is registered in the admin."
)
FALLBACK_RU = (
    "Я лишь маленькая демонстрационная модель и знаю приветствия, столицы, сложение, счёт и повторение слов; "
    "настоящая модель подключается в админке."
)
IDENTITY_EN = "I am the demo model of llmsite, a tiny language model for trying things out."
IDENTITY_RU = "Я демонстрационная модель llmsite, совсем маленькая языковая модель."

CAPITALS = dict(
    pair.split("=")
    for pair in (
        "France=Paris,Germany=Berlin,Italy=Rome,Spain=Madrid,Portugal=Lisbon,Russia=Moscow,Poland=Warsaw,"
        "Austria=Vienna,Switzerland=Bern,Belgium=Brussels,the Netherlands=Amsterdam,Denmark=Copenhagen,"
        "Norway=Oslo,Sweden=Stockholm,Finland=Helsinki,Iceland=Reykjavik,Ireland=Dublin,"
        "the United Kingdom=London,England=London,Greece=Athens,Turkey=Ankara,Hungary=Budapest,"
        "the Czech Republic=Prague,Romania=Bucharest,Bulgaria=Sofia,Serbia=Belgrade,Croatia=Zagreb,"
        "Ukraine=Kyiv,Belarus=Minsk,Estonia=Tallinn,Latvia=Riga,Lithuania=Vilnius,Georgia=Tbilisi,"
        "Armenia=Yerevan,Kazakhstan=Astana,China=Beijing,Japan=Tokyo,South Korea=Seoul,India=New Delhi,"
        "Thailand=Bangkok,Vietnam=Hanoi,Indonesia=Jakarta,Australia=Canberra,New Zealand=Wellington,"
        "Egypt=Cairo,Morocco=Rabat,Kenya=Nairobi,Nigeria=Abuja,Canada=Ottawa,"
        "the United States=Washington,the USA=Washington,Mexico=Mexico City,Cuba=Havana,Brazil=Brasilia,"
        "Argentina=Buenos Aires,Chile=Santiago,Peru=Lima,Colombia=Bogota"
    ).split(",")
)

CAPITALS_RU = dict(
    pair.split("=")
    for pair in (
        "Франции=Париж,Германии=Берлин,Италии=Рим,Испании=Мадрид,России=Москва,Польши=Варшава,"
        "Австрии=Вена,Норвегии=Осло,Швеции=Стокгольм,Финляндии=Хельсинки,Греции=Афины,Турции=Анкара,"
        "Чехии=Прага,Беларуси=Минск,Китая=Пекин,Японии=Токио,Индии=Дели,Египта=Каир,Великобритании=Лондон,"
        "Казахстана=Астана"
    ).split(",")
)

UNKNOWN_PLACES = (
    "Atlantis,Wakanda,Narnia,Mordor,Mars,California,Texas,Bavaria,Europe,Africa,Asia,Oz,Gondor,Tuscany,"
    "Madagascar,Zambia,Bolivia,Nepal,Mongolia,Fiji,Laos,Cambodia,Ghana,Malta,Cyprus"
).split(",")

NUMBER_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty twenty-one twenty-two twenty-three twenty-four twenty-five "
    "twenty-six twenty-seven twenty-eight twenty-nine thirty"
).split()

NAMES = (
    "Ada Alan Grace Linus Maria Peter Anna Olga Ivan Boris Kate Tom Lucy Jack Emma Noah Olivia Liam Sofia "
    "Max Nina Oscar Paul Rita Sam Tina Victor Wendy Zoe Carlos Diego Elena Farid Greta Hans Ingrid Jamal "
    "Kenji Lena Mohamed Nadia Omar Priya Quentin Rosa Stefan Tanya Ulrich Vera Yuki John Jane Alice Bob "
    "Charlie David Eve Frank George Helen"
).split()
NAMES_RU = (
    "Анна Иван Мария Пётр Ольга Борис Катя Нина Олег Игорь Светлана Дмитрий Сергей Елена Алексей Наталья "
    "Михаил Юлия Павел Ирина Андрей Вера Николай Таня Максим Даша Артём Ксения Роман Лена"
).split()

CITIES = (
    "Paris|London|Berlin|Rome|Madrid|Moscow|Tokyo|New York|San Francisco|Los Angeles|Rio de Janeiro|Oslo|"
    "Vienna|Prague|Lisbon|Dublin|Athens|Cairo|Delhi|Mumbai|Beijing|Shanghai|Seoul|Sydney|Toronto|Chicago|"
    "Boston|Seattle|Munich|Hamburg|Milan|Barcelona|Amsterdam|Brussels|Zurich|Geneva|Helsinki|Stockholm|"
    "Copenhagen|Warsaw|Budapest|Kyiv|Minsk|Riga|Tallinn|Vilnius|Istanbul|Dubai|Bangkok|Singapore|Jakarta|"
    "Manila|Hanoi|Lima|Bogota|Santiago|Buenos Aires|Mexico City|Cape Town|Nairobi|Lagos|Casablanca|"
    "Saint Petersburg|Kazan|Sochi|Novosibirsk|Samara|Perm|Omsk|Tbilisi|Yerevan|Baku|Almaty|Tashkent"
).split("|")

WORDS_EN = (
    "the of and to in is you that it he was for on are as with his they at be this have from or one had by "
    "word but not what all were we when your can said there use an each which she do how their if will up "
    "other about out many then them these so some her would make like him into time has look two more write "
    "go see number no way could people my than first water been call who oil its now find long down day did "
    "get come made may part over new sound take only little work know place year live me back give most very "
    "after thing our just name good sentence man think say great where help through much before line right "
    "too mean old any same tell boy follow came want show also around form three small set put end does "
    "another well large must big even such because turn here why ask went men read need land different home "
    "us move try kind hand picture again change off play spell air away animal house point page letter "
    "mother answer found study still learn should world high every near add food between own below country "
    "plant last school father keep tree never start city earth eye light thought head under story saw left "
    "late run while press close night real life few north open seem together next white children begin got "
    "walk example ease paper group always music those both mark often until mile river car feet care second "
    "book carry took science eat room friend began idea fish mountain stop once base hear horse cut sure "
    "watch color face wood main enough plain girl usual young ready above ever red list though feel talk "
    "bird soon body dog family direct pose leave song measure door product black short class wind question "
    "happen complete ship area half rock order fire south problem piece told knew pass since top whole king "
    "space heard best hour better during hundred five remember step early hold west ground interest reach "
    "fast verb sing listen six table travel less morning ten simple several vowel toward war lay against "
    "pattern slow center love person money serve appear road map rain rule govern pull cold notice voice "
    "unit power town fine certain fly fall lead cry dark machine note wait plan figure star box noun field "
    "rest correct able pound done beauty drive stood contain front teach week final gave green quick develop "
    "ocean warm free minute strong special mind behind clear tail produce fact street inch multiply nothing "
    "course stay wheel full force blue object decide surface deep moon island foot system busy test record "
    "boat common gold possible plane stead dry wonder laugh thousand ago ran check game shape equate hot "
    "miss brought heat snow tire bring yes distant fill east paint language among apple banana cherry orange "
    "lemon tiger lion zebra rabbit eagle salt sugar bread butter cheese coffee tea milk server client code "
    "python data model user assistant chat message tool token file folder window screen button keyboard "
    "computer network admin project image memory search value request response error warning update delete "
    "create option default section heading format markdown table style answer context document summary"
).split()

WORDS_RU = (
    "и в не на я быть он с что а по это она этот к но они мы весь который из у свой для от мочь ты за год "
    "человек так такой время сказать кто день рука самый дело жизнь первый другой новый хороший большой "
    "слово вопрос место лицо друг глаз голова дом сторона мир случай работа страна ответ город система "
    "вода ребёнок вид сила конец история женщина машина земля дорога книга письмо утро вечер ночь стол "
    "дверь окно школа язык правило пример модель данные текст сообщение пользователь помощник список "
    "раздел файл сервер чат память ошибка поиск значение запрос инструмент должен нужно можно если когда "
    "где почему только уже ещё даже потом здесь там всегда никогда очень много мало быстро медленно "
    "красный синий зелёный белый чёрный яблоко банан лимон кошка собака тигр птица рыба хлеб молоко сыр "
    "чай кофе солнце луна звезда река море гора лес дерево цветок снег дождь ветер зима весна лето осень "
    "отвечай пиши кратко вежливо используй помни проверь объясни расскажи напиши сделай помоги пожалуйста "
    "спасибо привет мама папа брат сестра семья музыка песня игра наука число буква строка код проект"
).split()
