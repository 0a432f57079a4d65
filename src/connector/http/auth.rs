//! Who asks: a token or a password that the address names the place of, never holds.
use camino::Utf8Path;

use crate::connector::{ConnectorError, address::Address, credentials::referenced};

/// The header that goes with every request, and only to the server of the address.
#[derive(Clone)]
pub(super) struct Auth {
    /// Its name.
    pub(super) header: String,
    /// Its value: a secret.
    pub(super) value: String,
    /// What must be covered wherever the server's words are shown.
    pub(super) secrets: Vec<String>,
}

impl Auth {
    /// By the options `token` and `header`, or `user` and `password`.
    pub(super) fn of(address: &Address, base: &Utf8Path) -> Result<Option<Auth>, ConnectorError> {
        let token = referenced(address, "token", base)?;
        let password = referenced(address, "password", base)?;
        let option = |name: &str| address.options.get(name).map(String::as_str);
        let auth = match (token, option("header"), option("user"), password) {
            (None, None, None, None) => return Ok(None),
            (Some(token), None, None, None) => Auth::new("Authorization", format!("Bearer {token}"), token),
            (Some(token), Some(header), None, None) => Auth::new(header, token.clone(), token),
            (None, None, Some(user), Some(password)) => {
                Auth::new("Authorization", format!("Basic {}", base64(&format!("{user}:{password}"))), password)
            }
            _ => {
                return Err(address.error(
                    "it takes `token=env:NAME`, with `header=X-Api-Key` where the API has a header of its own, or \
                     `user=NAME` with `password=env:NAME`",
                ));
            }
        };
        match auth.value.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            true => Ok(Some(auth)),
            false => Err(address.error("its token or password holds a character that no header may hold")),
        }
    }

    fn new(header: &str, value: String, secret: String) -> Auth {
        let sent = value.rsplit(' ').next().unwrap_or_default().to_owned();
        Auth { header: header.to_owned(), value, secrets: vec![sent, secret] }
    }
}

fn base64(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for three in text.as_bytes().chunks(3) {
        let bits = (0..3).fold(0_u32, |bits, at| bits << 8 | u32::from(three.get(at).copied().unwrap_or_default()));
        for at in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * at) & 63) as usize];
            out.push(if at > three.len() { '=' } else { char::from(digit) });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_rfc() {
        for (text, encoded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")] {
            assert_eq!(base64(text), encoded);
        }
        assert_eq!(base64("Aladdin:open sesame"), "QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    }

    #[test]
    fn a_secret_in_the_address_itself_is_refused_without_showing_it() {
        for url in
            ["https://a/?token=hunter2", "https://a/?user=me&password=hunter2", "https://a/?header=X&user=hunter2"]
        {
            let address = Address::parse("source:shop", url).unwrap();
            let text = Auth::of(&address, Utf8Path::new("/")).err().unwrap().to_string();
            assert!(!text.contains("hunter2") && text.contains("env:NAME"), "{text}");
        }
    }
}
