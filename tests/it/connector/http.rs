//! An HTTP API as an origin: pages of every kind, bad days, changes while it is read, exact values, kept secrets.
#![cfg(feature = "http")]
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use camino::Utf8Path;
use carve::connector::{ConnectorError, Origin, open_origin};
use carve::vocab::{LogicalType, Row, Value};
use tempfile::TempDir;

use super::{all_rows, base, drained, id, told};
use crate::api::{Api, Asked, Reply};

const TABLE: &str = "shop:orders";

async fn open(url: &str, base: &Utf8Path) -> Arc<dyn Origin> {
    open_origin("source:shop", url, base).await.unwrap()
}

async fn read(api: &Api, options: &str) -> Result<Vec<Row>, ConnectorError> {
    all_rows(&*open(&api.url(options), Utf8Path::new(".")).await, TABLE).await
}

/// What went wrong; it must have.
async fn refused(api: &Api, options: &str) -> (bool, String) {
    let error = read(api, options).await.err().unwrap();
    (error.may_pass(), told(&error))
}

fn item(number: usize) -> String {
    format!("{{\"id\":{number},\"name\":\"n{number}\"}}")
}

fn items(numbers: impl IntoIterator<Item = usize>) -> String {
    format!("[{}]", numbers.into_iter().map(item).collect::<Vec<_>>().join(","))
}

fn rows(numbers: impl IntoIterator<Item = usize>) -> Vec<Row> {
    let row = |number| vec![Value::Integer(number as i64), Value::Text(format!("n{number}"))];
    numbers.into_iter().map(row).collect()
}

/// Twenty-three items in pages of ten; `around` makes an answer of a page's items, its first and the next one's.
fn paged(by: &'static str, around: impl Fn(String, usize, usize, bool) -> Reply + Send + Sync + 'static) -> Api {
    Api::serve(move |asked: &Asked| {
        let from = match by {
            "number" => (asked.number("page", 1) - 1) * 10,
            "zero" => asked.number("page", 0) * 10,
            "after" => asked.query.get("starting_after").map_or(0, |id| id.parse::<usize>().unwrap()),
            by => asked.number(by, 0),
        };
        let to = (from + 10).min(23);
        around(items(from + 1..to + 1), from, to, to == 23)
    })
}

#[tokio::test]
async fn every_kind_of_paging_gives_every_item_once() {
    let json = |text: String| Reply::Json(text);
    let link = |array: String, _: usize, to: usize, last: bool| {
        let next = format!("<?from={to}>; rel=\"next\", <?from=0>; rel=\"first\"");
        Reply::With(200, vec![("Link", if last { "<?from=0>; rel=first".to_owned() } else { next })], array)
    };
    let apis: Vec<(Api, &str)> = vec![
        (paged("from", link), ""),
        (paged("from", link), "?page=link"),
        (
            paged("from", move |array, _, to, last| {
                let next = if last { "null".to_owned() } else { format!("\"/v1/orders?from={to}\"") };
                json(format!("{{\"count\":23,\"next\":{next},\"previous\":null,\"results\":{array}}}"))
            }),
            "",
        ),
        (
            paged("from", move |array, _, to, last| {
                let next = if last { String::new() } else { format!("\"@odata.nextLink\":\"?from={to}\",") };
                json(format!("{{{next}\"value\":{array}}}"))
            }),
            "",
        ),
        (
            paged("cursor", move |array, _, to, last| {
                let next = if last { "\"\"".to_owned() } else { format!("\"{to}\"") };
                json(format!("{{\"data\":{array},\"meta\":{{\"next_cursor\":{next}}}}}"))
            }),
            "",
        ),
        (
            paged("at", move |array, _, to, last| {
                let next = if last { "null".to_owned() } else { to.to_string() };
                json(format!("{{\"page\":{{\"items\":{array},\"go_on\":{next}}}}}"))
            }),
            "?page=cursor&next=page.go_on&param=at&items=page.items",
        ),
        (
            paged("number", move |array, from, _, _| {
                json(format!("{{\"data\":{array},\"page\":{},\"total_pages\":3}}", from / 10 + 1))
            }),
            "",
        ),
        (
            paged("zero", move |array, from, _, _| {
                json(format!("{{\"content\":{array},\"page\":{{\"number\":{},\"totalPages\":3}}}}", from / 10))
            }),
            "",
        ),
        (paged("number", move |array, _, _, _| json(array)), "?page=number"),
        (paged("zero", move |array, _, _, _| json(array)), "?page=number&start=0"),
        (
            paged("offset", move |array, from, _, _| {
                json(format!("{{\"data\":{array},\"offset\":{from},\"limit\":10,\"total\":23}}"))
            }),
            "",
        ),
        (paged("skip", move |array, _, _, _| json(array)), "?page=offset&param=skip"),
        (
            paged("after", move |array, _, _, last| json(format!("{{\"data\":{array},\"has_more\":{}}}", !last))),
            "?page=after",
        ),
    ];
    for (at, (api, options)) in apis.iter().enumerate() {
        assert_eq!(read(api, options).await.unwrap(), rows(1..24), "{at} {options}");
        let described = open(&api.url(options), Utf8Path::new(".")).await.describe(&id(TABLE)).await.unwrap();
        assert_eq!(described.schema.key, ["id"], "{at}");
    }
}

