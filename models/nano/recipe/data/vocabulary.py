"""Open vocabularies of the instruction data: words, identifiers, names and values.

The requests must teach the model to copy names and values instead of remembering a few of
them, so identifiers are combined from long word lists and, for a share, made up of syllables.
"""

NOUNS = """account actor address agent album alarm amount anchor angle animal answer apple archive area arrow
article artist asset atom author badge bag balance ball band bank barrel basket batch battery beacon beam bed bee
bell bench bike bill bin bird blade block board boat body bond bone book border bottle bottom box branch brand
bread brick bridge brush bucket budget buffer bug builder building bulb bundle bus button buyer cabin cable cache
cake camera camp candle canvas cap car card cargo carrier cart case castle cat cell chain chair channel chapter
charge chart chest chip circle city claim class client clinic clock cloud club coach coat code coin colony color
column comet comment company contact container contract cook corner cost counter country coupon course cover crate
credit creek crew crop crystal cup customer cycle daemon date day deck delay demand depot depth desk device dial
dish disk district dock doctor dog door dose draft dragon drawer driver drone drum duck duration dust duty eagle
edge editor effect egg employee engine entry envelope episode error event exam expense expert face factor factory
family farm farmer feather fee fence field figure file film filter finger fire fish flag flame fleet flight floor
flower fluid folder forest fork form fountain fox fragment frame friend frog fruit fuel game garden gate gauge gear
ghost gift glacier glass goal goat grade grain graph grid group guard guest guide guitar hall hammer harbor hat
header heap heart height helmet hen herb hero hill hive hole holiday home hook horse host hotel hour house idea
image index ink insect invoice island item jacket jar jewel job joke journal journey judge juice key kettle kitchen
kite knife knot label ladder lake lamp lane laptop laser layer leader leaf league lease lecture ledger lemon length
lens lesson letter level library license light limit line lion list load loan location lock log lot machine magnet
mail manager map margin mark marker market mask mass match meal measure meeting melody member memory menu merchant
message metal meter mill mine minute mirror mission mixer model module moment money month moon motor mountain mouse
movie museum mushroom nail name needle nest network night node noise note novel number nurse oak object ocean
offer office orbit orchard order organ origin outlet oven owl owner package page paint pair palace panel paper
parcel park part partner party passenger patch path patient pattern payment peak pearl pen pencil penguin person
phone photo phrase piano picture pilot pin pipe pirate pixel place planet plank plant plate player plot pocket poem
point policy pond pool port position post pot potato price printer prize probe process product profile project proof
province pulse pump puppet purchase quarter queen query quest question queue quiz quote rack radio rail range rank
rate reader reading receipt recipe record region relay rent repair reply report request reservation resource result
review reward ribbon rider ring river road robot rock rocket role roof room root rope rose route row rule runner
sail salad salary sale sample satellite scale scene schedule school score screen sculpture season seat section sector
seed segment seller sensor server session shadow shape share sheep sheet shelf shell shield shift ship shipment shoe
shop signal singer site size skill sky slice slot snake socket soldier song soup source spark speaker species speed
spell spider spoon sport spring stadium staff stage stamp star station statue step stick stock stone storage store
storm story stream street string student subject sugar suit summit supplier surface survey swarm switch symbol table
tag tail tailor talent tank target task tax taxi teacher team temple tenant tent term test text theater thread
threshold ticket tide tiger tile timer title token tool topic torch total tower town toy track trader trail train
tray treasure tree trial tribe trip truck tube tunnel turbine turn unit user valley value valve van vector vehicle
vendor venue vessel vest village violin virus visit visitor voice volcano volume vote voucher voyage wage wagon wall
wallet warehouse watch wave weapon weather week weight well whale wheel wind window wine wing winner wire witness
wolf wood word worker world writer yard year zebra zone""".split()

ADJECTIVES = """active actual adjusted after ample ancient arctic average azure bare basic best big bitter blank blue
bold brave brief bright broken busy calm central cheap clean clear clever close coarse cold common complete cool
correct crisp current daily damp dark deep default dense direct distinct double dry dull dusty early eager east easy
empty equal even exact expected external extra faint fair far fast final fine firm first fixed flat fresh front
full future gentle global golden good grand gray great green half happy hard heavy hidden high hollow home hot huge
icy idle initial inner known large last late lazy left level light linear little local lonely long loose loud low lower
lucky main major merged mild minor missing mixed modern narrow near neat new next nice noble north odd old only open
outer outside pale past plain polite poor previous prime private proper proud public pure quick quiet random rapid
rare raw ready real recent red remote rich right ripe rough round royal rusty safe sample second secret sharp shared
shiny short silent silver simple single slow small smart smooth soft solid sorted sour south spare square stable
stale steep stiff strict strong sweet swift tall tame thick thin tidy tiny top total tough unique upper urgent
used useful valid vast visible warm weak west wet whole wide wild wise wooden young""".split()

