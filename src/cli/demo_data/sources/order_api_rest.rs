//! What follows an order: payments, shipments, returns; and the products it names.
use super::{
    Size, Tables,
    order_api::{Order, PRODUCTS, orders, price_cents},
};
use crate::cli::demo_data::{
    DemoDataError,
    moments::{DAY, FIRST, LAST, moment},
    random::Random,
    sqlite::{Cell, Filling},
    texts,
};

const PAYMENT_COLUMNS: &str = "payment_id TEXT PRIMARY KEY, order_id INTEGER NOT NULL, method TEXT, \
    amount DECIMAL(12,2), currency TEXT, status TEXT NOT NULL, paid_at TIMESTAMP, provider_response TEXT, \
    receipt BLOB, updated_at TIMESTAMP NOT NULL";
const SHIPMENT_COLUMNS: &str = "shipment_id INTEGER PRIMARY KEY, order_id INTEGER NOT NULL, carrier TEXT, \
    tracking_code TEXT, weight_grams INTEGER, shipped_at TIMESTAMP, delivered_at TIMESTAMP, note TEXT";
const RETURN_COLUMNS: &str = "return_id INTEGER PRIMARY KEY, order_id INTEGER NOT NULL, product_id INTEGER NOT NULL, \
    reason TEXT, quantity INTEGER, refunded_cents INTEGER, status TEXT, requested_at TIMESTAMP NOT NULL";
const PRODUCT_COLUMNS: &str = "product_id INTEGER PRIMARY KEY, sku TEXT NOT NULL UNIQUE, product_name TEXT, \
    category TEXT, list_price DECIMAL(10,2), cost_price DECIMAL(10,2), active BOOLEAN, updated_at TIMESTAMP NOT NULL";

const METHODS: &[&str] = &["card", "paypal", "invoice", "sepa", "Card", "gift_card"];
const CARRIERS: &[&str] = &["DHL", "dhl", "UPS", "Hermes", "La Poste", "PostNord"];
const REASONS: &[&str] = &["too small", "broken", "changed mind", "wrong item", "", "Größe passt nicht", "late 😡"];

/// Fills the tables beside `orders` and `order_lines`.
pub(super) fn create(db: &Filling, size: Size) -> Result<Tables, DemoDataError> {
    let mut random = Random::named(size.seed, "payments");
    let payments = orders(size).flat_map(|order| payments_of(&order, &mut random));
    let payments = db.table("payments", PAYMENT_COLUMNS, payments)?;
    let mut random = Random::named(size.seed, "shipments");
    let shipped = orders(size).filter(|order| !matches!(order.status, "open" | "cancelled" | "paid"));
    let shipments = (1..).zip(shipped).map(|(id, order)| shipment_row(id, &order, &mut random));
    let shipments = db.table("shipments", SHIPMENT_COLUMNS, shipments)?;
    let mut random = Random::named(size.seed, "returns");
    let sent_back = orders(size).filter(|order| order.status == "returned" || order.id % 23 == 0);
    let returns = (1..).zip(sent_back).map(|(id, order)| return_row(id, &order, &mut random));
    let returns = db.table("returns", RETURN_COLUMNS, returns)?;
    let mut random = Random::named(size.seed, "products");
    let products = db.table("products", PRODUCT_COLUMNS, (1..=PRODUCTS).map(|id| product_row(id, &mut random)))?;
    Ok(vec![("payments", payments), ("shipments", shipments), ("returns", returns), ("products", products)])
}

/// Usually one payment; now and then a failed one before it; none while the order is open.
fn payments_of(order: &Order, random: &mut Random) -> Vec<[Cell; 10]> {
    let tries = match order.status {
        "open" => 0,
        _ => 1 + i64::from(random.chance(40)),
    };
    (1..=tries).map(|attempt| payment_row(order, attempt, attempt == tries, random)).collect()
}

fn payment_row(order: &Order, attempt: i64, last: bool, random: &mut Random) -> [Cell; 10] {
    let status = match (last, order.status) {
        (false, _) => "failed",
        (_, "returned") => "refunded",
        (_, "cancelled") => "voided",
        _ => random.favour(&["settled", "settled", "SETTLED", "pending"]),
    };
    let at = moment((order.ordered + attempt * 60).min(LAST));
    let response = match random.below(20) {
        0 => Cell::Null,
        1 => "{\"ok\":true,\"note\":\"naïve \\\"quoted\\\" ✓\"}".into(),
        2 => "{\"ok\":false,\n \"error\": \"insufficient funds, try again\"}".into(),
        _ => Cell::Text(format!("{{\"ok\":{last},\"code\":{}}}", random.below(999)).into()),
    };
    [
        format!("pay_{:08x}{}", order.id, random.hex(6)).into(),
        order.id.into(),
        random.favour(METHODS).into(),
        (order.cents() as f64 / 100.0).into(),
        order.currency.into(),
        status.into(),
        (status != "failed").then(|| at.clone()).into(),
        response,
        receipt(order.id, random),
        at.into(),
    ]
}

/// A few payments carry the terminal's receipt mark, which is no text at all.
fn receipt(order: i64, random: &mut Random) -> Cell {
    match order {
        11 => Cell::Blob(Vec::new()),
        12 => Cell::Blob(vec![0, 255, 10, 13, 34, 44]),
        _ if random.chance(20) => Cell::Blob(random.bits().to_be_bytes().to_vec()),
        _ => Cell::Null,
    }
}

fn shipment_row(id: i64, order: &Order, random: &mut Random) -> [Cell; 8] {
    let shipped = order.ordered + DAY * random.between(0, 3) + random.below(DAY);
    let delivered = shipped + DAY * random.between(1, 6);
    let arrived = delivered < LAST && order.status != "shipped";
    [
        id.into(),
        order.id.into(),
        random.favour(CARRIERS).into(),
        random
            .chance(950)
            .then(|| format!("{}{:010}", random.pick(&["JD", "1Z", "00"]), random.below(10_000_000_000)))
            .into(),
        random.between(80, 32_000).into(),
        moment(shipped.min(LAST)).into(),
        arrived.then(|| moment(delivered)).into(),
        random.chance(30).then(|| random.pick(texts::COMMENTS)).into(),
    ]
}

fn return_row(id: i64, order: &Order, random: &mut Random) -> [Cell; 8] {
    let line = &order.lines[0];
    let status = random.favour(&["refunded", "received", "requested", "rejected"]);
    [
        id.into(),
        order.id.into(),
        line.product.into(),
        random.pick(REASONS).into(),
        line.quantity.into(),
        (status == "refunded").then_some(line.cents * line.quantity).into(),
        status.into(),
        moment((order.ordered + DAY * random.between(4, 25)).min(LAST)).into(),
    ]
}

fn product_row(id: i64, random: &mut Random) -> [Cell; 8] {
    let cents = price_cents(id);
    [
        id.into(),
        format!("SKU-{id:06}").into(),
        format!("{} {}", random.pick(texts::PRODUCT_STYLES), random.pick(texts::PRODUCT_WORDS)).into(),
        random.chance(980).then(|| random.pick(texts::CATEGORIES)).into(),
        (cents as f64 / 100.0).into(),
        random.chance(950).then(|| (cents * random.between(35, 80) / 100) as f64 / 100.0).into(),
        random.chance(920).into(),
        moment(random.between(FIRST, LAST)).into(),
    ]
}