#[tokio::test]
async fn values_arrive_exactly_or_not_at_all() {
    let body = r#"[ {"id": 9007199254740993, "price": 0.1234567890123456789, "ok": true, "ratio": 0.5, "text": "é\u00e9 \"q\"",
                     "tags": [ {"b": 1.10, "a": "x"} ], "none": null, "big": 18446744073709551616},
                    {"id": -1, "price": 1e2, "ratio": 2, "text": "", "none": null, "big": 1} ]"#;
    let api = Api::serve(move |_| Reply::Json(body.to_owned()));
    let origin = open(&api.url(""), Utf8Path::new(".")).await;
    let schema = origin.describe(&id(TABLE)).await.unwrap().schema;
    let types: Vec<(&str, LogicalType, bool)> =
        schema.columns.iter().map(|column| (column.name.as_str(), column.logical, column.nullable)).collect();
    use LogicalType as T;
    let expected = [
        ("id", T::Integer, false),
        ("price", T::Decimal, true),
        ("ratio", T::Double, true),
        ("text", T::Text, true),
        ("none", T::Text, true),
        ("big", T::Decimal, true),
        ("ok", T::Boolean, true),
        ("tags", T::Text, true),
    ];
    assert_eq!(types, expected);
    let text = |text: &str| Value::Text(text.to_owned());
    let decimal = |digits: &str| Value::Decimal(digits.to_owned());
    let small = vec![
        Value::Integer(-1),
        decimal("100"),
        Value::Double(2.0),
        text(""),
        Value::Null,
        decimal("1"),
        Value::Null,
        Value::Null,
    ];
    let large = vec![
        Value::Integer(9_007_199_254_740_993),
        decimal("0.1234567890123456789"),
        Value::Double(0.5),
        text("éé \"q\""),
        Value::Null,
        decimal("18446744073709551616"),
        Value::Boolean(true),
        text(r#"[{"a":"x","b":1.10}]"#),
    ];
    assert_eq!(all_rows(&*origin, TABLE).await.unwrap(), [small, large]);
}

