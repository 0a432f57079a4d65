//! The sales team's CRM: few rows, text keys, amounts in thousands.
use camino::Utf8Path;

use super::{Size, Tables};
use crate::cli::demo_data::{
    DemoDataError,
    moments::{DAY, FIRST, LAST, date, moment},
    random::Random,
    sqlite::{Cell, Filling},
    texts,
};

const ACCOUNT_COLUMNS: &str = "account_id TEXT PRIMARY KEY, account_name TEXT, industry TEXT, country TEXT, \
    employees INTEGER, annual_revenue DECIMAL(18,2), owner_email TEXT, modified_at TIMESTAMP NOT NULL";
const CONTACT_COLUMNS: &str = "contact_id TEXT PRIMARY KEY, account_id TEXT, email TEXT, full_name TEXT, phone TEXT, \
    job_title TEXT, modified_at TIMESTAMP NOT NULL";
const OPPORTUNITY_COLUMNS: &str = "opportunity_id TEXT PRIMARY KEY, account_id TEXT, campaign_id TEXT, stage TEXT, \
    amount DECIMAL(14,2), probability REAL, close_date DATE, owner_email TEXT, modified_at TIMESTAMP NOT NULL";
const CAMPAIGN_COLUMNS: &str = "campaign_id TEXT PRIMARY KEY, campaign_name TEXT, channel TEXT, budget DECIMAL(12,2), \
    start_date DATE, end_date DATE";
const MEMBER_COLUMNS: &str = "campaign_id TEXT NOT NULL, contact_id TEXT NOT NULL, status TEXT, \
    responded_at TIMESTAMP, PRIMARY KEY (campaign_id, contact_id)";
const ACTIVITY_COLUMNS: &str =
    "activity_id TEXT PRIMARY KEY, account_id TEXT, kind TEXT, subject TEXT, happened_at TIMESTAMP";

const CAMPAIGNS: i64 = 60;
const INDUSTRIES: &[&str] = &["Hotels", "Offices", "Retail", "Design", "Public sector", "hotels", "n/a"];
const COUNTRIES: &[&str] = &["DE", "Germany", "AT", "CH", "FR", "Deutschland", "UK", "PL", ""];
const STAGES: &[&str] = &["prospect", "qualified", "proposal", "won", "lost", "Closed Won"];
const SELLERS: &[&str] =
    &["maria.keller@shop.example", "tom.baker@shop.example", "lena@shop.example", "ex.employee@shop.example"];

/// Creates `crm.db`.
pub(super) fn create(folder: &Utf8Path, size: Size) -> Result<Tables, DemoDataError> {
    let db = Filling::create(&folder.join("crm.db"))?;
    let (accounts, contacts) = (size.customers / 20, size.customers / 5);
    let mut random = Random::named(size.seed, "crm");
    let random = &mut random;
    let tables = vec![
        ("accounts", db.table("accounts", ACCOUNT_COLUMNS, (1..=accounts).map(|id| account_row(id, random)))?),
        (
            "contacts",
            db.table("contacts", CONTACT_COLUMNS, (1..=contacts).map(|id| contact_row(id, accounts, random)))?,
        ),
        (
            "opportunities",
            db.table(
                "opportunities",
                OPPORTUNITY_COLUMNS,
                (1..=accounts * 2).map(|id| deal_row(id, accounts, random)),
            )?,
        ),
        ("campaigns", db.table("campaigns", CAMPAIGN_COLUMNS, (1..=CAMPAIGNS).map(|id| campaign_row(id, random)))?),
        ("campaign_members", db.table("campaign_members", MEMBER_COLUMNS, member_rows(contacts, random))?),
        (
            "activities",
            db.table("activities", ACTIVITY_COLUMNS, (1..=accounts * 6).map(|id| activity_row(id, accounts, random)))?,
        ),
    ];
    db.finish()?;
    Ok(tables)
}

/// Ids as the CRM makes them: a kind, then zeros.
fn id(kind: &str, number: i64) -> String {
    format!("{kind}{number:012}")
}

