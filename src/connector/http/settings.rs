//! What an address says about an API and its endpoints.
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use super::auth::Auth;
use super::url::{Url, escaped};
use crate::connector::{ConnectorError, address::Address};
use crate::vocab::DatasetId;

/// Options of the whole API.
const GENERAL: [&str; 8] =
    ["token", "header", "user", "password", "sslrootcert", "unencrypted", "timeout_ms", "page_bytes"];
/// Options that may also be given for one table: `key.orders=number`.
const PER_TABLE: [&str; 12] =
    ["path", "query", "items", "key", "total", "page", "next", "param", "start", "size", "size_param", "reads"];
/// How long one answer may take, from the question to its last byte.
const TIMEOUT_MS: u64 = 60_000;
/// Bytes that one answer may have.
const PAGE_BYTES: u64 = 64 << 20;

/// An API, and who asks.
#[derive(Clone)]
pub(super) struct Settings {
    address: Address,
    /// Where it is.
    pub(super) base: Url,
    /// Who asks.
    pub(super) auth: Option<Auth>,
    /// Certificates that vouch for the server instead of the system's own.
    pub(super) root_certificates: Option<Utf8PathBuf>,
    /// How long one answer may take.
    pub(super) timeout: Duration,
    /// Bytes that one answer may have.
    pub(super) page_bytes: usize,
}

/// One endpoint.
#[derive(Clone, Debug)]
pub(super) struct Endpoint {
    /// The first request.
    pub(super) first: Url,
    /// Where an answer's items are, by dots; `None`: to be found.
    pub(super) items: Option<String>,
    /// What tells its items apart.
    pub(super) key: Key,
    /// Where an answer says how many items there are in all.
    pub(super) total: Total,
    /// How the next page is found.
    pub(super) paging: Paging,
    /// Whether what comes in several pages is read until two readings agree.
    pub(super) twice: bool,
}

/// What tells items apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// The member `id`, where every item has one of its own.
    Guess,
    /// Nothing.
    None,
    /// These members.
    Members(Vec<String>),
}

/// Where the number of all items is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Total {
    /// In a header or member with a usual name, if there is one.
    Guess,
    /// Nowhere.
    None,
    /// In this member.
    Member(String),
}

/// How the next page is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Paging {
    /// Still to be found out from the first answer.
    Guess,
    /// There is none.
    Whole,
    /// By the header `Link`.
    Link,
    /// By a member that holds its URL.
    Next(Option<String>),
    /// By a member that holds the value of a parameter.
    Cursor { at: Option<String>, param: Option<String> },
    /// By counting pages: the number asked for last, and the last there is.
    Number { param: String, asked: u64, last: Option<u64> },
    /// By counting items.
    Offset { param: String },
    /// By the key of the last item.
    After { param: String },
}

impl Settings {
    /// What `address` says; a token or password is looked up, nothing is connected.
    pub(super) fn of(address: &Address, base: &Utf8Path) -> Result<Self, ConnectorError> {
        only_known(address)?;
        let url = Url::parse(&format!("{}://{}", address.scheme, address.rest)).map_err(|why| match why {
            why if why.starts_with("a user") => {
                address.error(&format!("{why}: give `user=NAME` and `password=env:NAME` as options"))
            }
            why => address.error(&why),
        })?;
        if !url.secure && !url.is_loopback() && address.switch("unencrypted")? != Some(true) {
            return Err(address.error(
                "http:// would send credentials and data unencrypted: use https://, or say `unencrypted=true` for a \
                 network that you trust",
            ));
        }
        let page_bytes = address.number("page_bytes")?.unwrap_or(PAGE_BYTES).clamp(1 << 10, 1 << 30);
        let settings = Settings {
            base: url,
            auth: Auth::of(address, base)?,
            root_certificates: address.options.get("sslrootcert").map(|path| base.join(path)),
            timeout: Duration::from_millis(address.number("timeout_ms")?.unwrap_or(TIMEOUT_MS).clamp(1, 3_600_000)),
            page_bytes: usize::try_from(page_bytes).expect("at most a gigabyte, as clamped"),
            address: address.clone(),
        };
        // What is wrong with an option is said when the address is opened, not when a table is read.
        for table in address.options.keys().filter_map(|name| name.split_once('.')).map(|(_, table)| table) {
            settings.endpoint_named(table)?;
        }
        settings.endpoint_named("table").map(|_| settings)
    }

    /// The endpoint that is the table `id`.
    pub(super) fn endpoint(&self, id: &DatasetId) -> Result<Endpoint, ConnectorError> {
        self.endpoint_named(id.name())
    }

    /// The address without secrets, for messages.
    pub(super) fn shown(&self) -> &str {
        &self.address.shown
    }

    /// A place of this API as messages show it: no parameter of it, they may be secrets.
    pub(super) fn shown_place(&self, url: &Url) -> String {
        let base = self.base.path.trim_end_matches('/');
        let below = url.path.strip_prefix(base).unwrap_or(&url.path);
        format!("{}{below}", self.address.shown.trim_end_matches('/'))
    }

