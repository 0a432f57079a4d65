//! Orders and their lines. A line belongs to its order by construction: both are made from the order's
//! own stream, so that totals add up, except where the old checkout forgot the discount.
use camino::Utf8Path;

use super::{Size, Tables, order_api_rest};
use crate::cli::demo_data::{
    DemoDataError,
    moments::{DAY, FIRST, LAST, date, moment},
    random::Random,
    sqlite::{Cell, Filling},
    texts,
};

/// Products on sale.
pub(super) const PRODUCTS: i64 = 1_200;

pub(super) const STATUSES: &[&str] = &["delivered", "shipped", "paid", "DELIVERED", "open", "cancelled", "returned"];
const CHANNELS: &[&str] = &["web", "app", "Web", "store", "phone", "marketplace"];
const REGIONS: &[&str] = &["eu", "us", "EU", "apac", "uk"];
const CURRENCIES: &[&str] = &["EUR", "USD", "GBP", "eur", "CHF"];
const CODES: &[&str] = &["WELCOME10", "SPRING24", "BLACKFRIDAY", "vip", "FRIENDS&FAMILY", "10%OFF", " welcome10"];

const ORDER_COLUMNS: &str = "order_id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL, status TEXT NOT NULL, \
    channel TEXT, region TEXT, currency TEXT, total_cents INTEGER, discount_code TEXT, comment TEXT, \
    external_ref INTEGER, risk_score REAL, is_gift BOOLEAN, deliver_by DATE, ordered_at TIMESTAMP NOT NULL, \
    updated_at TIMESTAMP NOT NULL";
const LINE_COLUMNS: &str = "line_id INTEGER PRIMARY KEY, order_id INTEGER NOT NULL, line_no INTEGER NOT NULL, \
    product_id INTEGER NOT NULL, quantity INTEGER NOT NULL, unit_price DECIMAL(10,2) NOT NULL, discount_pct REAL, \
    tax_rate REAL, gift_note TEXT, updated_at TIMESTAMP NOT NULL";

/// What the tables of one order agree on.
pub(super) struct Order {
    pub(super) id: i64,
    pub(super) customer: i64,
    pub(super) ordered: i64,
    pub(super) status: &'static str,
    pub(super) currency: &'static str,
    pub(super) lines: Vec<Line>,
}

pub(super) struct Line {
    pub(super) product: i64,
    pub(super) quantity: i64,
    pub(super) cents: i64,
}

impl Order {
    /// Order `id` of the shop.
    pub(super) fn new(size: Size, id: i64) -> Self {
        let mut random = Random::of_row(size.seed, "order", id);
        let step = (LAST - FIRST) / size.orders;
        let ordered = FIRST + step * (id - 1) + random.below(step.max(1));
        // A few customers of the past are gone from the customer API: their orders point nowhere.
        let gone = random.chance(4);
        let customer = random.between(1, size.customers).min(random.between(1, size.customers));
        let lines = (0..random.between(1, 5)).map(|_| Line::new(&mut random)).collect();
        let recent = ordered > LAST - 10 * DAY;
        let status = if recent { random.pick(&STATUSES[1..5]) } else { random.favour(STATUSES) };
        let customer = if gone { size.customers + 7 } else { customer };
        Order { id, customer, ordered, status, currency: random.favour(CURRENCIES), lines }
    }

    /// What the lines add up to, in hundredths.
    pub(super) fn cents(&self) -> i64 {
        self.lines.iter().map(|line| line.cents * line.quantity).sum()
    }

    /// When the order was touched last.
    pub(super) fn updated(&self) -> i64 {
        (self.ordered + (self.id % 97) * 3600).min(LAST)
    }
}

impl Line {
    fn new(random: &mut Random) -> Self {
        let product = random.between(1, PRODUCTS).min(random.between(1, PRODUCTS));
        Line { product, quantity: random.favour(&[1, 2, 3, 4, 12]), cents: price_cents(product) }
    }
}

/// The list price of a product in hundredths.
pub(super) fn price_cents(product: i64) -> i64 {
    199 + (product * 7_919) % 24_000
}

