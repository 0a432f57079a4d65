//! Whose word is taken for a server's name: the authorities a file names, else those the system trusts.
use camino::Utf8Path;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::connector::ConnectorError;

/// The certificates to trust for the server of `shown`: at least one, each of them readable.
pub(super) fn certificates(
    shown: &str,
    file: Option<&Utf8Path>,
) -> Result<Vec<CertificateDer<'static>>, ConnectorError> {
    let refuse =
        |why: String| ConnectorError::Refused { doing: format!("trust the server of `{shown}`"), source: why.into() };
    let mut certificates = Vec::new();
    match file {
        Some(path) => {
            let unreadable = |error: &dyn std::fmt::Display| refuse(format!("cannot read `{path}`: {error}"));
            for certificate in CertificateDer::pem_file_iter(path).map_err(|e| unreadable(&e))? {
                let certificate = certificate.map_err(|e| unreadable(&e))?;
                RootCertStore::empty().add(certificate.clone()).map_err(|e| unreadable(&e))?;
                certificates.push(certificate);
            }
        }
        // The system may hold some that nothing here can read: the others are as good as before.
        None => certificates.extend(rustls_native_certs::load_native_certs().certs.into_iter().filter(is_readable)),
    }
    match certificates.is_empty() {
        true => Err(refuse("no certificates to trust were found: name a file of them with `?sslrootcert=PATH`".into())),
        false => Ok(certificates),
    }
}

/// TLS that takes nobody's word but that of `certificates`.
#[cfg(any(feature = "http", feature = "postgres"))]
pub(super) fn encryption(
    shown: &str,
    certificates: Vec<CertificateDer<'static>>,
) -> Result<rustls::ClientConfig, ConnectorError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(certificates);
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(|error| ConnectorError::Refused {
        doing: format!("encrypt the connection to `{shown}`"),
        source: error.into(),
    })?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

/// What to do where an error says that the server's certificate was not taken; `None` where it says something else.
pub(super) fn cure(why: &str) -> Option<&'static str> {
    let refused = why.contains("invalid peer certificate");
    refused.then_some(match why.contains("not valid for name") {
        true => "the certificate is for another name: correct the host in the address",
        false => "name a file of the certificates to trust with `sslrootcert=PATH`, or mend the server's",
    })
}

/// `why` with what to do where it speaks of the server's certificate.
#[cfg(any(feature = "mysql", feature = "postgres"))]
pub(super) fn advised(why: String) -> String {
    match cure(&why) {
        Some(cure) => format!("{why}: {cure}"),
        None => why,
    }
}

fn is_readable(certificate: &CertificateDer<'static>) -> bool {
    RootCertStore::empty().add(certificate.clone()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_that_is_not_taken_has_a_cure_and_other_troubles_have_none() {
        let told = |error: rustls::CertificateError| rustls::Error::from(error).to_string();
        let other_name = rustls::CertificateError::NotValidForNameContext {
            expected: rustls::pki_types::ServerName::try_from("db.example").expect("a name"),
            presented: vec!["DnsName(\"localhost\")".to_owned()],
        };
        assert!(cure(&told(other_name)).is_some_and(|cure| cure.contains("correct the host")));
        assert!(cure(&told(rustls::CertificateError::UnknownIssuer)).is_some_and(|cure| cure.contains("sslrootcert")));
        assert_eq!(cure("connection refused"), None);
    }
}
