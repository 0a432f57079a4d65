//! One answer: its items, and what stands around them.
use super::client::Answer;
use super::link;
use super::settings::{Endpoint, Total};
use crate::connector::json::{elements, members};

/// Members that usually hold the items.
const ITEMS: [&str; 5] = ["data", "items", "results", "records", "value"];
/// Objects around the items in which what is said about pages usually stands; the first is the answer itself.
pub(super) const PLACES: [&str; 8] =
    ["", "meta.", "pagination.", "paging.", "page.", "links.", "_links.", "response_metadata."];
/// Members that usually hold the number of all items.
const TOTALS: [&str; 9] = [
    "total",
    "total_count",
    "totalCount",
    "total_items",
    "totalItems",
    "totalElements",
    "total_records",
    "totalRecords",
    "@odata.count",
];

/// One page of an endpoint.
pub(super) struct Page<'a> {
    /// Its items, each as it is written.
    pub(super) items: Vec<&'a str>,
    /// Where the header `Link` says the next page is.
    pub(super) link: Option<&'a str>,
    /// How many items there are on all pages, where that is said.
    pub(super) total: Option<u64>,
    around: Vec<(String, &'a str)>,
}

impl<'a> Page<'a> {
    /// Finds the items of `answer`.
    ///
    /// # Errors
    /// Why they cannot be told from what stands around them, and what to do.
    pub(super) fn of(answer: &'a Answer, endpoint: &Endpoint) -> Result<Page<'a>, String> {
        let text = answer.text.trim_start_matches('\u{feff}').trim();
        let around = if text.starts_with('{') { members(text)? } else { Vec::new() };
        let array = match &endpoint.items {
            Some(path) if path != "." => array_at(&around, path)?,
            _ if text.starts_with('[') => text,
            _ => only_array(&around)?,
        };
        let items = if array == "null" { Vec::new() } else { elements(array)? };
        let link = answer.link.as_deref().and_then(link::next);
        let mut page = Page { items, link, total: None, around };
        page.total = match &endpoint.total {
            Total::None => None,
            Total::Guess => answer.total.or_else(|| page.usual_total()),
            Total::Member(path) => Some(page.whole_at(path).ok_or_else(|| {
                format!(
                    "it says no number of all items at `{path}`: correct `total` in the address, or say `total=none`"
                )
            })?),
        };
        Ok(page)
    }

    /// The value at `path`, members joined by dots, as it is written.
    pub(super) fn at(&self, path: &str) -> Option<&'a str> {
        find(&self.around, path)
    }

    /// The value at `path` as a whole number.
    pub(super) fn whole_at(&self, path: &str) -> Option<u64> {
        self.at(path)?.parse().ok()
    }

    fn usual_total(&self) -> Option<u64> {
        let at = |name: &str| PLACES[..5].iter().find_map(|place| self.whole_at(&format!("{place}{name}")));
        let held = self.items.len() as u64;
        // `count` is that of all pages here and that of this page there.
        TOTALS.iter().find_map(|name| at(name)).or_else(|| at("count").filter(|count| *count > held))
    }
}

/// The text that a JSON string or number stands for; `None` for anything else.
pub(super) fn scalar(text: &str) -> Option<String> {
    match text.as_bytes().first()? {
        b'"' => serde_json::from_str(text).ok(),
        b'-' | b'0'..=b'9' => Some(text.to_owned()),
        _ => None,
    }
}

fn find<'a>(around: &[(String, &'a str)], path: &str) -> Option<&'a str> {
    if let Some((_, value)) = around.iter().find(|(name, _)| name == path) {
        return Some(value);
    }
    // A name may hold dots itself, as `@odata.nextLink` does.
    around.iter().find_map(|(name, value)| {
        let below = path.strip_prefix(name.as_str())?.strip_prefix('.')?;
        if value.starts_with('{') { find(&members(value).ok()?, below) } else { None }
    })
}

fn array_at<'a>(around: &[(String, &'a str)], path: &str) -> Result<&'a str, String> {
    let value = find(around, path).ok_or_else(|| {
        format!(
            "it has no member `{path}`: correct `items` in the address; {}",
            listed(around.iter().map(|(name, _)| name))
        )
    })?;
    match value.starts_with('[') || value == "null" {
        true => Ok(value),
        false => Err(format!("its member `{path}` is no array: correct `items` in the address")),
    }
}

