//! Addresses without what only their owner should know: the one door that they pass before a name is made of them.
use std::borrow::Cow;

/// Schemes in which a user before the host is a place: `abfss://container@account/…`.
const PLACE_BEFORE_HOST: &[&str] = &["abfs", "abfss", "wasb", "wasbs"];

/// `text` without user, password, query and options where it is an address: `jdbc:postgresql://u:p@h:5432/crm?ssl=true`
/// is `jdbc:postgresql://h:5432/crm`. Anything else stays, a glob of files with its `?` too.
pub fn plain_address(text: &str) -> Cow<'_, str> {
    let oracle = text.get(..12).is_some_and(|head| head.eq_ignore_ascii_case("jdbc:oracle:"));
    if let Some((_, host)) = text.rsplit_once('@').filter(|_| oracle) {
        return Cow::Owned(format!("jdbc:oracle:{}", without_options(host.trim_start_matches('/'))));
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        let jdbc = text.get(..5).is_some_and(|head| head.eq_ignore_ascii_case("jdbc:"));
        return if jdbc { Cow::Borrowed(without_options(text)) } else { Cow::Borrowed(text) };
    };
    let place = PLACE_BEFORE_HOST.iter().any(|one| scheme.eq_ignore_ascii_case(one));
    let head = without_options(rest);
    // An `@` among the options ends no user: it may stand in a password given there.
    let user = if place || (!head.contains('@') && is_host(head)) { 0 } else { user_end(rest) };
    let plain = without_options(&rest[user..]);
    match plain.len() == rest.len() {
        true => Cow::Borrowed(text),
        false => Cow::Owned(format!("{scheme}://{plain}")),
    }
}

/// How many bytes of `rest` are user and password, with the `@` behind them.
fn user_end(rest: &str) -> usize {
    let host = rest.find('/').unwrap_or(rest.len());
    if let Some((before, _)) = rest[..host].rsplit_once('@') {
        // A password may hold `@` and `/` itself: where one is given, the last `@` ends it.
        let whole = before.contains(':').then(|| rest.rfind('@')).flatten();
        return whole.unwrap_or(before.len()) + 1;
    }
    rest.rfind('@').filter(|_| !is_host(rest)).map_or(0, |at| at + 1)
}

/// Whether `rest` begins with a host, with or without a port, rather than with a user and a password.
fn is_host(rest: &str) -> bool {
    let begin = rest.split('/').next().unwrap_or_default();
    begin.split_once(':').is_none_or(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Up to the first `?`, `;` or `#` after which `key=value` stands.
fn without_options(text: &str) -> &str {
    let is_option = |at: &usize| {
        let rest = &text[at + 1..];
        let key = rest.split(['/', '?', ';', '&', '#']).next().unwrap_or_default();
        key.contains('=')
    };
    let mut ends = text.match_indices(['?', ';', '#']).map(|(at, _)| at);
    ends.find(is_option).map_or(text, |at| &text[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_password_and_options_are_no_part_of_a_name() {
        for (text, plain) in [
            ("jdbc:postgresql://etl:Hunter2pass@dbhost:5432/crm", "jdbc:postgresql://dbhost:5432/crm"),
            ("mongodb://u:p@h/db?ssl=true", "mongodb://h/db"),
            ("https://u:p@h/x.csv", "https://h/x.csv"),
            ("https://token@h/x.csv", "https://h/x.csv"),
            ("postgres://u:p@ss/hunter2@h/db", "postgres://h/db"),
            ("postgres://u:ss/hunter2@h/db", "postgres://h/db"),
            ("jdbc:sqlserver://h:1433;user=u;password=p", "jdbc:sqlserver://h:1433"),
            ("jdbc:sqlserver://h:1433;user=u;password=a@hunter2", "jdbc:sqlserver://h:1433"),
            ("postgres://u:p?a=hunter2@h/db", "postgres://h/db"),
            ("jdbc:oracle:thin:scott/tiger@//db:1521/x", "jdbc:oracle:db:1521/x"),
            ("https://h/x.csv?sig=abc&se=1", "https://h/x.csv"),
            ("s3n://AK:SK@bucket/x", "s3n://bucket/x"),
        ] {
            assert_eq!(plain_address(text), plain);
            assert_eq!(plain_address(plain), plain, "once is enough");
        }
    }

    #[test]
    fn what_is_no_secret_stays() {
        for text in [
            "s3://b/part-?.csv",
            "abfss://raw@account.dfs/x",
            "https://h:8080/x@y/z",
            "s3://b/year=2024/x",
            "raw.orders",
            "file:/x;y.csv",
            "order_db:orders",
        ] {
            assert_eq!(plain_address(text), text);
        }
    }
}
