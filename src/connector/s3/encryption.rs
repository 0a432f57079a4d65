//! How the store is asked to encrypt what carve writes: by its own key, or by one of a key service.
use aws_sdk_s3::operation::put_object::{PutObjectOutput, builders::PutObjectFluentBuilder};
use aws_sdk_s3::types::ServerSideEncryption;

use crate::connector::{ConnectorError, address::Address};

/// What the address asks for: `sse=AES256|aws:kms|aws:kms:dsse`, `kms_key_id=…`. Nothing leaves it to the bucket's own default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Encryption {
    method: Option<ServerSideEncryption>,
    key: Option<String>,
}

impl Encryption {
    pub(super) fn of(address: &Address) -> Result<Self, ConnectorError> {
        let method = match address.options.get("sse").map(String::as_str) {
            None => None,
            Some("AES256") => Some(ServerSideEncryption::Aes256),
            Some("aws:kms") => Some(ServerSideEncryption::AwsKms),
            Some("aws:kms:dsse") => Some(ServerSideEncryption::AwsKmsDsse),
            Some(_) => return Err(address.error("option `sse` takes `AES256`, `aws:kms` or `aws:kms:dsse`")),
        };
        let key = address.options.get("kms_key_id").filter(|key| !key.is_empty()).cloned();
        let keyed = matches!(method, Some(ServerSideEncryption::AwsKms | ServerSideEncryption::AwsKmsDsse));
        match key {
            Some(_) if !keyed => {
                Err(address.error("option `kms_key_id` goes with `sse=aws:kms` or `sse=aws:kms:dsse`"))
            }
            key => Ok(Encryption { method, key }),
        }
    }

    /// `request` with what the address asks for.
    pub(super) fn on(&self, request: PutObjectFluentBuilder) -> PutObjectFluentBuilder {
        request.set_server_side_encryption(self.method.clone()).set_ssekms_key_id(self.key.clone())
    }

    /// Refuses the answer of a store that took the object and does not say that it encrypted it as asked.
    pub(super) fn confirm(&self, doing: &str, answer: &PutObjectOutput) -> Result<(), ConnectorError> {
        match &self.method {
            Some(method) if answer.server_side_encryption() != Some(method) => Err(ConnectorError::Refused {
                doing: doing.to_owned(),
                source: format!(
                    "the store took the object and did not encrypt it as `sse={}` asks: use a store that does, or take \
                     `sse` out of the bucket's address",
                    method.as_str()
                )
                .into(),
            }),
            _ => Ok(()),
        }
    }

    /// What to do where the store refuses to write; nothing where the address asks for nothing.
    pub(super) fn cure(&self) -> Option<String> {
        let method = self.method.as_ref()?.as_str();
        let asked = format!("the bucket's address asks for `sse={method}`");
        Some(match (&self.key, method) {
            (_, "AES256") => format!("{asked}: if the store does not know it, take `sse` out"),
            (Some(_), _) => format!(
                "{asked}: see that `kms_key_id` is an enabled key of the bucket's region, and that these credentials \
                 may use it (kms:GenerateDataKey, kms:Decrypt)"
            ),
            (None, _) => format!(
                "{asked}: see that these credentials may use the account's key for S3, or name another with \
                 `kms_key_id=…`"
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(options: &str) -> Result<Encryption, String> {
        let address = Address::parse("bucket", &format!("s3://mesh?{options}")).expect("an address");
        Encryption::of(&address).map_err(|error| error.to_string())
    }

    #[test]
    fn a_key_goes_with_a_key_service_and_nothing_else() {
        assert_eq!(of(""), Ok(Encryption::default()));
        let key = of("sse=aws:kms&kms_key_id=arn:aws:kms:eu-west-1:1:key/2").expect("fine");
        assert_eq!(
            (key.method, key.key.as_deref()),
            (Some(ServerSideEncryption::AwsKms), Some("arn:aws:kms:eu-west-1:1:key/2"))
        );
        assert!(of("sse=aws:kms:dsse").is_ok_and(|its| its.method == Some(ServerSideEncryption::AwsKmsDsse)));
        for (options, told) in
            [("kms_key_id=k", "`sse=aws:kms`"), ("sse=AES256&kms_key_id=k", "`sse=aws:kms`"), ("sse=kms", "`aws:kms`")]
        {
            let refused = of(options).expect_err("refused");
            assert!(refused.contains(told), "{options}: {refused}");
        }
    }
}
