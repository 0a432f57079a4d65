//! Who asks the store: found where AWS's own tools look, and told in a sentence where nobody was found.
use std::error::Error;

use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::{Region, default_provider::region::DefaultRegionChain};
use aws_credential_types::provider::{ProvideCredentials, error::CredentialsError, future};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::result::ConnectorError as Unconnected;

use crate::connector::system::with_causes;
use crate::vocab::shortened;

/// The longest that is quoted of what a configuration or a program said.
const QUOTED_CHARS: usize = 240;

/// The credentials of the profile that an address names: no key of the environment and no role of the machine stands in.
#[derive(Debug)]
pub(super) struct OfProfile {
    name: String,
    profile: ProfileFileCredentialsProvider,
}

impl ProvideCredentials for OfProfile {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let provided = self.profile.provide_credentials().await;
            provided.map_err(|error| {
                // Where no profile is defined at all, or it has nothing of the kind, the library gives no reason.
                match matches!(error, CredentialsError::CredentialsNotLoaded(_)) && error.source().is_none() {
                    true => CredentialsError::not_loaded(format!("profile `{}` holds none", self.name)),
                    false => error,
                }
            })
        })
    }
}

/// The credentials of the profile `profile`.
pub(super) async fn of_profile(profile: &str, region: Option<Region>, http: &SharedHttpClient) -> OfProfile {
    let region = match region {
        Some(region) => Some(region),
        None => DefaultRegionChain::builder().profile_name(profile).build().region().await,
    };
    let config = ProviderConfig::without_region().with_region(region).with_http_client(http.clone());
    let found = ProfileFileCredentialsProvider::builder().configure(&config).profile_name(profile).build();
    OfProfile { name: profile.to_owned(), profile: found }
}

/// Why nobody could be found who asks, where that is what `error` is about.
pub(super) fn not_found<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a CredentialsError> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

/// Whether a later try may find somebody without any change: a service that hands out credentials did not answer.
pub(super) fn may_pass(error: &CredentialsError) -> bool {
    const PASSING: [&str; 3] = ["Throttling", "ServiceUnavailable", "timed out"];
    let unanswered = |cause: &(dyn Error + 'static)| {
        cause.downcast_ref::<Unconnected>().is_some_and(|its| its.is_io() || its.is_timeout())
            || PASSING.iter().any(|word| cause.to_string().contains(word))
    };
    match error {
        CredentialsError::ProviderTimedOut(_) => true,
        // Where nobody was found, one of the places that were looked at may not have answered: it mostly is not there.
        CredentialsError::CredentialsNotLoaded(_) | CredentialsError::InvalidConfiguration(_) => false,
        _ => causes(error).any(unanswered),
    }
}

/// What is wrong, and what to do about it.
pub(super) fn words(error: &CredentialsError) -> String {
    let told = with_causes(error);
    match error {
        _ if may_pass(error) => format!("what hands out the credentials does not answer ({})", quoted(&told)),
        CredentialsError::CredentialsNotLoaded(_) => not_loaded(&told),
        CredentialsError::InvalidConfiguration(_) => match told.contains("cargo feature") {
            true => "the AWS profile signs in by a way that this build of carve does not have (`login_session`): use \
                     keys, a role, SSO or `credential_process`"
                .to_owned(),
            false => format!(
                "{}: correct ~/.aws/config",
                quoted(told.rsplit("could not be built: ").next().unwrap_or(&told))
            ),
        },
        _ if told.contains("external process") => {
            format!("the `credential_process` of the AWS profile gave none ({}): run it by hand", quoted(&told))
        }
        _ if told.to_ascii_lowercase().contains("sso") => {
            format!("the AWS profile is not signed in ({}): run `aws sso login` for it", quoted(&told))
        }
        _ if told.contains("IMDS") => format!(
            "no credentials were found in the environment or in a profile, and the machine gave none ({}): set \
             AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or give the machine a role",
            quoted(told.trim_start_matches("an error occurred while loading credentials: "))
        ),
        _ => format!("the credentials could not be had ({}): see the AWS profile and its role", quoted(&told)),
    }
}

fn not_loaded(told: &str) -> String {
    let profile = told.split_once("profile `").and_then(|(_, rest)| rest.split_once('`'));
    match profile {
        Some((name, rest)) if rest.starts_with(" was not defined") && rest.contains("` was missing") => {
            let missing = quoted(rest.trim_start_matches(" was not defined: "));
            format!("the AWS profile `{name}` is not complete, {missing}: correct ~/.aws/config")
        }
        Some((name, rest)) if rest.starts_with(" was not defined") => format!(
            "the AWS profile `{name}` is not defined: correct `profile` in the bucket's address or AWS_PROFILE, or make \
             it in ~/.aws/config (`aws configure --profile {name}`)"
        ),
        Some((name, rest)) if rest.starts_with(" holds none") => format!(
            "the AWS profile `{name}`, which the bucket's address names, is not defined or holds no credentials: complete \
             it in ~/.aws/config, or take `profile` out of the address and set AWS_ACCESS_KEY_ID and \
             AWS_SECRET_ACCESS_KEY"
        ),
        _ => {
            let named = std::env::var("AWS_PROFILE").ok().filter(|name| !name.is_empty());
            let named = named.map(|name| format!(" (AWS_PROFILE is `{name}`)")).unwrap_or_default();
            format!(
                "no credentials were found in the environment, in a profile{named} or from the machine: set \
                 AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
            )
        }
    }
}

/// `text` on one line and not longer than a person reads.
fn quoted(text: &str) -> String {
    shortened(&text.split_whitespace().collect::<Vec<_>>().join(" "), QUOTED_CHARS)
}

/// `error` and its causes, outermost first.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_must_change_is_told_with_the_change() {
        let cases = [
            (
                CredentialsError::not_loaded("profile `nope` was not defined: could not find it"),
                "`nope` is not defined",
            ),
            (
                CredentialsError::not_loaded("profile `half` was not defined: `sso_region` was missing"),
                "`sso_region` was missing",
            ),
            (CredentialsError::not_loaded("profile `bare` holds none"), "`bare`, which the bucket's address names"),
            (
                CredentialsError::not_loaded("no credentials found in chain. Attempted:\n  Environment: x"),
                "AWS_ACCESS_KEY_ID",
            ),
            (
                CredentialsError::invalid_configuration("could not be built: an infinite loop"),
                "an infinite loop: correct",
            ),
            (CredentialsError::invalid_configuration("requires following cargo feature(s)"), "does not have"),
            (CredentialsError::provider_error("IMDS is disabled"), "AWS_ACCESS_KEY_ID"),
            (CredentialsError::provider_error("the SSO token has expired"), "aws sso login"),
            (CredentialsError::provider_error("external process exited with code 1. Stderr: \nno"), "run it by hand"),
        ];
        for (error, told) in cases {
            let words = words(&error);
            assert!(!may_pass(&error) && words.contains(told) && !words.contains('\n'), "{words}");
        }
        assert!(words(&CredentialsError::provider_error("x".repeat(999))).chars().count() < 400);
    }

    #[test]
    fn a_service_that_does_not_answer_may_answer_later() {
        let lost = Unconnected::io("connection refused".into());
        assert!(may_pass(&CredentialsError::provider_error(lost)));
        assert!(may_pass(&CredentialsError::provider_timed_out(std::time::Duration::from_secs(1))));
        assert!(!may_pass(&CredentialsError::not_loaded(
            "no credentials found in chain: the machine's role: timed out"
        )));
        assert!(!may_pass(&CredentialsError::provider_error(Unconnected::user("no such host".into()))));
    }
}