    fn endpoint_named(&self, table: &str) -> Result<Endpoint, ConnectorError> {
        let of = |name: &str| self.option(name, table);
        let member = |name: &str| of(name).map(str::to_owned);
        Ok(Endpoint {
            first: self.first(table)?,
            items: member("items"),
            key: match of("key") {
                None => Key::Guess,
                Some("none") => Key::None,
                Some(names) => Key::Members(names.split(',').map(|name| name.trim().to_owned()).collect()),
            },
            total: match of("total") {
                None => Total::Guess,
                Some("none") => Total::None,
                Some(name) => Total::Member(name.to_owned()),
            },
            paging: self.paging(table)?,
            twice: match of("reads") {
                None | Some("2") => true,
                Some("1") => false,
                Some(_) => return Err(self.address.error("option `reads` takes `1` or `2`")),
            },
        })
    }

    fn paging(&self, table: &str) -> Result<Paging, ConnectorError> {
        let of = |name: &str| self.option(name, table).map(str::to_owned);
        let param = |usual: &str| of("param").unwrap_or_else(|| usual.to_owned());
        Ok(match of("page").as_deref() {
            None => Paging::Guess,
            Some("none") => Paging::Whole,
            Some("link") => Paging::Link,
            Some("next") => Paging::Next(of("next")),
            Some("cursor") => Paging::Cursor { at: of("next"), param: of("param") },
            Some("number") => Paging::Number { param: param("page"), asked: self.start(table)?, last: None },
            Some("offset") => Paging::Offset { param: param("offset") },
            Some("after") => Paging::After { param: param("starting_after") },
            Some(_) => {
                return Err(self
                    .address
                    .error("option `page` takes `link`, `next`, `cursor`, `number`, `offset`, `after` or `none`"));
            }
        })
    }

    fn first(&self, table: &str) -> Result<Url, ConnectorError> {
        let path = self.option("path", table).unwrap_or("/{table}").replace("{table}", &escaped(table));
        let base = self.base.path.trim_end_matches('/');
        let query = self.option("query", table).unwrap_or_default().trim_start_matches('?').to_owned();
        let slash = if path.starts_with('/') { "" } else { "/" };
        let mut first = Url { path: format!("{base}{slash}{path}"), query, ..self.base.clone() };
        if let Some(size) = self.option("size", table) {
            first = first.with(self.option("size_param", table).unwrap_or("limit"), size);
        }
        Ok(match self.paging(table)? {
            Paging::Number { param, asked, .. } => first.with(&param, &asked.to_string()),
            _ => first,
        })
    }

    fn start(&self, table: &str) -> Result<u64, ConnectorError> {
        let number = self.option("start", table).map_or(Ok(1), str::parse);
        number.map_err(|_| self.address.error("option `start` takes a whole number"))
    }

    /// The option `name` of `table`, else of all tables.
    fn option(&self, name: &str, table: &str) -> Option<&str> {
        let options = &self.address.options;
        options.get(&format!("{name}.{table}")).or_else(|| options.get(name)).map(String::as_str)
    }
}

fn only_known(address: &Address) -> Result<(), ConnectorError> {
    let known: Vec<&str> = GENERAL.iter().chain(&PER_TABLE).copied().collect();
    let general = |name: &String| name.split_once('.').is_none_or(|(name, _)| !PER_TABLE.contains(&name));
    let mut rest = address.clone();
    rest.options.retain(|name, _| general(name));
    rest.only(&known)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(url: &str) -> Result<Settings, ConnectorError> {
        Settings::of(&Address::parse("source:shop", url).unwrap(), Utf8Path::new("/estate"))
    }

    fn first(url: &str, table: &str) -> String {
        settings(url).unwrap().endpoint(&DatasetId::in_system("shop", table)).unwrap().first.text()
    }

    #[test]
    fn a_table_is_the_path_of_its_name_unless_the_address_says_otherwise() {
        for (options, table, request) in [
            ("", "orders", "https://api.example/v1/orders"),
            ("/?path=/{table}.json", "orders", "https://api.example/v1/orders.json"),
            ("?path.orders=/Orders/all&query=a%3D1", "orders", "https://api.example/v1/Orders/all?a=1"),
            ("?path.orders=/Orders/all", "lines", "https://api.example/v1/lines"),
            ("?page=number&start=0&size=50", "orders", "https://api.example/v1/orders?limit=50&page=0"),
        ] {
            assert_eq!(first(&format!("https://api.example/v1{options}"), table), request);
        }
    }

    #[test]
    fn what_is_not_understood_is_refused_when_the_address_is_opened() {
        for (url, told) in [
            ("http://api.example/v1", "unencrypted=true"),
            ("https://me:hunter2@api.example/v1", "user=NAME"),
            ("https://api.example?pages=number", "unknown option `pages`"),
            ("https://api.example?token.orders=env:HOME", "unknown option `token.orders`"),
            ("https://api.example?page=numbers", "option `page`"),
            ("https://api.example?page.orders=numbers", "option `page`"),
            ("https://api.example?reads=0", "option `reads`"),
            ("https://api.example?page=number&start=x", "option `start`"),
        ] {
            let error = settings(url).err().unwrap().to_string();
            assert!(error.contains(told) && !error.contains("hunter2"), "{url}: {error}");
        }
        for url in ["http://127.0.0.1:80/v1", "http://[::1]/", "http://api.example/?unencrypted=true"] {
            assert!(settings(url).is_ok(), "{url}");
        }
    }
}