fn account_row(number: i64, random: &mut Random) -> [Cell; 8] {
    let revenue = match number {
        1 => Cell::Real(99_999_999_999_999.99),
        2 => Cell::Real(-0.01),
        _ => random.chance(700).then(|| (random.below(90_000_000) * 100) as f64 / 100.0).into(),
    };
    [
        id("001", number).into(),
        format!(
            "{} {} {}",
            random.pick(texts::LAST_NAMES),
            random.pick(&["GmbH", "AG", "& Sons", "Sàrl", "Ltd."]),
            number
        )
        .into(),
        random.favour(INDUSTRIES).into(),
        random.favour(COUNTRIES).into(),
        random.chance(800).then(|| random.between(1, 40_000)).into(),
        revenue,
        random.favour(SELLERS).into(),
        moment(random.between(FIRST, LAST)).into(),
    ]
}

fn contact_row(number: i64, accounts: i64, random: &mut Random) -> [Cell; 7] {
    [
        id("003", number).into(),
        random.chance(970).then(|| id("001", random.between(1, accounts))).into(),
        format!("customer.{}@example.com", number * 5).into(),
        format!("{} {}", random.pick(texts::FIRST_NAMES), random.pick(texts::LAST_NAMES)).into(),
        random.chance(500).then(|| format!("+49 (0)30 {}", random.between(100_000, 999_999))).into(),
        random.pick(&["Buyer", "Head of Purchasing", "CEO", "Office Manager", ""]).into(),
        moment(random.between(FIRST, LAST)).into(),
    ]
}

fn deal_row(number: i64, accounts: i64, random: &mut Random) -> [Cell; 9] {
    [
        id("006", number).into(),
        id("001", random.between(1, accounts)).into(),
        random.chance(400).then(|| id("701", random.between(1, CAMPAIGNS))).into(),
        random.pick(STAGES).into(),
        random.chance(900).then(|| random.between(500, 250_000) as f64).into(),
        random.pick(&[0.1, 0.25, 0.5, 0.9, 1.0, 0.0]).into(),
        date(random.between(FIRST, LAST + 90 * DAY)).into(),
        random.favour(SELLERS).into(),
        moment(random.between(FIRST, LAST)).into(),
    ]
}

fn campaign_row(number: i64, random: &mut Random) -> [Cell; 6] {
    let start = FIRST + number * 12 * DAY;
    [
        id("701", number).into(),
        format!(
            "{} {}",
            random.pick(&["Spring fair", "Newsletter", "Trade show", "Ads: \"Oak\"", "Retargeting"]),
            2024 + number / 30
        )
        .into(),
        random.pick(&["email", "event", "search", "social"]).into(),
        (random.between(5, 400) as f64 * 250.0).into(),
        date(start).into(),
        random.chance(900).then(|| date(start + DAY * random.between(7, 60))).into(),
    ]
}

/// Each contact joins up to four campaigns, never one twice.
fn member_rows(contacts: i64, random: &mut Random) -> impl Iterator<Item = [Cell; 4]> {
    (1..=contacts).flat_map(|contact| {
        let first = random.between(1, CAMPAIGNS - 4);
        let member = |nth: i64| {
            let responded = random.chance(200);
            [
                id("701", first + nth).into(),
                id("003", contact).into(),
                if responded { "responded" } else { random.pick(&["sent", "opened", "bounced"]) }.into(),
                responded.then(|| moment(FIRST + (first + nth) * 12 * DAY + random.below(30 * DAY))).into(),
            ]
        };
        (0..contact % 5).map(member).collect::<Vec<_>>()
    })
}

fn activity_row(number: i64, accounts: i64, random: &mut Random) -> [Cell; 5] {
    [
        id("00T", number).into(),
        id("001", random.between(1, accounts)).into(),
        random.pick(&["call", "mail", "visit"]).into(),
        random.pick(texts::COMMENTS).into(),
        moment(random.between(FIRST, LAST)).into(),
    ]
}
