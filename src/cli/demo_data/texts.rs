//! Words the shop's people and customers type, the awkward ones included: each of these has once
//! broken an export somewhere.

pub(super) const FIRST_NAMES: &[&str] = &[
    "Anna", "Ben", "Clara", "David", "Emma", "Felix", "Greta", "Hans", "Ida", "Jonas", "Karin", "Lukas", "Mia", "Noah",
    "Olga", "Paul", "Rosa", "Simon", "Tina", "Uwe", "Zoë", "Łukasz", "Søren", "Françoise", "Jürgen", "Nuño", "Åsa",
    "Дмитрий", "Ελένη", "محمد", "李", "さくら", "Anne-Marie", "Sean \"Seánie\"", "",
];

pub(super) const LAST_NAMES: &[&str] = &[
    "Müller", "Schmidt", "Jansen", "Novak", "Rossi", "Dubois", "García", "Kowalski", "Nielsen", "Brown", "O'Brien",
    "D'Angelo", "van der Berg", "Ñandú", "Ångström", "Øster", "Иванова", "Παπαδοπούλου", "王", "Smith, Jr.", "Null",
    "de la Cruz", "Šimić", "İnan", "ẞtraße",
];

pub(super) const CITIES: &[(&str, &str)] = &[
    ("Berlin", "DE"), ("Hamburg", "DE"), ("München", "DE"), ("Köln", "de"), ("Wien", "AT"), ("Graz", "AT"),
    ("Zürich", "CH"), ("Genève", "CH"), ("Paris", "FR"), ("Lyon", "FR"), ("Kraków", "PL"), ("Warszawa", "Pl"),
    ("København", "DK"), ("London", "UK"), ("Leeds", "GB"), ("New York", "US"), ("San José", "US"), ("東京", "JP"),
];

/// What people write into comment boxes.
pub(super) const COMMENTS: &[&str] = &[
    "please ring twice", "", "leave it with the neighbour", "say \"hello\" to the dog", "a, b and c",
    "first line\nsecond line", "windows\r\nline ends", "🎁 gift, please wrap", "thanks! 👍🏽", "it's urgent",
    "NULL", "\\N", "  leading and trailing  ", "tab\there", "'; DROP TABLE orders; --", "semi;colon",
    "{\"json\": true}", "<b>bold</b> & more", "100 % sure", "naïve café — “quoted”", "=1+1", "\"", "\"\"", ",", "\n",
    "👩‍👩‍👧‍👦 family order", "e\u{301} combining", "\u{feff}byte order mark", "right-to-left: שלום", "back\\slash",
    "{{ not_a_template }}", "${HOME}",
];

pub(super) const PRODUCT_WORDS: &[&str] = &[
    "Lamp", "Chair", "Desk", "Mug", "Teapot", "Rug", "Shelf", "Mirror", "Clock", "Vase", "Blanket", "Cushion", "Tray",
    "Bowl", "Candle", "Hook", "Basket", "Frame", "Stool", "Bench",
];

pub(super) const PRODUCT_STYLES: &[&str] =
    &["Oak", "Walnut", "Linen", "Wool", "Brass", "Ceramic", "Cork", "Glass", "Steel", "Jute", "½-inch", "Ø 20 cm", "5\""];

pub(super) const CATEGORIES: &[&str] = &["lighting", "seating", "tables", "kitchen", "textiles", "storage", "decor"];
