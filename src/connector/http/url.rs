//! Places on a server, and how one leads to another.

/// `https://api.example.com/v1/orders?page=2`, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Url {
    /// Whether the connection is encrypted.
    pub(super) secure: bool,
    /// Host and port in lower case, without the port that the scheme has by itself.
    pub(super) authority: String,
    /// Begins with a slash.
    pub(super) path: String,
    /// What stands after `?`.
    pub(super) query: String,
}

impl Url {
    /// Takes `text` apart.
    ///
    /// # Errors
    /// What is wrong with it; the text itself is not told, it may hold a secret.
    pub(super) fn parse(text: &str) -> Result<Url, String> {
        let (scheme, rest) = text.split_once("://").ok_or("it is no URL")?;
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err("only https and http are read".to_owned()),
        };
        let (authority, place) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err("a user or password stands in it".to_owned());
        }
        let authority = authority.to_ascii_lowercase();
        let own_port = if secure { ":443" } else { ":80" };
        let authority = authority.strip_suffix(own_port).unwrap_or(&authority).to_owned();
        let (path, query) = split(place);
        let path = if path.is_empty() { "/" } else { path };
        match authority.is_empty() {
            true => Err("it names no host".to_owned()),
            false => Ok(Url { secure, authority, path: path.to_owned(), query: query.to_owned() }),
        }
    }

    /// Where `reference`, found in an answer from here, leads.
    pub(super) fn join(&self, reference: &str) -> Result<Url, String> {
        let reference = reference.trim();
        if reference.contains("://") && reference.find("://") < reference.find(['/', '?', '#']) {
            return Url::parse(reference);
        }
        if let Some(elsewhere) = reference.strip_prefix("//") {
            return Url::parse(&format!("{}://{elsewhere}", self.scheme()));
        }
        let (path, query) = split(reference);
        let folder = self.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let path = match path {
            "" => self.path.clone(),
            absolute if absolute.starts_with('/') => absolute.to_owned(),
            relative => format!("{folder}/{}", relative.trim_start_matches("./")),
        };
        Ok(Url { path, query: query.to_owned(), ..self.clone() })
    }

    /// Whether `other` is answered by the same server over the same kind of connection.
    pub(super) fn same_server(&self, other: &Url) -> bool {
        self.secure == other.secure && self.authority == other.authority
    }

    /// The same place with the parameter `name` as `value`, whatever it was.
    pub(super) fn with(&self, name: &str, value: &str) -> Url {
        let name = escaped(name);
        let others = self.query.split('&').filter(|pair| pair.split('=').next() != Some(&name) && !pair.is_empty());
        let own = format!("{name}={}", escaped(value));
        let query = others.chain([own.as_str()]).collect::<Vec<_>>().join("&");
        Url { query, ..self.clone() }
    }

    /// Whether the server is this machine.
    pub(super) fn is_loopback(&self) -> bool {
        let host = match self.authority.strip_prefix('[') {
            Some(bracketed) => bracketed.split(']').next().unwrap_or_default(),
            None => self.authority.split(':').next().unwrap_or_default(),
        };
        host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }

    /// All of it, as a request needs it.
    pub(super) fn text(&self) -> String {
        let mark = if self.query.is_empty() { "" } else { "?" };
        format!("{}://{}{}{mark}{}", self.scheme(), self.authority, self.path, self.query)
    }

    fn scheme(&self) -> &'static str {
        if self.secure { "https" } else { "http" }
    }
}

/// Path and query of what stands behind a host; a fragment is the reader's own affair.
fn split(place: &str) -> (&str, &str) {
    let place = place.split('#').next().unwrap_or_default();
    place.split_once('?').unwrap_or((place, ""))
}

/// `text` as it may stand in a path or query.
pub(super) fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(reference: &str) -> String {
        Url::parse("https://API.example:443/v1/orders?page=1").unwrap().join(reference).unwrap().text()
    }

    #[test]
    fn a_reference_leads_on_from_where_it_stands() {
        for (reference, place) in [
            ("https://api.example/v1/orders?page=2", "https://api.example/v1/orders?page=2"),
            ("/v2/x?a=b#top", "https://api.example/v2/x?a=b"),
            ("?page=2", "https://api.example/v1/orders?page=2"),
            ("more", "https://api.example/v1/more"),
            ("//other.example/x", "https://other.example/x"),
            ("/go?to=https://x/", "https://api.example/go?to=https://x/"),
        ] {
            assert_eq!(joined(reference), place, "{reference}");
        }
    }

    #[test]
    fn another_host_port_or_scheme_is_another_server() {
        let here = Url::parse("https://api.example/v1").unwrap();
        for (url, same) in [
            ("https://api.example:443/x", true),
            ("http://api.example/x", false),
            ("https://api.example:8443/x", false),
            ("https://api.example.evil.example/x", false),
        ] {
            assert_eq!(here.same_server(&Url::parse(url).unwrap()), same, "{url}");
        }
        assert!(Url::parse("https://me:secret@api.example/").is_err() && Url::parse("ftp://x/").is_err());
    }

    #[test]
    fn a_parameter_is_set_once_and_escaped() {
        let url = Url::parse("http://[::1]:80/x?page=1&a=b").unwrap();
        assert!(url.is_loopback() && Url::parse("http://localhost:8080").unwrap().is_loopback());
        assert!(!Url::parse("http://localhost.example").unwrap().is_loopback());
        assert_eq!(url.with("page", "a b&c").text(), "http://[::1]/x?a=b&page=a%20b%26c");
    }
}