VERBS = """add adjust align apply arrange assemble attach average balance bind blend block build calc cap capture
carve check choose clean clear collect combine compare compress compute convert copy count crop cut decode derive
detect divide double drain draw drop encode estimate evaluate expand extract fetch fill filter find fix flag flatten
flip fold form format gather get grade group grow guess halve handle hash hide index infer insert inspect join keep
label lift limit list load locate look lower make map mark match measure merge mix move name normalize number order
pack pad paint parse pick place plan plot pluck polish predict prepare print process prune pull push raise rank rate
read rebuild reduce refine reject remove render repeat replace report resolve reverse rotate round sample scale scan
score search select shape shift shrink shuffle sift skip slice solve sort split squash stack store strip sum swap
tally tag take tidy total trace track transform trim tune unify unpack update validate weigh wrap write""".split()

FIRST = """Alice Bob Carol David Emma Frank Grace Henry Isabel Jack Karen Leo Maria Nora Oliver Paula Quinn Rosa Sam
Tara Uma Victor Wendy Xavier Yara Zoe Ada Alan Linus Ken Anna Ben Chloe Daniel Eva Felix Hugo Ivan Julia Lena Max Nina
Otto Peter Ruth Sofia Tom Vera Will Aaron Abdul Adele Aiko Akira Alma Amir Andre Anton Arjun Astrid Aurora Basil
Beatriz Bela Bruno Camille Carlos Cecilia Chen Clara Cyrus Dagmar Dario Deepa Diego Dora Edgar Elena Elias Elif Emil
Enzo Erik Esther Fatima Fiona Flora Gita Greta Gustav Hana Hassan Heidi Hiro Ida Igor Ines Iris Jamal Jana Joao Jonas
Kai Kamala Kofi Lars Laura Leila Levi Lin Lola Louis Luca Lucia Luna Magnus Mei Mila Milan Miro Mona Nadia Naomi Nils
Noah Odette Olga Omar Oskar Pablo Pia Priya Rafael Ravi Rita Robin Roman Sara Selma Sigrid Simon Stella Sven Tariq
Theo Tilda Tobias Ugo Ursula Valentin Viktor Wanda Wei Yusuf Zara Zeno""".split()

LAST = """Smith Johnson Brown Garcia Miller Davis Lopez Wilson Moore Taylor Lee Clark Lewis Young King Wright Hill
Green Baker Nelson Carter Rivera Turner Diaz Parker Evans Cook Bell Ward Gray Abbott Adler Amato Arnold Bauer Becker
Bianchi Bishop Blake Bondar Castro Chang Conrad Costa Cruz Dahl Dubois Duran Ekberg Ferrari Fischer Flynn Fontaine
Gupta Haas Hansen Hayashi Hughes Ibrahim Ito Jansen Kaya Keller Khan Kim Klein Kovacs Kumar Larsen Laurent Lindgren
Marino Martin Meyer Mori Nakamura Novak Okafor Olsen Ortega Patel Petrov Popov Quist Ramos Rossi Sato Schmidt Silva
Singh Soto Suzuki Tanaka Torres Ueda Varga Vogel Wagner Walsh Weber Winter Wolf Yamada Yilmaz Zhang Zimmer""".split()

CITIES = """Berlin Paris London Madrid Rome Oslo Vienna Lisbon Dublin Prague Tokyo Osaka Seoul Boston Chicago Denver
Austin Seattle Toronto Lima Cairo Nairobi Sydney Zurich Hamburg Lyon Porto Kyoto Accra Amsterdam Ankara Antwerp Athens
Auckland Baku Bangkok Basel Beirut Bergen Bern Bilbao Bogota Bristol Brno Bruges Brussels Cordoba Cork Dakar Dallas
Delhi Dresden Durban Florence Geneva Genoa Ghent Graz Hanoi Havana Helsinki Houston Istanbul Jakarta Kiel Krakow Lagos
Leipzig Linz Malaga Manila Marseille Medellin Melbourne Milan Montreal Mumbai Munich Nantes Naples Nice Palermo Perth
Phoenix Pisa Quito Reykjavik Riga Salzburg Santiago Seville Singapore Sofia Split Stockholm Tallinn Tampere Tunis
Turin Utrecht Valencia Venice Vilnius Warsaw Zagreb""".split()

