//! From one page to the next: by a link, a cursor, a number; found out from the first answer unless the address says.
use std::collections::BTreeSet;

use super::answer::{PLACES, Page, scalar};
use super::settings::Paging;
use super::url::Url;

/// Members that hold the URL of the next page.
const NEXT: [&str; 8] =
    ["next", "next_url", "nextUrl", "next_link", "nextLink", "next_page_url", "nextPageUrl", "@odata.nextLink"];
/// Members that hold a value for the next page, and the parameter that takes it.
const CURSORS: [(&str, &str); 8] = [
    ("next_cursor", "cursor"),
    ("nextCursor", "cursor"),
    ("next_page_token", "page_token"),
    ("nextPageToken", "pageToken"),
    ("next_token", "next_token"),
    ("nextToken", "nextToken"),
    ("continuation_token", "continuation_token"),
    ("continuationToken", "continuationToken"),
];
/// Members that hold the number of this page, the parameter that takes one, and of the last one.
const NUMBERS: [(&str, &str); 6] = [
    ("page", "page"),
    ("current_page", "page"),
    ("currentPage", "page"),
    ("page_number", "page_number"),
    ("pageNumber", "pageNumber"),
    ("number", "page"),
];
const LAST: [&str; 7] = ["total_pages", "totalPages", "last_page", "lastPage", "page_count", "pageCount", "pages"];
/// Members that say whether there is more.
const MORE: [&str; 6] = ["has_more", "hasMore", "has_next", "hasNext", "has_next_page", "hasNextPage"];
/// Sizes that pages usually have: so many items and no word about more may be a first page.
const SIZES: [u64; 14] = [10, 15, 20, 25, 30, 50, 100, 200, 250, 500, 1_000, 2_000, 5_000, 10_000];
/// Pages without an item, one after the other, that are waited through.
const EMPTY_PAGES: u32 = 100;

const SAY: &str = "say how its pages follow each other with `page=number`, `page=offset`, `page=cursor`, `page=after`, \
                   `page=next` or `page=link`, or `page=none` where this is all (docs/CONNECTIONS.md)";

/// Why there is no telling where the next page is.
#[derive(Debug)]
pub(super) enum Halt {
    /// Somebody must change something first.
    Refused(String),
    /// The pages moved while they were read.
    Drift(String),
}

impl From<String> for Halt {
    fn from(why: String) -> Self {
        Halt::Refused(why)
    }
}

/// Leads through the pages of one reading.
pub(super) struct Pager {
    first: Url,
    paging: Paging,
    asked: BTreeSet<String>,
    seen: u64,
    empty: u32,
    /// Hashes of the first page and of the one before.
    held: Option<[u128; 2]>,
}

impl Pager {
    /// From the first request on.
    pub(super) fn new(first: &Url, paging: &Paging) -> Self {
        let asked = BTreeSet::from([first.text()]);
        Pager { first: first.clone(), paging: paging.clone(), asked, seen: 0, empty: 0, held: None }
    }

    /// Where the page after `page` is; `page` came from `at`, and `held` is a hash of what it holds.
    ///
    /// # Errors
    /// Why it cannot be told, or is none that may be asked for, and what to do.
    pub(super) fn after(
        &mut self,
        page: &Page<'_>,
        at: &Url,
        held: u128,
        last_key: Option<&str>,
    ) -> Result<Option<Url>, Halt> {
        self.seen += page.items.len() as u64;
        self.empty = if page.items.is_empty() { self.empty + 1 } else { 0 };
        if self.paging == Paging::Guess {
            self.paging = guess(page)?;
        }
        self.check_progress(page, held)?;
        let Some(next) = self.next(page, at, last_key)? else {
            return match !self.several() && self.is_silent(page) {
                true => Err(first_page(page).into()),
                false => Ok(None),
            };
        };
        if !next.same_server(&self.first) {
            return Err(format!(
                "its next page is on another server, `{}`, where credentials are never sent: mend the link at the API, or \
                 page by `page=number` or `page=offset`",
                next.authority
            )
            .into());
        }
        match self.asked.insert(next.text()) {
            true => Ok(Some(next)),
            false => {
                Err("its pages lead in a circle: one that was read already is given as the next".to_owned().into())
            }
        }
    }

    /// Whether pages other than the first were asked for.
    pub(super) fn several(&self) -> bool {
        self.asked.len() > 1
    }