/// The one array among the members that usually hold items, else the one array of objects there is.
fn only_array<'a>(around: &[(String, &'a str)]) -> Result<&'a str, String> {
    if around.is_empty() {
        return Err("its answer is neither an array of items nor an object that holds one".to_owned());
    }
    let usual = around.iter().filter(|(name, value)| ITEMS.contains(&name.as_str()) && value.starts_with('['));
    let usual: Vec<_> = usual.collect();
    let arrays: Vec<_> = match usual.is_empty() {
        true => around.iter().filter(|(_, value)| holds_objects(value)).collect(),
        false => usual,
    };
    match arrays[..] {
        [(_, one)] => Ok(one),
        [] => match around.iter().find(|(name, value)| ITEMS.contains(&name.as_str()) && *value == "null") {
            Some((_, nothing)) => Ok(nothing),
            None => Err(format!(
                "none of its members holds the items: say which with `items=NAME`, by dots where it lies deeper; {}",
                listed(around.iter().map(|(name, _)| name))
            )),
        },
        [..] => Err(format!(
            "several of its members may hold the items: say which with `items=NAME`; {}",
            listed(arrays.iter().map(|(name, _)| name))
        )),
    }
}

fn holds_objects(value: &str) -> bool {
    value.strip_prefix('[').is_some_and(|inside| inside.trim_start().starts_with('{'))
}

fn listed<'n>(names: impl Iterator<Item = &'n String>) -> String {
    let names: Vec<String> = names.take(12).map(|name| format!("`{name}`")).collect();
    format!("there are {}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::super::settings::{Key, Paging};
    use super::super::url::Url;
    use super::*;

    fn endpoint(items: Option<&str>) -> Endpoint {
        Endpoint {
            first: Url::parse("https://api.example/x").unwrap(),
            items: items.map(str::to_owned),
            key: Key::None,
            total: Total::Guess,
            paging: Paging::Guess,
            twice: true,
        }
    }

    fn found(text: &str, items: Option<&str>) -> Result<(Vec<String>, Option<u64>), String> {
        let endpoint = endpoint(items);
        let answer = Answer { url: endpoint.first.clone(), text: text.to_owned(), link: None, total: None };
        let page = Page::of(&answer, &endpoint)?;
        Ok((page.items.iter().map(|item| (*item).to_owned()).collect(), page.total))
    }

    #[test]
    fn items_are_found_where_they_usually_are() {
        for (text, items) in [
            ("\u{feff} [1, 2]", None),
            (r#"{"data":[1,2],"errors":[]}"#, None),
            (r#"{"value":[1,2],"@odata.count":9}"#, None),
            (r#"{"data":{"orders":[1,2]}}"#, Some("data.orders")),
            (r#"{"a.b":[1,2]}"#, Some("a.b")),
        ] {
            assert_eq!(found(text, items).unwrap().0, ["1", "2"], "{text}");
        }
        assert_eq!(found(r#"{"orders":[{"id":1}],"tags":["x"]}"#, None).unwrap().0.len(), 1);
        assert_eq!(found(r#"{"items":null}"#, None).unwrap().0.len(), 0);
    }

    #[test]
    fn what_may_be_the_items_and_may_not_is_refused_by_name() {
        for (text, items, told) in [
            (r#"{"data":[],"items":[]}"#, None, "`data`, `items`"),
            (r#"{"a":[{}],"b":[{}]}"#, None, "`a`, `b`"),
            (r#"{"error":"none"}"#, None, "`error`"),
            (r#"{"data":1}"#, Some("data"), "no array"),
            (r#"{"data":1}"#, Some("rows"), "no member `rows`"),
            ("12", None, "neither"),
        ] {
            let why = found(text, items).unwrap_err();
            assert!(why.contains(told), "{text}: {why}");
        }
    }

    #[test]
    fn the_number_of_all_items_is_found() {
        for (text, total) in [
            (r#"{"data":[1],"meta":{"total":7}}"#, Some(7)),
            (r#"{"results":[1],"count":7}"#, Some(7)),
            (r#"{"results":[1],"count":1}"#, None),
            (r#"{"data":[1],"total":"many"}"#, None),
            (r#"{"data":[1],"total":12.50}"#, None),
        ] {
            assert_eq!(found(text, None).unwrap().1, total, "{text}");
        }
    }
}
