//! What the store said, in its own words but without anything of the request: a request is signed.
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use aws_credential_types::provider::error::CredentialsError;

use super::credentials;
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
    const PASSING_CODES: [&str; 6] = [
        "RequestTimeout",
        "SlowDown",
        "OperationAborted",
        "ConditionalRequestConflict",
        "ThrottlingException",
        "KMS.ThrottlingException",
    ];
    let unsigned = matches!(error, SdkError::ConstructionFailure(_));
    let refused = status(error)
        .is_some_and(|status| matches!(status, 300..=499 | 501) && !matches!(status, 408 | 409 | 412 | 425 | 429));
    !unsigned
        && nobody(error).is_none_or(credentials::may_pass)
        && (!refused || error.code().is_some_and(|code| PASSING_CODES.contains(&code)))
}

/// Why nobody could be found who asks, where that is what went wrong.
fn nobody<E>(error: &SdkError<E, HttpResponse>) -> Option<&CredentialsError> {
    let SdkError::DispatchFailure(failure) = error else { return None };
    failure.as_connector_error().and_then(|error| credentials::not_found(error))
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
        SdkError::DispatchFailure(failure) => match (nobody(error), failure.as_connector_error()) {
            (Some(missing), _) => credentials::words(missing),
            (None, Some(connector)) => format!("the store cannot be reached ({})", with_causes(connector)),
            (None, None) => "the store cannot be reached".to_owned(),
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