    /// Whether nothing was where the address says that the way to the next page is, and so many items were given that
    /// there may be one.
    fn is_silent(&self, page: &Page<'_>) -> bool {
        let silent = match &self.paging {
            Paging::Link => page.link.is_none(),
            Paging::Next(Some(path)) | Paging::Cursor { at: Some(path), .. } => page.at(path).is_none(),
            Paging::Next(None) => usual_link(page).is_none(),
            Paging::Cursor { at: None, .. } => usual_cursor(page).is_none(),
            _ => false,
        };
        silent && page.total.is_none() && more(page) != Some(false) && SIZES.contains(&(page.items.len() as u64))
    }

    fn check_progress(&mut self, page: &Page<'_>, held: u128) -> Result<(), Halt> {
        let [first, before] = self.held.map_or([None, None], |[first, before]| [Some(first), Some(before)]);
        self.held = Some([first.unwrap_or(held), held]);
        let counted = matches!(self.paging, Paging::Number { .. } | Paging::Offset { .. } | Paging::After { .. });
        if self.empty > EMPTY_PAGES {
            return Err(format!("it gives {EMPTY_PAGES} pages without an item, one after the other").into());
        }
        match counted && !page.items.is_empty() && before == Some(held) {
            false => Ok(()),
            true if first == Some(held) => Err(Halt::Refused(
                "it gives the same page again whatever is asked for: correct `param` (the name of its parameter) or `page` \
                 in the address"
                    .to_owned(),
            )),
            true => Err(Halt::Drift(
                "it gave a page twice; an API that does so past its end must say how many items or pages there are".to_owned(),
            )),
        }
    }

    fn next(&mut self, page: &Page<'_>, at: &Url, last_key: Option<&str>) -> Result<Option<Url>, String> {
        let join = |link: &str| at.join(link).map_err(|why| format!("cannot follow the link to its next page: {why}"));
        // A total ends the counting of pages; a short page does not, since a server may give fewer than asked for.
        let done = page.items.is_empty() || page.total.is_some_and(|total| self.seen >= total);
        match &mut self.paging {
            Paging::Guess | Paging::Whole => Ok(None),
            Paging::Link => page.link.map(join).transpose(),
            Paging::Next(member) => match member.as_deref().map_or_else(|| usual_link(page), |path| page.at(path)) {
                None => Ok(None),
                Some(value) => linked(value)?.map(|link| join(&link)).transpose(),
            },
            Paging::Cursor { at, param } => {
                let usual = usual_cursor(page);
                let value = at.as_deref().map_or_else(|| usual.map(|(value, _)| value), |path| page.at(path));
                let param = param.as_deref().or(usual.map(|(_, param)| param)).unwrap_or("cursor");
                let value = value.and_then(scalar).filter(|value| !value.is_empty());
                Ok(value.map(|value| self.first.with(param, &value)))
            }
            Paging::Number { last, asked, .. } if last.map_or(done, |last| *asked >= last) => Ok(None),
            Paging::Number { param, asked, .. } => {
                *asked += 1;
                Ok(Some(self.first.with(param, &asked.to_string())))
            }
            Paging::Offset { .. } | Paging::After { .. } if done => Ok(None),
            Paging::Offset { param } => Ok(Some(self.first.with(param, &self.seen.to_string()))),
            Paging::After { .. } if more(page) == Some(false) => Ok(None),
            Paging::After { param } => match last_key {
                Some(key) => Ok(Some(self.first.with(param, key))),
                None => Err("`page=after` needs a key of one member: say which with `key=NAME`".to_owned()),
            },
        }
    }
}

/// How the pages follow, by what the first one says.
fn guess(page: &Page<'_>) -> Result<Paging, String> {
    if page.link.is_some() {
        return Ok(Paging::Link);
    }
    let (mut ends, held) = (false, page.items.len() as u64);
    for path in places(&NEXT) {
        match page.at(&path).map(linked).transpose()? {
            Some(Some(_)) => return Ok(Paging::Next(Some(path))),
            Some(None) => ends = true,
            None => {}
        }
    }
    for (name, param) in CURSORS {
        for path in places(&[name]) {
            match page.at(&path) {
                Some(value) if scalar(value).is_some_and(|value| !value.is_empty()) => {
                    return Ok(Paging::Cursor { at: Some(path), param: Some(param.to_owned()) });
                }
                Some(_) => ends = true,
                None => {}
            }
        }
    }
    if let Some(numbered) = numbered(page) {
        return Ok(numbered);
    }
    match (page.total, more(page)) {
        (Some(total), _) if total > held => match offset(page) {
            Some(param) => Ok(Paging::Offset { param }),
            None => Err(format!("it says there are {total} items and gives {held}: {SAY}")),
        },
        (_, Some(true)) => Err(format!("it says there are more items and not where: {SAY}")),
        (None, None) if !ends && SIZES.contains(&held) => Err(first_page(page)),
        _ => Ok(Paging::Whole),
    }
}

