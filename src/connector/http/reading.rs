//! One endpoint read whole, page by page; again where it changed meanwhile.
use super::answer::Page;
use super::client::{Answer, Client};
use super::paging::{Halt, Pager};
use super::retry::Patient;
use super::settings::{Endpoint, Settings};
use super::spool::{Spool, Writer};
use super::trouble::{Trouble, passing, refused};
use super::url::Url;
use crate::connector::{ConnectorError, batches::blocking};
use crate::service::Fingerprint;
use crate::vocab::DatasetId;

/// Readings after which an endpoint that never stands still is given up.
const READINGS: u32 = 4;

/// Reads the endpoints of one API.
pub(super) struct Reader {
    client: Client,
    settings: Settings,
}

/// One reading: its items, and whether they came in several pages.
struct Reading {
    spool: Spool,
    several: bool,
}

impl Reader {
    /// Reads by what `settings` says; nothing is connected yet.
    pub(super) fn new(settings: Settings) -> Result<Self, ConnectorError> {
        Ok(Reader { client: Client::of(&settings)?, settings })
    }

    /// Whether the server answers, whatever it says.
    pub(super) async fn reach(&self) -> Result<(), ConnectorError> {
        let doing = || format!("reach `{}`", self.settings.shown());
        self.client.reach(&self.settings.base).await.map_err(|no| match no {
            super::client::NoAnswer::Refused(why) => refused(doing(), why),
            super::client::NoAnswer::Passing { why, .. } => passing(doing(), why),
        })
    }

    /// The items of `id` as one reading gives them, in which nothing speaks of a change meanwhile.
    pub(super) async fn once(&self, id: &DatasetId) -> Result<Spool, ConnectorError> {
        self.until(id, |_| true).await
    }

    /// The items of `id` as two readings in a row give them; `before` is what the last reading gave, if there was one.
    /// One answer that holds all is taken at its word, as is an endpoint with `reads=1`.
    pub(super) async fn settled(&self, id: &DatasetId, before: Option<Fingerprint>) -> Result<Spool, ConnectorError> {
        let twice = self.settings.endpoint(id)?.twice;
        let mut before = before;
        self.until(id, |reading| {
            let found = reading.spool.fingerprint;
            !twice || !reading.several || before.replace(found) == Some(found)
        })
        .await
    }

    async fn until(&self, id: &DatasetId, mut enough: impl FnMut(&Reading) -> bool) -> Result<Spool, ConnectorError> {
        let mut why = String::new();
        for _ in 0..READINGS {
            match self.read(id).await {
                Ok(reading) if enough(&reading) => return Ok(reading.spool),
                Ok(_) => "two readings in a row differed".clone_into(&mut why),
                Err(Trouble::Drift(drift)) => why = drift,
                Err(Trouble::Final(error)) => return Err(error),
            }
        }
        let cure = "run carve again when less is written; narrow what is read to what stands still \
                    (`query=…`); or, where the API itself cuts its pages from one state, say `reads=1` (docs/CONNECTIONS.md)";
        Err(passing(
            format!("read `{id}` at one state"),
            format!("it changed in each of {READINGS} readings: {why}. Nothing of it is used: {cure}"),
        ))
    }

    async fn read(&self, id: &DatasetId) -> Result<Reading, Trouble> {
        let endpoint = self.settings.endpoint(id)?;
        let mut patient = Patient::new(&self.client, &self.settings);
        let mut state = State {
            pager: Pager::new(&endpoint.first, &endpoint.paging),
            writer: Writer::new(&endpoint.key, format!("`{id}`"))?,
            total: None,
            items: 0,
            pages: 0,
        };
        let mut next = Some(endpoint.first.clone());
        while let Some(url) = next {
            let answer = patient.get(&url).await?;
            let doing = format!("read the pages of `{}`", self.settings.shown_place(&url));
            let endpoint = endpoint.clone();
            // Taking a page apart and writing it down may take a while: not on a thread that others wait for.
            let taken = blocking(move || Ok(state.take(&answer, &endpoint, doing).map(|next| (state, next)))).await?;
            (state, next) = taken?;
        }
        let several = state.pager.several();
        let spool = blocking(move || Ok(state.finish())).await??;
        Ok(Reading { spool, several })
    }
}

/// What was read so far.
struct State {
    pager: Pager,
    writer: Writer,
    total: Option<u64>,
    items: u64,
    pages: u32,
}

impl State {
    /// Takes in one answer; what comes back is where the next one is.
    fn take(&mut self, answer: &Answer, endpoint: &Endpoint, doing: String) -> Result<Option<Url>, Trouble> {
        let no = |why: String| Trouble::Final(refused(doing.clone(), why));
        let page = Page::of(answer, endpoint).map_err(no)?;
        match (self.total, page.total) {
            (Some(before), Some(now)) if before != now => {
                return Err(Trouble::Drift(format!("it said there are {before} items in all, and then {now}")));
            }
            (_, now) => self.total = now.or(self.total),
        }
        let (held, last_key) = self.writer.add(&page.items, self.pages)?;
        self.pages = self.pages.saturating_add(1);
        self.items += page.items.len() as u64;
        self.pager.after(&page, &answer.url, held, last_key.as_deref()).map_err(|halt| match halt {
            Halt::Refused(why) => no(why),
            Halt::Drift(why) => Trouble::Drift(why),
        })
    }

    fn finish(self) -> Result<Spool, Trouble> {
        match self.total {
            Some(total) if total != self.items => Err(Trouble::Drift(format!(
                "it says there are {total} items in all and gives {}; where that number means something else, say \
                 `total=none` or `total=MEMBER`",
                self.items
            ))),
            _ => self.writer.finish(),
        }
    }
}
