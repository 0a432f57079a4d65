//! What the web shop's tracker drops: one JSON object a line.
use std::{fmt::Write as _, io::Write as _};

use camino::Utf8Path;

use super::{Size, Tables};
use crate::cli::demo_data::{
    DemoDataError,
    moments::{DAY, LAST, moment},
    random::Random,
};

const EVENTS: &[&str] = &["page_view", "page_view", "product_view", "search", "add_to_cart", "checkout", "purchase"];
const SEARCHES: &[&str] = &["oak desk", "lampe", "5\\\" hook", "crème brûlée bowl", "🪑", "ソファ", "  rug ", ""];
const CAMPAIGNS: &[&str] = &["701000000000001", "701000000000007", "701000000000042", "spring", ""];

/// Creates `web_events/events.jsonl`.
pub(super) fn create(folder: &Utf8Path, size: Size) -> Result<Tables, DemoDataError> {
    let folder = folder.join("web_events");
    std::fs::create_dir_all(&folder).map_err(DemoDataError::file("create folder", &folder))?;
    let path = folder.join("events.jsonl");
    let file = std::fs::File::create(&path).map_err(DemoDataError::file("write", &path))?;
    let mut out = std::io::BufWriter::new(file);
    let mut random = Random::named(size.seed, "events");
    let mut line = String::new();
    for number in 1..=size.events {
        line.clear();
        write_event(&mut line, number, size, &mut random);
        out.write_all(line.as_bytes()).map_err(DemoDataError::file("write", &path))?;
    }
    out.flush().map_err(DemoDataError::file("write", &path))?;
    Ok(vec![("events", size.events.unsigned_abs())])
}

/// Appends one line. The texts above are JSON already.
fn write_event(line: &mut String, number: i64, size: Size, random: &mut Random) {
    let span = 60 * DAY;
    let at = LAST - span + span / size.events * number;
    let session = number / 6 + random.below(3);
    let customer = (session % 3 != 0).then_some(1 + session % size.customers);
    let event = random.pick(EVENTS);
    let customer = customer.map_or("null".to_owned(), |id| id.to_string());
    let search = match event {
        "search" => format!("\"{}\"", random.pick(SEARCHES)),
        _ => "null".to_owned(),
    };
    let campaign = match random.chance(150) {
        true => format!("\"{}\"", random.pick(CAMPAIGNS)),
        false => "null".to_owned(),
    };
    let happened = moment(at).replacen(' ', "T", 1);
    // Writing to a String cannot fail.
    let _ = writeln!(
        line,
        "{{\"event_id\":\"ev-{number:09}\",\"session_id\":\"s{session:07}\",\"customer_id\":{customer},\
         \"event\":\"{event}\",\"url\":\"/p/{}\",\"search_term\":{search},\"utm_campaign\":{campaign},\
         \"happened_at\":\"{happened}Z\"}}",
        random.between(1, 1_200),
    );
}