fn first_page(page: &Page<'_>) -> String {
    format!("it gives {} items and no word about more, which may be a first page: {SAY}", page.items.len())
}

/// Numbered pages, where this page's number and the last one's stand side by side.
fn numbered(page: &Page<'_>) -> Option<Paging> {
    PLACES.iter().find_map(|place| {
        let whole = |name: &str| page.whole_at(&format!("{place}{name}"));
        let (asked, param) = NUMBERS.iter().find_map(|(name, param)| Some((whole(name)?, *param)))?;
        let count = LAST.iter().find_map(|name| whole(name))?;
        // Where the first page has the number 0, the last is one below their count.
        let last = if asked == 0 { count.saturating_sub(1) } else { count };
        Some(Paging::Number { param: param.to_owned(), asked, last: Some(last) })
    })
}

fn offset(page: &Page<'_>) -> Option<String> {
    let there = |name: &&str| places(&[name]).any(|path| page.whole_at(&path) == Some(0));
    ["offset", "skip"].iter().find(|name| there(name)).map(|name| (*name).to_owned())
}

fn more(page: &Page<'_>) -> Option<bool> {
    let truth = |path: String| page.at(&path).and_then(|value| value.parse::<bool>().ok());
    places(&MORE).find_map(truth)
}

fn usual_link<'a>(page: &Page<'a>) -> Option<&'a str> {
    places(&NEXT).find_map(|path| page.at(&path))
}

fn usual_cursor<'a>(page: &Page<'a>) -> Option<(&'a str, &'static str)> {
    CURSORS.iter().find_map(|(name, param)| Some((places(&[name]).find_map(|path| page.at(&path))?, *param)))
}

/// Each of `names` in each place where it may stand.
fn places<'n>(names: &'n [&str]) -> impl Iterator<Item = String> + 'n {
    names.iter().flat_map(|name| PLACES.iter().map(move |place| format!("{place}{name}")))
}

