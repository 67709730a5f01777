"""The words of the demo archive: an invented family, written for this project."""

LETTER = (
    (
        "Lyon, le 4 mars 1912",
        "",
        "Mon cher frère,",
        "",
        "Ta lettre du 27 février m'est arrivée ce matin, et je te",
        "réponds tout de suite, car le courrier part à cinq heures.",
        "La maison est vendue. Maître Aubertin a signé hier devant",
        "témoins, pour la somme de 18 450 francs, payable en deux",
        "fois. Notre mère a voulu garder l'armoire et les livres de",
        "l'oncle Étienne; le reste ira à la vente du 16 mars.",
        "",
        "Tu me demandes où sont les papiers de famille. Je les ai",
        "rangés dans la malle verte, au grenier: les lettres de 1871,",
        "les actes de naissance et le registre de la fabrique. Il",
        "manque seulement le contrat de 1848, que personne n'a revu",
        "depuis l'inondation.",
        "",
        "Écris-moi bientôt. Ta sœur qui t'embrasse,",
        "Hélène",
    ),
    (
        "Freiburg, den 12. März 1912",
        "",
        "Lieber Vetter Jakob,",
        "",
        "für Deine Zeilen vom 8. März danke ich Dir herzlich. Die",
        "Kiste mit den Büchern ist gestern angekommen, leider war",
        "der Deckel gebrochen und zwei Bände sind naß geworden. Ich",
        "habe sie über dem Ofen getrocknet, so gut es ging.",
        "",
        "Die Großmutter läßt Dich grüßen. Sie fragt jeden Tag, ob",
        "Du zu Ostern kommst. Wenn Du den Zug um 7.35 Uhr nimmst,",
        "bist Du gegen Mittag hier; ich hole Dich am Bahnhof ab.",
        "",
        "Bringe bitte die Photographie von 1889 mit, auf der alle",
        "elf Geschwister vor der Mühle stehen. Der Maler Öhlschläger",
        "will sie für die Chronik abzeichnen.",
        "",
        "Mit vielen Grüßen",
        "Dein Vetter Matthäus",
    ),
    (
        "Harwich, 21st March 1912",
        "",
        "Dear Mr. Aubertin,",
        "",
        "I beg to acknowledge receipt of your letter of the 14th,",
        "together with the inventory of the late Étienne Vasseur's",
        "library. We have compared the list with the volumes now in",
        "our store and find that numbers 17, 43 and 108 are wanting.",
        "",
        "The remaining 236 volumes will be shipped on the steamer",
        '"Amalia" on the 2nd of April. Freight and insurance come',
        "to 4 pounds 12 shillings, which we have charged to your",
        "account. Kindly let us know whether the atlas should travel",
        "with them or be sent by rail.",
        "",
        "Yours faithfully,",
        "J. W. Pemberton & Sons",
    ),
)

GAZETTE_HEADING = ("THE HARBOUR GAZETTE", "Saturday, 9th July 1898 - Price one penny")
GAZETTE = (
    (
        "The new breakwater was opened on",
        "Thursday by the Mayor, before a",
        "crowd of some two thousand people.",
        "Work had begun in the autumn of",
        "1893 and was twice interrupted by",
        "storms. The stone came from the",
        "quarries at Linney, eleven miles",
        "inland, by a railway that was built",
        "for the purpose and will now carry",
        "passengers on Sundays. The cost,",
        "which had been put at 31,000",
        "pounds, has risen to 46,500.",
    ),
    (
        "A letter from our correspondent in",
        "Bergen says that the herring have",
        "come three weeks early this year.",
        "More than forty boats have left",
        "for the northern grounds, and the",
        "price of salt has doubled. The",
        'captain of the brig "Solveig"',
        "reports drifting ice as far south",
        "as he has ever met it in June.",
        "The lighthouse keepers have been",
        "told to sound the fog horn every",
        "two minutes during thick weather.",
    ),
)

REGISTER_HEADING = "Register of gifts received, 1931"
REGISTER = (
    ("3 Jan.", "Vasseur, Hélène", "Lyon", "25.00"),
    ("17 Jan.", "Öhlschläger, Karl", "Freiburg", "12.50"),
    ("2 Feb.", "Pemberton & Sons", "Harwich", "100.00"),
    ("11 Feb.", "Aubertin, Maître", "Lyon", "40.00"),
    ("28 Feb.", "Lindqvist, Solveig", "Bergen", "7.75"),
    ("9 March", "Moreau, Étienne", "Grenoble", "15.00"),
    ("22 March", "Schaller, Matthäus", "Basel", "60.00"),
    ("5 April", "Carrington, Ada", "London", "33.20"),
    ("19 April", "Vasseur, Jakob", "Lyon", "25.00"),
    ("30 April", "Dupré, Céleste", "Dijon", "8.40"),
    ("14 May", "Hartmann, Grete", "Ulm", "50.00"),
    ("27 May", "Olsen, Nils", "Bergen", "18.60"),
)

POSTCARDS = (
    ("Annecy, 3 août 1907", "Bons baisers du lac.", "Nous rentrons mardi.", "Céleste et Paul"),
    ("Hamburg, 19. Mai 1909", "Die Überfahrt war ruhig.", "Morgen weiter nach Kiel.", "Euer Nils"),
)

REPORT_TITLE = "Report on the archive, 1999"
REPORT = (
    "The letters have been moved to acid-free boxes.",
    "Of 412 items, 37 are damaged by water and 5 are illegible.",
    "We propose to photograph all of them within two years.",
)

WORDS = (
    "archive,letter,register,harbour,winter,journey,mother,garden,station,village,number,silver,ticket,morning,river,"
    "paper,signal,captain,barrel,orchard,market,lantern,weather,almanac,pencil,bridge,custom,ledger,autumn,harvest,"
    "doctor,window,cellar,timber,needle,copper,saddle,parcel,steamer,meadow,candle,stamp,invoice"
)
