//! How often a question is asked, and how long is waited between.
use std::time::Duration;

use super::client::{Answer, Client, NoAnswer};
use super::settings::Settings;
use super::trouble::{passing, refused};
use super::url::Url;
use crate::connector::ConnectorError;

/// Times that one question is asked.
const TRIES: u32 = 5;
/// The pause before the second try; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(250);
/// The longest pause that a server may ask for.
const LONGEST: Duration = Duration::from_secs(60);
/// All pauses of one reading together.
const ALL: Duration = Duration::from_secs(600);

/// A client that asks again when that may help, and what is left of its patience.
pub(super) struct Patient<'a> {
    client: &'a Client,
    settings: &'a Settings,
    left: Duration,
}

impl<'a> Patient<'a> {
    /// With all its patience.
    pub(super) fn new(client: &'a Client, settings: &'a Settings) -> Self {
        Patient { client, settings, left: ALL }
    }

    /// The answer at `url`.
    ///
    /// # Errors
    /// What the last try said, with the place, without its parameters.
    pub(super) async fn get(&mut self, url: &Url) -> Result<Answer, ConnectorError> {
        let doing = || format!("read `{}`", self.settings.shown_place(url));
        let mut tried = 0;
        loop {
            tried += 1;
            let (why, wait) = match self.client.get(url).await {
                Ok(answer) => return Ok(answer),
                Err(NoAnswer::Refused(why)) => return Err(refused(doing(), why)),
                Err(NoAnswer::Passing { why, wait }) => (why, wait),
            };
            let pause = wait.unwrap_or(PAUSE * 2_u32.pow(tried - 1));
            let told = match wait {
                Some(wait) if wait > LONGEST => {
                    format!("{why}; it asks to wait {} s: run carve again then", wait.as_secs())
                }
                _ if tried == TRIES || pause > self.left => {
                    format!("tried {tried} times, {why}: run carve again later")
                }
                _ => String::new(),
            };
            if !told.is_empty() {
                return Err(passing(doing(), told));
            }
            self.left -= pause;
            tokio::time::sleep(pause).await;
        }
    }
}