/// The link that a member holds: text, or an object with `href`; `None` at the last page.
fn linked(value: &str) -> Result<Option<String>, String> {
    let value = match value.starts_with('{') {
        true => crate::connector::json::members(value)?
            .iter()
            .find(|(name, _)| name == "href")
            .map_or("null", |(_, its)| its),
        false => value,
    };
    match scalar(value) {
        None => Ok(None),
        Some(text) if text.is_empty() => Ok(None),
        Some(text) if ["http://", "https://", "/", "?"].iter().any(|start| text.starts_with(start)) => Ok(Some(text)),
        Some(_) => Err(
            "what it gives for the next page is no URL: where that is the value of a parameter, say `page=cursor`, \
             `next=MEMBER` and `param=NAME`"
                .to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::answer::Page;
    use super::super::client::Answer;
    use super::super::settings::{Endpoint, Key, Total};
    use super::*;

    fn first() -> Url {
        Url::parse("https://api.example/v1/orders?a=1").unwrap()
    }

    /// What `paging` asks for after each of `texts`.
    fn asked(paging: Paging, link: Option<&str>, texts: &[&str]) -> Result<Vec<Option<String>>, String> {
        let endpoint = Endpoint {
            first: first(),
            items: None,
            key: Key::None,
            total: Total::Guess,
            paging: paging.clone(),
            twice: true,
        };
        let mut pager = Pager::new(&first(), &paging);
        let each = texts.iter().enumerate().map(|(at, text)| {
            let answer = Answer { url: first(), text: (*text).to_owned(), link: link.map(str::to_owned), total: None };
            let page = Page::of(&answer, &endpoint)?;
            let last_key = page.items.last().map(|item| (*item).to_owned());
            let held = if text.contains("same") { 7 } else { at as u128 + 100 };
            let next = pager.after(&page, &first(), held, last_key.as_deref()).map_err(|halt| match halt {
                Halt::Refused(why) => why,
                Halt::Drift(why) => format!("drift: {why}"),
            })?;
            Ok(next.map(|url| url.text().replace("https://api.example/v1/orders", "")))
        });
        each.collect()
    }

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn the_first_answer_tells_how_pages_follow() {
        for (text, next) in [
            (r#"{"data":[1],"next":"?a=1&p=2"}"#, some("?a=1&p=2")),
            (r#"{"data":[1],"links":{"next":{"href":"/v1/orders?p=2"}}}"#, some("?p=2")),
            (r#"{"value":[1],"@odata.nextLink":"https://api.example/v1/orders?$skip=1"}"#, some("?$skip=1")),
            (r#"{"data":[1],"next":null,"meta":{"next_cursor":"x y"}}"#, some("?a=1&cursor=x%20y")),
            (r#"{"items":[1],"nextPageToken":"t/1="}"#, some("?a=1&pageToken=t%2F1%3D")),
            (r#"{"data":[1],"meta":{"current_page":1,"last_page":3}}"#, some("?a=1&page=2")),
            (r#"{"content":[{}],"page":{"number":0,"totalPages":2}}"#, some("?a=1&page=1")),
            (r#"{"data":[1,2],"offset":0,"limit":2,"total":5}"#, some("?a=1&offset=2")),
            (r#"{"data":[1],"next":null}"#, None),
            (r#"{"data":[1],"total":1}"#, None),
            (r#"{"data":[1],"has_more":false}"#, None),
            ("[1,2,3]", None),
        ] {
            assert_eq!(asked(Paging::Guess, None, &[text]).unwrap(), [next], "{text}");
        }
        let link = Some("<https://api.example/v1/orders?p=2>; rel=next");
        assert_eq!(asked(Paging::Guess, link, &["[1]"]).unwrap(), [some("?p=2")]);
    }

    #[test]
    fn what_may_be_a_first_page_is_refused_with_what_to_say() {
        for text in [
            "[1,2,3,4,5,6,7,8,9,10]",
            r#"{"data":[1],"total":3}"#,
            r#"{"data":[1],"has_more":true}"#,
            r#"{"data":[1],"next":"token"}"#,
        ] {
            let why = asked(Paging::Guess, None, &[text]).unwrap_err();
            assert!(why.contains("page=cursor"), "{text}: {why}");
        }
        let misspelt = || Paging::Next(Some("nextt".to_owned()));
        let ten = r#"{"data":[1,2,3,4,5,6,7,8,9,0],"next":"?p=2"}"#;
        assert!(asked(misspelt(), None, &[ten]).unwrap_err().contains("first page"));
        // A total that is reached, or a link that says it is the last, is a word about more.
        for text in [r#"{"data":[1,2,3,4,5,6,7,8,9,0],"total":10}"#, r#"{"data":[1,2,3,4,5,6,7,8,9,0],"next":null}"#] {
            assert_eq!(asked(Paging::Guess, None, &[text]).unwrap(), [None]);
        }
    }

    #[test]
    fn counting_ends_at_an_empty_page_or_the_total_and_not_at_a_short_one() {
        let number = || Paging::Number { param: "p".to_owned(), asked: 1, last: None };
        let offset = || Paging::Offset { param: "skip".to_owned() };
        assert_eq!(asked(number(), None, &["[1,2]", "[3]", "[]"]).unwrap(), [some("?a=1&p=2"), some("?a=1&p=3"), None]);
        assert_eq!(
            asked(offset(), None, &["[1,2]", "[3]", "[]"]).unwrap(),
            [some("?a=1&skip=2"), some("?a=1&skip=3"), None]
        );
        let texts = [r#"{"data":[1,2],"total":3}"#, r#"{"data":[3],"total":3}"#];
        assert_eq!(asked(number(), None, &texts).unwrap(), [some("?a=1&p=2"), None]);
        let after = Paging::After { param: "after".to_owned() };
        assert_eq!(asked(after, None, &["[1,7]", "[]"]).unwrap(), [some("?a=1&after=7"), None]);
    }

    #[test]
    fn circles_repeated_pages_and_other_servers_are_refused() {
        let circle = r#"{"data":[1],"next":"?a=1"}"#;
        assert!(asked(Paging::Guess, None, &[circle]).unwrap_err().contains("circle"));
        let number = Paging::Number { param: "p".to_owned(), asked: 1, last: None };
        assert!(asked(number, None, &[r#"["same"]"#, r#"["same"]"#]).unwrap_err().contains("same page again"));
        let number = Paging::Number { param: "p".to_owned(), asked: 1, last: None };
        let past_the_end = [r#"[1]"#, r#"["same"]"#, r#"["same"]"#];
        assert!(asked(number, None, &past_the_end).unwrap_err().contains("drift: it gave a page twice"));
        for link in ["https://evil.example/x", "//evil.example/x", "http://api.example/v1/orders"] {
            let text = format!(r#"{{"data":[1],"next_url":"{link}"}}"#);
            // Two slashes begin a link to another server as well.
            assert!(asked(Paging::Guess, None, &[&text]).unwrap_err().contains("another server"), "{link}");
        }
    }
}