#[tokio::test]
async fn what_cannot_be_kept_or_read_is_refused_by_name() {
    for (body, words) in [
        (r#"[{"id":1,"a":1},{"id":2,"a":"x"}]"#, "`a` is text here and a number in row 1"),
        (r#"[{"id":1,"a":1,"a":2}]"#, "the name `a` occurs twice"),
        (r#"[{"id":1,"a":{"b":1,"b":1}}]"#, "`b` occurs twice"),
        (r#"[{"id":1},7]"#, "item 2"),
        (r#"{"message":"nothing here"}"#, "`items=NAME`"),
        ("<html>an error page</html>", "no JSON"),
        ("[]", "gives no items"),
        ("[{}]", "have no members"),
        (r#"{"data":[{"id":1}],"has_more":true}"#, "page=cursor"),
    ] {
        let api = Api::serve(move |_| Reply::Json(body.to_owned()));
        let (passes, why) = refused(&api, "").await;
        assert!(!passes && why.contains(words), "{body}: {why}");
    }
    let ten = Api::serve(|_| Reply::Json(items(1..11)));
    assert!(refused(&ten, "").await.1.contains("may be a first page"));
    assert_eq!(read(&ten, "?page=none").await.unwrap(), rows(1..11));
    let large = Api::serve(|_| Reply::Json(format!("[\"{}\"]", "x".repeat(4_000))));
    assert!(refused(&large, "?page_bytes=2000").await.1.contains("more than 2000 bytes"));
}

#[tokio::test]
async fn circles_and_pages_that_never_change_end() {
    let circle = Api::serve(|asked| {
        let next = if asked.number("p", 1) == 1 { 2 } else { 1 };
        let p = asked.number("p", 1);
        Reply::Json(format!("{{\"data\":{},\"next\":\"/v1/orders?p={next}\"}}", items(p..p + 1)))
    });
    // The second page leads to `?p=1`, which leads to `?p=2` again.
    assert!(refused(&circle, "?key=none").await.1.contains("circle"));
    let same = Api::serve(|_| Reply::Json(items(1..4)));
    let (passes, why) = refused(&same, "?page=number").await;
    assert!(!passes && why.contains("same page again"), "{why}");
}

/// A fault one time in three, and never four in a row.
fn faulty(asked: &Asked, good: String) -> Reply {
    let random = (asked.nth as u64 + 3).wrapping_mul(6_364_136_223_846_793_005) >> 33;
    match if asked.nth % 4 == 3 { 99 } else { random % 15 } {
        0 => Reply::With(500, vec![], "{\"error\":\"down\"}".to_owned()),
        1 => Reply::With(429, vec![("Retry-After", "0".to_owned())], String::new()),
        2 => Reply::Nothing,
        3 => Reply::Half(good),
        4 => Reply::With(503, vec![("Retry-After", "0".to_owned())], "<html>".to_owned()),
        _ => Reply::Json(good),
    }
}

#[tokio::test]
async fn faults_that_pass_cost_time_and_no_row() {
    let api = Api::serve(|asked| {
        let from = asked.number("offset", 0);
        faulty(asked, format!("{{\"data\":{},\"offset\":{from},\"total\":60}}", items(from + 1..from + 6)))
    });
    let started = Instant::now();
    assert_eq!(read(&api, "").await.unwrap(), rows(1..61));
    let asked = api.asked().len();
    assert!(asked > 30 && started.elapsed() < Duration::from_secs(60), "{asked} {:?}", started.elapsed());
}

#[tokio::test]
async fn faults_that_stay_are_told_with_status_and_words_and_may_pass() {
    let api = Api::serve(|_| Reply::With(503, vec![], "the database\n is away".to_owned()));
    let (passes, why) = refused(&api, "?size=5").await;
    assert!(passes && why.contains("503: the database is away") && why.contains("/v1/orders`"), "{why}");
    assert!(!why.contains("size=") && api.asked().len() == 5, "{why}");
    let long = Api::serve(|_| Reply::With(429, vec![("Retry-After", "3600".to_owned())], String::new()));
    let (passes, why) = refused(&long, "").await;
    assert!(passes && why.contains("3600 s") && long.asked().len() == 1, "{why}");
    let wait = Api::serve(|asked| match asked.nth {
        0 => Reply::With(429, vec![("Retry-After", "1".to_owned())], String::new()),
        _ => Reply::Json(items(1..4)),
    });
    let started = Instant::now();
    assert_eq!(read(&wait, "").await.unwrap(), rows(1..4));
    assert!(started.elapsed() >= Duration::from_secs(1));
    let slow = Api::serve(|_| Reply::Slow(Duration::from_secs(5)));
    let (passes, why) = refused(&slow, "?timeout_ms=50").await;
    assert!(passes && why.contains("within 50 ms"), "{why}");
}

#[tokio::test]
async fn what_somebody_must_change_is_asked_once_and_told_with_a_cure() {
    for (status, words) in [(400, "options"), (401, "token=env:NAME"), (403, "granted"), (404, "path=/"), (418, "418")]
    {
        let api = Api::serve(move |_| Reply::With(status, vec![], "no".to_owned()));
        let (passes, why) = refused(&api, "").await;
        assert!(!passes && why.contains(words) && why.contains(&format!("{status}: no")), "{why}");
        assert_eq!(api.asked().len(), 1);
    }
    let gone = Api::serve(|_| Reply::Nothing).url("");
    let origin = open(&gone, Utf8Path::new(".")).await;
    let error = origin.probe().await.unwrap_err();
    assert!(error.may_pass() && told(&error).contains("127.0.0.1"), "{}", told(&error));
}

#[tokio::test]
async fn rows_that_move_while_they_are_read_are_read_again() {
    // The first row goes before the second page is asked for, so that the eleventh is on neither page.
    let api = Api::serve(|asked| {
        let all: Vec<usize> = if asked.nth < 1 { (1..21).collect() } else { (2..21).collect() };
        let from = asked.number("offset", 0).min(all.len());
        Reply::Json(items(all[from..(from + 10).min(all.len())].iter().copied()))
    });
    assert_eq!(read(&api, "?page=offset").await.unwrap(), rows(2..21));
}

#[tokio::test]
async fn what_never_stands_still_is_refused_with_the_cure() {
    let turn = Arc::new(AtomicUsize::new(1));
    let grows = turn.clone();
    let api = Api::serve(move |asked| {
        // A new row at the front before every second page.
        let from = asked.number("offset", 0);
        let newest = grows.fetch_add(usize::from(from == 10), Ordering::SeqCst) + usize::from(from == 10);
        let all: Vec<usize> = (1..newest + 20).rev().collect();
        Reply::Json(items(all[from.min(all.len())..(from + 10).min(all.len())].iter().copied()))
    });
    let (passes, why) = refused(&api, "?page=offset").await;
    assert!(passes && why.contains("at one state") && why.contains("reads=1"), "{why}");
    // Without a key nothing shows but that no two readings are the same.
    let origin = open(&api.url("?page=offset&key=none"), Utf8Path::new(".")).await;
    let schema = origin.describe(&id(TABLE)).await.unwrap().schema;
    let error = origin.snapshot().await.unwrap().rows(&id(TABLE), &schema).await.unwrap_err();
    assert!(error.may_pass() && told(&error).contains("two readings in a row differed"), "{}", told(&error));
    // And whoever says that this is fine gets what one reading gives.
    let once = open(&api.url("?page=offset&key=none&reads=1"), Utf8Path::new(".")).await;
    let mut snapshot = once.snapshot().await.unwrap();
    assert!(drained(snapshot.rows(&id(TABLE), &schema).await.unwrap()).await.unwrap().len() >= 20);
}

#[tokio::test]
async fn a_total_that_is_not_reached_is_refused() {
    let api = Api::serve(|_| Reply::With(200, vec![("X-Total-Count", "4".to_owned())], items(1..4)));
    let (passes, why) = refused(&api, "?page=none").await;
    assert!(passes && why.contains("there are 4 items in all and gives 3") && why.contains("total=none"), "{why}");
    assert_eq!(read(&api, "?page=none&total=none").await.unwrap(), rows(1..4));
    let shrinks = Api::serve(|asked| {
        let from = asked.number("offset", 0);
        let total = if from == 0 { 6 } else { 5 };
        Reply::Json(format!("{{\"data\":{},\"offset\":{from},\"total\":{total}}}", items(from + 1..from + 4)))
    });
    assert!(refused(&shrinks, "").await.1.contains("6 items in all, and then 5"));
}

#[tokio::test]
async fn an_item_that_gains_a_member_since_it_was_described_is_not_cut() {
    let api = Api::serve(|asked| match asked.nth {
        0 => Reply::Json(items(1..4)),
        _ => Reply::Json(r#"[{"id":1,"name":"n1","new":true}]"#.to_owned()),
    });
    let (passes, why) = refused(&api, "").await;
    assert!(passes && why.contains("a member `new`"), "{why}");
}

#[tokio::test]
async fn credentials_go_to_the_one_server_and_into_no_message() {
    const SECRET: &str = "hunter2-SECRET";
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("secret"), format!("{SECRET}\n")).unwrap();
    let elsewhere = Api::serve(|_| Reply::Json(items(1..4)));
    let other = elsewhere.url("/orders");
    let api = Api::serve(move |asked| {
        let sent = asked.headers.iter().any(|(_, value)| {
            [SECRET, &format!("Bearer {SECRET}"), "Basic bWU6aHVudGVyMi1TRUNSRVQ="].contains(&value.as_str())
        });
        match asked.path.as_str() {
            _ if !sent => Reply::With(401, vec![], "who are you?".to_owned()),
            "/v1/orders" => Reply::Json(items(1..4)),
            "/v1/moved" => Reply::With(307, vec![("Location", "/v1/orders".to_owned())], String::new()),
            "/v1/away" => Reply::With(302, vec![("Location", other.clone())], String::new()),
            "/v1/linked" => Reply::Json(format!("{{\"data\":{},\"next\":\"{other}\"}}", items(1..4))),
            "/v1/round" => Reply::With(302, vec![("Location", "/v1/round".to_owned())], String::new()),
            _ => {
                let said = format!("not {:?}", asked.headers);
                Reply::With(if asked.path.contains("down") { 500 } else { 422 }, vec![], said)
            }
        }
    });
    for way in ["token=file:secret", "token=file:secret&header=X-Api-Key", "user=me&password=file:secret"] {
        let url = |path: &str| api.url(&format!("?{way}&path=/{path}"));
        for path in ["orders", "moved"] {
            assert_eq!(all_rows(&*open(&url(path), base(&folder)).await, TABLE).await.unwrap(), rows(1..4), "{way}");
        }
        for (path, words) in [
            ("away", "another server"),
            ("linked", "another server"),
            ("round", "more than"),
            ("else", "422"),
            ("down", "500"),
        ] {
            let why = told(&open(&url(path), base(&folder)).await.describe(&id(TABLE)).await.unwrap_err());
            assert!(why.contains(words) && !why.contains(SECRET) && !why.contains("bWU6aHVu"), "{way}: {why}");
        }
    }
    assert!(elsewhere.asked().is_empty(), "{:?}", elsewhere.asked());
    assert!(api.asked().iter().all(|target| !target.contains("token")));
    let (passes, why) = refused(&api, "").await;
    assert!(!passes && why.contains("401"), "{why}");
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_or_another_name_is_not_trusted() {
    let api = Api::serve(|_| Reply::Json(items(1..4)));
    let origin = open(&api.url("").replace("http:", "https:"), Utf8Path::new(".")).await;
    assert!(origin.probe().await.is_err() && api.asked().iter().all(|target| !target.starts_with('/')));
}