/// Every order of the shop.
pub(super) fn orders(size: Size) -> impl Iterator<Item = Order> {
    (1..=size.orders).map(move |id| Order::new(size, id))
}

/// Creates `order_api.db`.
pub(super) fn create(folder: &Utf8Path, size: Size) -> Result<Tables, DemoDataError> {
    let db = Filling::create(&folder.join("order_api.db"))?;
    let mut random = Random::named(size.seed, "orders");
    let orders_rows = db.table("orders", ORDER_COLUMNS, orders(size).map(|order| order_row(&order, &mut random)))?;
    let mut random = Random::named(size.seed, "order_lines");
    let mut line_id = 0;
    let lines = orders(size).flat_map(|order| {
        let rows = (1..).zip(&order.lines).map(|(no, line)| {
            line_id += 1;
            line_row(line_id, no, &order, line, &mut random)
        });
        rows.collect::<Vec<_>>()
    });
    let line_rows = db.table("order_lines", LINE_COLUMNS, lines)?;
    let mut tables = vec![("orders", orders_rows), ("order_lines", line_rows)];
    tables.extend(order_api_rest::create(&db, size)?);
    db.run("CREATE INDEX orders_updated ON orders (updated_at); CREATE INDEX lines_order ON order_lines (order_id)")?;
    db.finish()?;
    Ok(tables)
}

fn order_row(order: &Order, random: &mut Random) -> [Cell; 15] {
    let forgotten = random.chance(3);
    [
        order.id.into(),
        order.customer.into(),
        order.status.into(),
        random.favour(CHANNELS).into(),
        random.favour(REGIONS).into(),
        order.currency.into(),
        (order.cents() - if forgotten { 500 } else { 0 }).into(),
        random.chance(120).then(|| random.pick(CODES)).into(),
        random.chance(250).then(|| random.pick(texts::COMMENTS)).into(),
        external_ref(order.id, random),
        risk_score(order.id, random),
        random.chance(80).into(),
        deliver_by(order, random),
        moment(order.ordered).into(),
        moment(order.updated()).into(),
    ]
}

/// Mostly a partner's number; the first rows hold the ends of what 64 bits can hold.
fn external_ref(order: i64, random: &mut Random) -> Cell {
    match order {
        1 => i64::MAX.into(),
        2 => i64::MIN.into(),
        3 => 9_007_199_254_740_993_i64.into(),
        4 => 0.into(),
        5 => (-1).into(),
        _ => random.chance(300).then(|| random.between(1_000_000_000, 9_999_999_999)).into(),
    }
}

/// Between 0 and 1; the first rows hold the ends of what a double can hold.
fn risk_score(order: i64, random: &mut Random) -> Cell {
    match order {
        1 => f64::MAX.into(),
        2 => f64::MIN_POSITIVE.into(),
        3 => 5e-324.into(),
        4 => f64::INFINITY.into(),
        5 => (0.1 + 0.2).into(),
        6 => (-0.0).into(),
        _ => random.chance(700).then(|| random.below(1_000_000) as f64 / 1e6).into(),
    }
}

fn deliver_by(order: &Order, random: &mut Random) -> Cell {
    match order.id {
        7 => "0001-01-01".into(),
        8 => "9999-12-31".into(),
        9 => "2024-02-29".into(),
        10 => "1582-10-15".into(),
        _ => random.chance(150).then(|| date(order.ordered + DAY * random.between(2, 30))).into(),
    }
}

fn line_row(id: i64, no: i64, order: &Order, line: &Line, random: &mut Random) -> [Cell; 10] {
    [
        id.into(),
        order.id.into(),
        no.into(),
        line.product.into(),
        line.quantity.into(),
        (line.cents as f64 / 100.0).into(),
        random.chance(100).then(|| random.pick(&[0.05, 0.1, 0.15, 0.333_333_333_333_333_3])).into(),
        random.favour(&[0.19, 0.07, 0.2, 0.0]).into(),
        random.chance(15).then(|| random.pick(texts::COMMENTS)).into(),
        moment(order.updated()).into(),
    ]
}
