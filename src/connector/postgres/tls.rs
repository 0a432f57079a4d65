//! Encryption: rustls with the system's certificates, or with those the address names.
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, BufReader};
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::stream::{Handed, wide};
use super::target::Target;
use crate::connector::{ConnectorError, trust};

/// What tokio-postgres asks for an encrypted connection.
#[derive(Clone)]
pub(super) struct Tls(Arc<ClientConfig>);

impl Tls {
    /// Trusts the certificates that `target` names, else the system's.
    pub(super) fn of(target: &Target) -> Result<Self, ConnectorError> {
        let certificates = trust::certificates(&target.shown, target.root_certificates.as_deref())?;
        Ok(Tls(Arc::new(trust::encryption(&target.shown, certificates)?)))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> MakeTlsConnect<S> for Tls {
    type Stream = Encrypted<S>;
    type TlsConnect = Handshake;
    type Error = rustls::pki_types::InvalidDnsNameError;

    fn make_tls_connect(&mut self, domain: &str) -> Result<Handshake, Self::Error> {
        Ok(Handshake { connector: TlsConnector::from(self.0.clone()), name: ServerName::try_from(domain.to_owned())? })
    }
}

/// An encrypted connection.
type Encrypted<S> = Handed<TlsStream<BufReader<S>>>;

/// One connection's handshake to come.
pub(super) struct Handshake {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> TlsConnect<S> for Handshake {
    type Stream = Encrypted<S>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Encrypted<S>>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        Box::pin(async move { self.connector.connect(self.name, wide(stream)).await.map(Handed) })
    }
}
