//! Customers and what they agreed to. `logins` has no key and holds true duplicates.
use camino::Utf8Path;

use super::{Size, Tables};
use crate::cli::demo_data::{
    DemoDataError,
    moments::{DAY, FIRST, LAST, date, moment},
    random::Random,
    sqlite::{Cell, Filling},
    texts,
};

const CUSTOMER_COLUMNS: &str = "customer_id INTEGER PRIMARY KEY, email TEXT, first_name TEXT, last_name TEXT, \
    birth_date DATE, country TEXT, city TEXT, loyalty_points INTEGER NOT NULL DEFAULT 0, newsletter BOOLEAN, \
    notes TEXT, created_at TIMESTAMP NOT NULL, updated_at TIMESTAMP NOT NULL, deleted_at TIMESTAMP";
const ADDRESS_COLUMNS: &str = "address_id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL, kind TEXT, street TEXT, \
    postal_code TEXT, city TEXT, country TEXT, is_default BOOLEAN, updated_at TIMESTAMP NOT NULL";
const CONSENT_COLUMNS: &str = "customer_id INTEGER NOT NULL, channel TEXT NOT NULL, granted BOOLEAN, \
    changed_at TIMESTAMP NOT NULL, PRIMARY KEY (customer_id, channel)";
const LOGIN_COLUMNS: &str = "customer_id INTEGER, logged_in_at TIMESTAMP, ip TEXT, user_agent TEXT, success BOOLEAN";

const MAIL_HOSTS: &[&str] = &["example.com", "example.org", "mail.example", "EXAMPLE.com", "firma.example"];
const AGENTS: &[&str] =
    &["Mozilla/5.0 (X11; Linux x86_64)", "ShopApp/4.2 (iPhone; iOS 19)", "", "curl/8.5", "ShopApp/4.1"];

/// Creates `customer_api.db`.
pub(super) fn create(folder: &Utf8Path, size: Size) -> Result<Tables, DemoDataError> {
    let db = Filling::create(&folder.join("customer_api.db"))?;
    let ids = || 1..=size.customers;
    let mut random = Random::named(size.seed, "customers");
    let customers = db.table("customers", CUSTOMER_COLUMNS, ids().map(|id| customer_row(id, &mut random)))?;
    let mut random = Random::named(size.seed, "addresses");
    let mut address_id = 0;
    let addresses = ids().flat_map(|id| {
        let count = 1 + i64::from(random.chance(300));
        let rows = (0..count).map(|nth| {
            address_id += 1;
            address_row(address_id, id, nth, &mut random)
        });
        rows.collect::<Vec<_>>()
    });
    let addresses = db.table("addresses", ADDRESS_COLUMNS, addresses)?;
    let mut random = Random::named(size.seed, "consents");
    let consents = ids().flat_map(|id| consent_rows(id, &mut random));
    let consents = db.table("consents", CONSENT_COLUMNS, consents)?;
    let mut random = Random::named(size.seed, "logins");
    let logins = (0..size.customers).flat_map(|_| login_rows(size, &mut random));
    let logins = db.table("logins", LOGIN_COLUMNS, logins)?;
    db.finish()?;
    Ok(vec![("customers", customers), ("addresses", addresses), ("consents", consents), ("logins", logins)])
}

fn customer_row(id: i64, random: &mut Random) -> [Cell; 13] {
    let (city, country) = random.favour(texts::CITIES);
    let created = random.between(FIRST, LAST - DAY);
    let updated = random.between(created, LAST);
    let gone = random.chance(12);
    let email = match random.below(200) {
        0 => Cell::Null,
        1 => "".into(),
        2 => "same@example.com".into(),
        3 => Cell::Text(format!(" Customer.{id}@Example.COM ").into()),
        _ => Cell::Text(format!("customer.{id}@{}", random.favour(MAIL_HOSTS)).into()),
    };
    [
        id.into(),
        email,
        random.pick(texts::FIRST_NAMES).into(),
        random.pick(texts::LAST_NAMES).into(),
        birth_date(id, random),
        random.chance(960).then_some(country).into(),
        city.into(),
        random.below(5_000).into(),
        random.chance(900).then(|| random.chance(400)).into(),
        random.chance(60).then(|| random.pick(texts::COMMENTS)).into(),
        moment(created).into(),
        moment(updated).into(),
        gone.then(|| moment(updated)).into(),
    ]
}

fn birth_date(id: i64, random: &mut Random) -> Cell {
    match id {
        1 => "1900-01-01".into(),
        2 => "0001-01-01".into(),
        3 => "9999-12-31".into(),
        _ => random.chance(600).then(|| date(random.between(-20 * 365 * DAY, 35 * 365 * DAY))).into(),
    }
}

fn address_row(address: i64, customer: i64, nth: i64, random: &mut Random) -> [Cell; 9] {
    let (city, country) = random.favour(texts::CITIES);
    let street =
        random.pick(&["Hauptstraße", "Rue de l'Église", "High St.", "ul. Długa", "Søndergade", "Flat 3,\nThe Mews"]);
    [
        address.into(),
        customer.into(),
        if nth == 0 { "billing" } else { "shipping" }.into(),
        format!("{street} {}", random.between(1, 240)).into(),
        format!("{:05}", random.below(99_999)).into(),
        city.into(),
        country.into(),
        (nth == 0).into(),
        moment(random.between(FIRST, LAST)).into(),
    ]
}

fn consent_rows(customer: i64, random: &mut Random) -> Vec<[Cell; 4]> {
    let channels = ["email", "sms", "post"].into_iter().filter(|_| random.chance(600));
    let asked: Vec<&str> = channels.collect();
    let row = |channel: &'static str| {
        let granted: Cell = random.chance(970).then(|| random.chance(550)).into();
        [customer.into(), channel.into(), granted, moment(random.between(FIRST, LAST)).into()]
    };
    asked.into_iter().map(row).collect()
}

/// One login, and now and then the same again: the API logs a retried request twice.
fn login_rows(size: Size, random: &mut Random) -> Vec<[Cell; 5]> {
    let row = [
        random.chance(990).then(|| random.between(1, size.customers)).into(),
        moment(random.between(LAST - 120 * DAY, LAST)).into(),
        format!("192.0.2.{}", random.below(256)).into(),
        random.favour(AGENTS).into(),
        random.chance(930).into(),
    ];
    match random.chance(15) {
        true => vec![row.clone(), row],
        false => vec![row],
    }
}
