//! One request and its answer: the only file that knows hyper.
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::header::{ACCEPT, HeaderMap, HeaderName, HeaderValue, LINK, LOCATION, RETRY_AFTER, USER_AGENT};
use hyper::{Request, Response, body::Incoming};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::{Client as Hyper, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;

use super::settings::Settings;
use super::trouble::{cure, first_words, refused};
use super::url::Url;
use crate::connector::{ConnectorError, json, system::with_causes, trust};

/// How long one attempt to reach the server may take.
const CONNECT: Duration = Duration::from_secs(10);
/// Redirections that are followed.
const REDIRECTIONS: u32 = 5;

/// Asks one server.
pub(super) struct Client {
    hyper: Hyper<HttpsConnector<HttpConnector>, Empty<Bytes>>,
    headers: HeaderMap,
    settings: Settings,
}

/// What a server answered.
#[derive(Debug)]
pub(super) struct Answer {
    /// Where it is from, after redirections.
    pub(super) url: Url,
    /// Its JSON.
    pub(super) text: String,
    /// Its header `Link`.
    pub(super) link: Option<String>,
    /// How many items there are in all, where a header says so.
    pub(super) total: Option<u64>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum NoAnswer {
    /// Asking again may help; the server may have said how long to wait.
    Passing { why: String, wait: Option<Duration> },
    /// It will not.
    Refused(String),
}

impl Client {
    /// Asks the server of `settings`; nothing is connected yet.
    pub(super) fn of(settings: &Settings) -> Result<Self, ConnectorError> {
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_connect_timeout(Some(CONNECT));
        // Nothing is encrypted where the address says so, and no certificates are needed then.
        let certificates = match settings.base.secure {
            true => trust::certificates(settings.shown(), settings.root_certificates.as_deref())?,
            false => Vec::new(),
        };
        let tls = trust::encryption(settings.shown(), certificates)?;
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1();
        let hyper = Hyper::builder(TokioExecutor::new()).build(connector.wrap_connector(http));
        Ok(Client { hyper, headers: headers(settings)?, settings: settings.clone() })
    }

    /// Asks once, follows redirections on the same server.
    pub(super) async fn get(&self, url: &Url) -> Result<Answer, NoAnswer> {
        let mut url = url.clone();
        for _ in 0..=REDIRECTIONS {
            match tokio::time::timeout(self.settings.timeout, self.ask(&url)).await {
                Ok(Ok(Asked::Answer(answer))) => return Ok(answer),
                Ok(Ok(Asked::Elsewhere(place))) => url = place,
                Ok(Err(no)) => return Err(no),
                Err(_) => {
                    let why = format!("no whole answer within {} ms", self.settings.timeout.as_millis());
                    return Err(NoAnswer::Passing { why, wait: None });
                }
            }
        }
        Err(NoAnswer::Refused(format!("it redirects more than {REDIRECTIONS} times")))
    }

    /// Whether the server answers anything at all at `url`.
    pub(super) async fn reach(&self, url: &Url) -> Result<(), NoAnswer> {
        match tokio::time::timeout(self.settings.timeout, self.send(url)).await {
            Ok(answered) => answered.map(|_| ()),
            Err(_) => Err(NoAnswer::Passing { why: "no answer in time".to_owned(), wait: None }),
        }
    }

    async fn send(&self, url: &Url) -> Result<Response<Incoming>, NoAnswer> {
        let mut request = Request::get(url.text())
            .body(Empty::new())
            .map_err(|_| NoAnswer::Refused("what it leads to is no URL".to_owned()))?;
        request.headers_mut().clone_from(&self.headers);
        self.hyper.request(request).await.map_err(|error| unreached(&error))
    }

    async fn ask(&self, url: &Url) -> Result<Asked, NoAnswer> {
        let response = self.send(url).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        if status.is_redirection() && headers.contains_key(LOCATION) {
            return self.redirected(url, &headers).map(Asked::Elsewhere);
        }
        let body = self.body(response).await;
        if !matches!(status.as_u16(), 200 | 203 | 206) {
            // The status says what happened, whatever became of the words after it.
            let words = first_words(&String::from_utf8_lossy(&body.unwrap_or_default()), self.secrets());
            return Err(self.unwanted(status.as_u16(), &headers, &words));
        }
        let text = String::from_utf8(body?.to_vec())
            .map_err(|_| NoAnswer::Refused("its answer is not UTF-8, which JSON is written in".to_owned()))?;
        self.check(&text)?;
        let links: Vec<&str> = headers.get_all(LINK).iter().filter_map(|value| value.to_str().ok()).collect();
        let link = (!links.is_empty()).then(|| links.join(", "));
        Ok(Asked::Answer(Answer { url: url.clone(), text, link, total: total(&headers) }))
    }

    async fn body(&self, response: Response<Incoming>) -> Result<Bytes, NoAnswer> {
        let limit = self.settings.page_bytes;
        match Limited::new(response.into_body(), limit).collect().await {
            Ok(body) => Ok(body.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => Err(NoAnswer::Refused(format!(
                "one answer has more than {limit} bytes: ask for smaller pages (`size=…`), or allow more (`page_bytes=…`)"
            ))),
            Err(error) => Err(NoAnswer::Passing {
                why: format!("the answer broke off: {}", with_causes(error.as_ref())),
                wait: None,
            }),
        }
    }

    /// That `text` is JSON, and all of it.
    fn check(&self, text: &str) -> Result<(), NoAnswer> {
        match json::checked(text.trim_start_matches('\u{feff}')) {
            Ok(()) => Ok(()),
            // A server that closes the connection to end an answer cannot tell its end from a breaking off.
            Err(why) if why.contains("EOF") => {
                Err(NoAnswer::Passing { why: "the answer broke off".to_owned(), wait: None })
            }
            Err(why) => Err(NoAnswer::Refused(format!("its answer is {why}: {}", first_words(text, self.secrets())))),
        }
    }

    fn redirected(&self, from: &Url, headers: &HeaderMap) -> Result<Url, NoAnswer> {
        let place = headers.get(LOCATION).and_then(|value| value.to_str().ok()).map(|place| from.join(place));
        match place {
            Some(Ok(place)) if place.same_server(&self.settings.base) => Ok(place),
            Some(Ok(place)) => Err(NoAnswer::Refused(format!(
                "it redirects to another server, `{}`, where credentials are never sent: write that server's address",
                place.authority
            ))),
            _ => Err(NoAnswer::Refused("it redirects to what is no URL".to_owned())),
        }
    }

    fn unwanted(&self, status: u16, headers: &HeaderMap, words: &str) -> NoAnswer {
        let said = if words.is_empty() { String::new() } else { format!(": {words}") };
        match status {
            408 | 425 | 429 | 500.. => {
                NoAnswer::Passing { why: format!("it answers {status}{said}"), wait: wait(headers) }
            }
            _ => NoAnswer::Refused(format!("it answers {status}{said}{}", cure(status))),
        }
    }

    fn secrets(&self) -> &[String] {
        self.settings.auth.as_ref().map_or(&[], |auth| &auth.secrets)
    }
}

/// What one request came to.
enum Asked {
    Answer(Answer),
    Elsewhere(Url),
}

fn headers(settings: &Settings) -> Result<HeaderMap, ConnectorError> {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(USER_AGENT, HeaderValue::from_static(concat!("carve/", env!("CARGO_PKG_VERSION"))));
    if let Some(auth) = &settings.auth {
        let doing = || format!("ask `{}`", settings.shown());
        let name = HeaderName::from_bytes(auth.header.as_bytes())
            .map_err(|_| refused(doing(), "option `header` is no name of a header"))?;
        let mut value = HeaderValue::from_str(&auth.value)
            .map_err(|_| refused(doing(), "its token or password holds a character that no header may hold"))?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}

/// How many items there are in all, by the headers that say so.
fn total(headers: &HeaderMap) -> Option<u64> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let counted = text("x-total-count").or_else(|| text("x-total"));
    // `items 0-24/3573`
    let ranged = || text("content-range").and_then(|range| Some(range.rsplit_once('/')?.1));
    counted.or_else(ranged)?.trim().parse().ok()
}

/// How long the server asks to wait, where it says so in seconds.
fn wait(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

fn unreached(error: &(dyn std::error::Error + 'static)) -> NoAnswer {
    let why = with_causes(error);
    match trust::cure(&why) {
        Some(cure) => NoAnswer::Refused(format!("{why}: {cure}")),
        None => NoAnswer::Passing { why, wait: None },
    }
}