COUNTRIES = """Germany France Spain Italy Norway Austria Portugal Ireland Japan Canada Peru Egypt Kenya Australia
Switzerland Brazil Mexico India Chile Poland Argentina Belgium Bolivia Croatia Cuba Denmark Estonia Finland Ghana
Greece Hungary Iceland Indonesia Jordan Latvia Lithuania Malta Morocco Nepal Netherlands Nigeria Romania Senegal
Serbia Slovenia Sweden Thailand Tunisia Turkey Uruguay Vietnam""".split()

TAGS = """new sale admin staff beta urgent draft public private rust python go zig web cli data ml test prod dev api
home work sport music travel food health cheap premium blue red green fast stable legacy mobile desktop internal
archived popular vegan organic local online offline editor viewer owner guest sql linux docker cloud security design
finance legal hr support sales winter summer indoor outdoor kids family gift red-hot top featured""".split()

STATES = """open closed pending done failed shipped active paused draft approved rejected queued running stopped
ready archived paid unpaid lost won new sold blocked expired""".split()

CONSONANTS = "b br c ch d dr f g gr h j k kl l m n p pl qu r s sh sk st t th tr v w z".split()
VOWELS = "a e i o u ai ea ia io oo".split()
ENDINGS = ["", "", "n", "r", "l", "s", "x", "m", "t", "nd", "rk", "sh"]


def made_up(rng):
    """A pronounceable word that no language has, to be copied letter by letter."""
    count = rng.choice([2, 2, 3])
    word = "".join(rng.choice(CONSONANTS) + rng.choice(VOWELS) for _ in range(count))
    return (word + rng.choice(ENDINGS)).lower()


def noun(rng):
    """A noun; one of eight is made up."""
    return made_up(rng) if rng.random() < 0.12 else rng.choice(NOUNS)


def plural(word):
    """The English plural of a (snake case) noun."""
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return word[:-1] + "ies"
    if word.endswith(("s", "x", "sh", "ch")):
        return word + "es"
    return word + "s"


def article(word):
    """The word with its indefinite article."""
    vowel = word[0].lower() in "aeiou" and not word.startswith(("user", "unit", "uni", "one"))
    return ("an " if vowel else "a ") + word


def and_list(words):
    """Join words the way a sentence does: a, b and c."""
    words = list(words)
    if len(words) == 1:
        return words[0]
    return ", ".join(words[:-1]) + " and " + words[-1]


def function_name(rng):
    """A snake case function name of one to three words."""
    draw = rng.random()
    if draw < 0.45:
        parts = [rng.choice(VERBS), noun(rng)]
    elif draw < 0.65:
        parts = [rng.choice(VERBS), rng.choice(ADJECTIVES), noun(rng)]
    elif draw < 0.8:
        parts = [rng.choice(ADJECTIVES), noun(rng)]
    elif draw < 0.9:
        parts = [noun(rng), noun(rng)]
    else:
        parts = [made_up(rng)]
    return "_".join(parts)


def identifier(rng):
    """A snake case name for a parameter, field or column."""
    draw = rng.random()
    if draw < 0.6:
        return noun(rng)
    if draw < 0.8:
        return rng.choice(ADJECTIVES) + "_" + noun(rng)
    if draw < 0.92:
        return noun(rng) + "_" + noun(rng)
    return made_up(rng)


def camel(name):
    """snake_case to camelCase."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def pascal(name):
    """snake_case to PascalCase."""
    return "".join(part.capitalize() for part in name.split("_"))


def person(rng):
    """A first name, or a full name."""
    first = rng.choice(FIRST) if rng.random() < 0.9 else made_up(rng).capitalize()
    return first if rng.random() < 0.5 else first + " " + rng.choice(LAST)


def integer(rng):
    """An integer, small ones more often."""
    return rng.choice([rng.randint(0, 12), rng.randint(1, 100), rng.randint(1, 2000), rng.randint(1000, 99999)])


def decimal(rng):
    """A decimal number with one or two places."""
    return round(rng.uniform(0.1, rng.choice([2, 10, 100, 1000])), rng.choice([1, 2, 2]))


def date(rng):
    """An ISO date."""
    return f"{rng.randint(1990, 2032)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}"


def phrase(rng):
    """A short title of words."""
    words = [rng.choice(ADJECTIVES), noun(rng)]
    if rng.random() < 0.3:
        words = [rng.choice(VERBS), "the"] + words
    text = " ".join(words)
    return text.capitalize() if rng.random() < 0.5 else text.title() if rng.random() < 0.5 else text
