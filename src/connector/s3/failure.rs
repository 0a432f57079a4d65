//! What the store said, in its own words but without anything of the request: a request is signed.
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use crate::connector::{ConnectorError, system::with_causes};

/// The status of the answer, where there was one.
pub(super) fn status<E>(error: &SdkError<E, HttpResponse>) -> Option<u16> {
    error.raw_response().map(|response| response.status().as_u16())
}

/// Whether the store said that a condition did not hold.
pub(super) fn is_unmet<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    status(error) == Some(412)
}

/// Whether someone else was writing the same object at that moment.
pub(super) fn is_conflict<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    status(error) == Some(409)
}

/// Whether the object, or the whole bucket, is not there.
pub(super) fn is_absent<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    status(error) == Some(404) && error.code() != Some("NoSuchBucket")
}

/// The error that `doing` failed.
pub(super) fn failed<E>(doing: String, error: &SdkError<E, HttpResponse>) -> ConnectorError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let source = words(error).into();
    match may_pass(error) {
        true => ConnectorError::Engine { doing, source },
        false => ConnectorError::Refused { doing, source },
    }
}

/// Whether asking again may help: it does not where the store understood and said no.
fn may_pass<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    const PASSING_CODES: [&str; 4] = ["RequestTimeout", "SlowDown", "OperationAborted", "ConditionalRequestConflict"];
    let unsigned = matches!(error, SdkError::ConstructionFailure(_));
    let refused = status(error)
        .is_some_and(|status| (300..500).contains(&status) && !matches!(status, 408 | 409 | 412 | 425 | 429));
    !unsigned
        && !lacks_credentials(error)
        && (!refused || error.code().is_some_and(|code| PASSING_CODES.contains(&code)))
}

/// Whether nobody says who asks: the next call would not know it either.
fn lacks_credentials<E>(error: &SdkError<E, HttpResponse>) -> bool {
    let SdkError::DispatchFailure(failure) = error else { return false };
    failure.as_connector_error().is_some_and(|error| with_causes(error).contains("no credentials found in chain"))
}

fn words<E>(error: &SdkError<E, HttpResponse>) -> String
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let said = match error {
        SdkError::ServiceError(_) => {
            let code = error.code().unwrap_or("an error without a code");
            let message = error.message().map(|message| format!(": {message}")).unwrap_or_default();
            format!("the store answered {code}{message}")
        }
        SdkError::TimeoutError(_) => "the store did not answer in time".to_owned(),
        SdkError::DispatchFailure(_) if lacks_credentials(error) => {
            let where_to = "in the environment, in a profile or from the machine";
            format!(
                "no credentials were found {where_to}: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
            )
        }
        SdkError::DispatchFailure(failure) => match failure.as_connector_error() {
            Some(connector) => format!("the store cannot be reached ({})", with_causes(connector)),
            None => "the store cannot be reached".to_owned(),
        },
        // What could not be built is mostly what could not be signed.
        SdkError::ConstructionFailure(_) => format!("the request could not be made ({})", with_causes(error)),
        _ => "the answer was not understood".to_owned(),
    };
    let advice = match (error.code(), status(error)) {
        (Some("NoSuchBucket"), _) => ": make the bucket first",
        (Some("AccessDenied"), _) | (_, Some(401 | 403)) => {
            ": see that AWS_ACCESS_KEY_ID or AWS_PROFILE names credentials that may read and write this bucket"
        }
        (Some("PermanentRedirect"), _) | (_, Some(301)) => {
            ": the bucket is in another region, say which with `?region=…`"
        }
        _ => "",
    };
    match status(error) {
        Some(status) => format!("{said} (status {status}){advice}"),
        None => format!("{said}{advice}"),
    }
}
