//! What a store honours of what carve relies on: not all do, and some overwrite or take damaged bytes without a word.
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use tokio::task::JoinSet;

use super::failure::{is_conflict, is_unmet, status};
use super::site::Site;
use super::trial::Trial;
use crate::connector::ConnectorError;
use crate::vocab::Digest;

/// Writers that race for one name.
const RACERS: usize = 4;

/// What a store honours, as far as a few writes can show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Abilities {
    /// `If-None-Match: *`: only when the object is new.
    pub(super) if_new: bool,
    /// `If-Match`: only when it is the one that was seen.
    pub(super) if_same: bool,
    /// Bytes that do not have the checksum that was sent with them are refused.
    pub(super) checksums: bool,
    /// Of several that create an object at the same moment, one wins.
    pub(super) one_wins: bool,
}

impl Abilities {
    /// Whether `If-None-Match: *` keeps two writers apart at any moment.
    pub(super) fn creates_once(self) -> bool {
        self.if_new && self.one_wins
    }

    /// Whether `If-Match` does.
    pub(super) fn replaces_once(self) -> bool {
        self.if_same && self.one_wins
    }

    /// What a person should know, in words.
    pub(super) fn warnings(self) -> Vec<String> {
        let told = [
            (
                self.if_new,
                "the store ignores `If-None-Match`: carve looks before it writes and after, but two writers at the same \
                 moment can both win; see that only one publishes",
            ),
            (
                self.if_same,
                "the store ignores `If-Match`: carve looks before it replaces, and again two seconds after, so that its \
                 lock in the bucket keeps out a writer who does the same",
            ),
            (
                self.one_wins,
                "the store lets several writers create one object at the same moment: carve looks before it writes \
                 and after, and waits two seconds for its lock in the bucket; see that only one publishes",
            ),
            (
                self.checksums,
                "the store takes bytes that do not have their checksum: carve reads back each object that it publishes",
            ),
        ];
        told.into_iter().filter(|(honoured, _)| !honoured).map(|(_, told)| told.to_owned()).collect()
    }
}

/// Tries it out with objects of carve's own, and removes them again.
pub(super) async fn probe(site: &Site) -> Result<Abilities, ConnectorError> {
    let trial = Trial::new(site);
    let found = abilities(&trial).await;
    let removed = trial.remove().await;
    let found = found?;
    removed?;
    trial.tidy().await;
    Ok(found)
}

async fn abilities(trial: &Trial<'_>) -> Result<Abilities, ConnectorError> {
    let doing = format!("write to the bucket `{}`", trial.site.bucket);
    let first = trial.put(Trial::CONDITIONS, "first").send().await;
    let first = first.map_err(|e| trial.site.unwritten(doing.clone(), &e))?;
    trial.site.encryption.confirm(&doing, &first)?;
    let if_new = minded(trial, trial.put(Trial::CONDITIONS, "second").if_none_match("*"), false).await?;
    let never = "\"00000000000000000000000000000000\"";
    let if_same = minded(trial, trial.put(Trial::CONDITIONS, "third").if_match(never), false).await?;
    let damaged = trial.put_as(Trial::CHECKSUM, "what arrived", &Digest::of("what was sent"));
    let checksums = minded(trial, damaged, true).await?;
    // Without the condition all of them win: nothing is learnt by that.
    let one_wins = !if_new || winners(trial).await? <= 1;
    Ok(Abilities { if_new, if_same, checksums, one_wins })
}

/// Whether the store notices what is wrong with `request`. `bad_request` is what that answer means: a checksum that is
/// wrong is a bad request, and a condition that the store does not know is one too.
async fn minded(trial: &Trial<'_>, request: PutObjectFluentBuilder, bad_request: bool) -> Result<bool, ConnectorError> {
    match request.send().await {
        Ok(_) => Ok(false),
        Err(error) if is_unmet(&error) || is_conflict(&error) => Ok(true),
        Err(error) if status(&error) == Some(400) => Ok(bad_request),
        Err(error) if status(&error) == Some(501) => Ok(false),
        Err(error) => {
            let doing = format!("try out the bucket `{}`", trial.site.bucket);
            Err(trial.site.unwritten(doing, &error))
        }
    }
}

/// How many of those that create one object at the same moment are told that they did.
async fn winners(trial: &Trial<'_>) -> Result<usize, ConnectorError> {
    let mut racing = JoinSet::new();
    for racer in 0..RACERS {
        racing.spawn(trial.put(Trial::RACE, &format!("racer {racer}")).if_none_match("*").send());
    }
    let mut won = 0;
    while let Some(ended) = racing.join_next().await {
        match ended {
            Ok(Ok(_)) => won += 1,
            Ok(Err(error)) if is_unmet(&error) || is_conflict(&error) => {}
            Ok(Err(error)) => {
                let doing = format!("try out the bucket `{}`", trial.site.bucket);
                return Err(trial.site.unwritten(doing, &error));
            }
            // It did not come to an answer: this one did not win.
            Err(_) => {}
        }
    }
    Ok(won)
}
