//! A connection's bytes, read many at a time. The driver asks for eight KiB at once: under a COPY that is a call to the
//! kernel for every fifty rows, and the server is woken for each.
use std::future::{Ready, ready};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, BufReader, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};

/// Bytes that are read at once.
const BITE: usize = 256 << 10;

/// `stream`, read in large bites.
pub(super) fn wide<S: AsyncRead>(stream: S) -> BufReader<S> {
    BufReader::with_capacity(BITE, stream)
}

/// Hands the connection on unencrypted, read in large bites. The driver lets nobody else come between itself and the
/// socket that it opens with its timeouts: so this stands where encryption would, under the negotiation that says
/// nothing to the server.
#[derive(Clone, Copy)]
pub(super) struct Plain;

/// A connection that the driver is handed where it expects an encrypted one, encrypted or not.
pub(super) struct Handed<C>(pub(super) C);

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> MakeTlsConnect<S> for Plain {
    type Stream = Handed<BufReader<S>>;
    type TlsConnect = Plain;
    type Error = io::Error;

    fn make_tls_connect(&mut self, _: &str) -> io::Result<Plain> {
        Ok(Plain)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> TlsConnect<S> for Plain {
    type Stream = Handed<BufReader<S>>;
    type Error = io::Error;
    type Future = Ready<io::Result<Self::Stream>>;

    fn connect(self, stream: S) -> Self::Future {
        ready(Ok(Handed(wide(stream))))
    }
}

impl<C: AsyncRead + AsyncWrite + Unpin> TlsStream for Handed<C> {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl<C: AsyncRead + Unpin> AsyncRead for Handed<C> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl<C: AsyncWrite + Unpin> AsyncWrite for Handed<C> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
