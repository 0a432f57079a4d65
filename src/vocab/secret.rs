//! Secrets in source text: the one door that text passes before carve shows it or writes it down.
use std::{borrow::Cow, ops::Range, sync::LazyLock};

use regex::Regex;

/// Names of keys whose values are secrets; whatever stands before them in the same word belongs to the key.
const KEY: &str = r"(?:[\w.$-]*(?:password|passwd|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key(?:[_-]?id)?|aws[_-]?key[_-]?id|account[_-]?key|private[_-]?key|master[_-]?key|secret[_-]?key|shared[_-]?key)|\b(?:[\w.$-]*[_.-])?pass)";

static PATTERNS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let quoted = r#"(?:''([^'\r\n]+)''|\\+["']((?:[^"'\\])*)\\+["']|'((?:[^'\\]|\\.|'')*)'|"((?:[^"\\]|\\.)*)")"#;
    let patterns = [
        // scheme://user:SECRET@host, and Oracle's user/SECRET@host.
        r#"[A-Za-z][A-Za-z0-9+.-]*://[^\s:/@'"<>]*:([^\s'"<>]+)@"#.to_owned(),
        r#"jdbc:oracle:\w+:[^\s/'"]+/([^\s@'"]+)@"#.to_owned(),
        // password 'SECRET', password = "SECRET", "password": "SECRET", ("password", "SECRET"), identified by 'SECRET'
        format!(
            r#"(?is)(?:{KEY}|\bidentified\s+(?:with\s+\S+\s+)?by)(?:\\*["'`\]]?\s*(?:=>|:=|==|=|:|,|\bas\b|\bto\b)\s*|\s+)[ENBRUenbru]?{quoted}"#
        ),
        // password=SECRET up to a blank, and password: SECRET up to the end of the line.
        format!(r#"(?i){KEY}["'`\]]?\s*(?:=>|:=|=)[ \t]*([^\s'"`;&]+)"#),
        format!(r#"(?i){KEY}["'`\]]?:([^\s:'"`;&,]+)"#),
        format!(r#"(?im)(?:^|[{{,])[ \t]*(?:[-+][ \t]+)*["'`]?{KEY}["'`]?[ \t]*:[ \t]+([^\s'"|>][^\r\n]*)"#),
        format!(r#"(?i){KEY}["'`]?[ \t]*:[ \t]*[|>][-+0-9]*[ \t]*\r?\n[ \t]+([^\r\n]+)"#),
        // --password SECRET
        format!(r#"(?i)(?:^|\s)--?{KEY}[ \t]+([^\s'"-][^\s'"]*)"#),
        // mysql -pSECRET, over continued lines too; .LOGON host/user,SECRET
        r#"\b(?:mysql\w*|mariadb\S*)\b(?:[^\r\n|;]|\\\r?\n)*?\s-p['"]?([^\s'"]+)"#.to_owned(),
        r"(?im)^[ \t]*\.logon\s+[^\s,]+,[ \t]*([^\s;]+)".to_owned(),
        // Functions and engines that take them by place: mysql('host', 'db', 'table', 'user', 'SECRET'), s3(url, 'KEY', 'SECRET').
        r"(?i)\b(?:mysql|postgresql|mongodb)\s*\(\s*(?:'[^']*'\s*,\s*){4}'([^']+)'".to_owned(),
        r"(?i)\bremote(?:secure)?\s*\(\s*'[^']*'\s*,\s*[^\s',]+\s*,\s*'[^']*'\s*,\s*'([^']+)'".to_owned(),
        r"(?i)\bs3\w*\s*\(\s*(?:\w+\s*,\s*)?'[^']*'\s*,\s*'([^'\s]+)'\s*,\s*'[^'\s]+'".to_owned(),
        r"(?i)\bs3\w*\s*\(\s*(?:\w+\s*,\s*)?'[^']*'\s*,\s*'[^'\s]+'\s*,\s*'([^'\s]+)'".to_owned(),
        // Forms that are secrets wherever they stand.
        r"\b((?:AKIA|ASIA)[A-Z0-9]{16})\b".to_owned(),
        r"\b(AIza[\w-]{35}|gh[pousr]_\w{36,}|xox[abeprs]-[\w-]{10,}|sk_live_\w{16,})".to_owned(),
        r"\b(eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*)".to_owned(),
        r"(?i)\bbearer\s+([\w.~+/=-]{16,})".to_owned(),
        r#"(?i)\b(?:sig|x-amz-signature)=([^\s&'"]+)"#.to_owned(),
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----([\s\S]*?)-----END".to_owned(),
    ];
    let compiled = patterns.iter().map(|pattern| Regex::new(pattern));
    compiled.collect::<Result<_, _>>().expect("the patterns are written here and tests run them")
});

/// `text` with every secret in it covered by stars, byte for byte: lines, columns and spans stay true.
///
/// What counts as one is judged by its form (the password of an address, the value of a key called `password`, the
/// keys that clouds give out); a name of a variable that stands for a secret is none.
pub fn masked(text: &str) -> Cow<'_, str> {
    let secrets = secrets(text);
    if secrets.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut bytes = text.as_bytes().to_vec();
    for byte in secrets.into_iter().flat_map(|range| range.into_iter()) {
        if !matches!(bytes[byte], b'\n' | b'\r') {
            bytes[byte] = b'*';
        }
    }
    Cow::Owned(String::from_utf8(bytes).expect("whole characters are covered"))
}

/// Whether [`masked`] would change it.
pub fn holds_secret(text: &str) -> bool {
    !secrets(text).is_empty()
}

/// Every text inside `value`, masked; its keys, numbers and shape stay.
pub fn masked_json(value: serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::String(text) => Value::String(masked(&text).into_owned()),
        Value::Array(items) => Value::Array(items.into_iter().map(masked_json).collect()),
        Value::Object(fields) => Value::Object(fields.into_iter().map(|(key, its)| (key, masked_json(its))).collect()),
        other => other,
    }
}

fn secrets(text: &str) -> Vec<Range<usize>> {
    // Most texts have none of these words, and are done with at once.
    static HINT: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"(?i)mysql|mariadb|\.logon|postgresql|mongodb|remote|s3|pass|pwd|secret|token|key|://|bearer|identified|jdbc:|sig|A[KS]IA|AIza|gh[pousr]_|xox|eyJ|sk_live",
        )
        .expect("the pattern is written here and tests run it")
    });
    if !HINT.is_match(text) {
        return Vec::new();
    }
    let of = |pattern: &Regex| -> Vec<Range<usize>> {
        let own_words = |found: &regex::Captures<'_>| found.get(0).is_some_and(|whole| is_fault(text, whole.range()));
        let found = pattern.captures_iter(text).filter(|found| !own_words(found));
        let found = found.filter_map(|found| found.iter().skip(1).flatten().next());
        found.filter(|secret| !stands_for_one(secret.as_str())).map(|secret| secret.range()).collect()
    };
    PATTERNS.iter().flat_map(of).collect()
}

/// Whether what was found is what a parser says of a text: `unexpected token 'from'`.
fn is_fault(text: &str, found: Range<usize>) -> bool {
    let words = |text: &str, end: &[&str]| end.iter().any(|word| text.to_ascii_lowercase().ends_with(word));
    // Why a cloud's library found no credentials: the name of its own way to look for them, and no key.
    if text[found.start..].trim_start().starts_with("WebIdentityToken: the credential provider was not enabled") {
        return true;
    }
    // The last word of a line of source or of a fault, and behind it carve's own advice.
    let last = text[found.clone()].rsplit('\n').next().unwrap_or_default();
    if last.len() < found.len() && matches!(last.trim(), "= help:" | "= note:") {
        return true;
    }
    let is_token = text[found.clone()].trim_start().get(..5).is_some_and(|word| word.eq_ignore_ascii_case("token"));
    // `mysql -p$DB_PASSWORD shop`: the variable is the password, and the word behind it none.
    if text[found.clone()].trim_start().starts_with("-p$") {
        return true;
    }
    is_token && words(text[..found.start].trim_end(), &["unexpected", "expected", "unknown", "start any"])
}

/// Whether a parameter of this name holds a secret: `db_password`, `api-token`.
pub fn names_secret(name: &str) -> bool {
    static NAME: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(&format!("(?i)^{KEY}$")).expect("the pattern is written here and tests run it"));
    NAME.is_match(name)
}

/// Variables, templates, calls, and words that are no password; and what is covered already.
fn stands_for_one(value: &str) -> bool {
    static VARIABLE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)^(?:\$\{[^}]*\}|\$\d+|\{\{.*\}\}|\{\w*\}|%\(\w+\)s|%s|<[^>]*>|:\w+|@\w+|\?|null|none|true|false|yes|no|~|…+|\.{3,}|\**)$")
            .expect("the pattern is written here and tests run it")
    });
    let whole = value.trim();
    // A value in a YAML map on one line brings what follows it.
    let value = whole.trim_end_matches([',', '}', ']', ')']).trim();
    let shell = |name: &str| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_' || b.is_ascii_digit())
    };
    value.is_empty()
        || VARIABLE.is_match(whole)
        || VARIABLE.is_match(value)
        || value.strip_prefix('$').is_some_and(shell)
        // carve's own ways to say where a secret is.
        || value.strip_prefix("env:").is_some_and(shell)
        || value.strip_prefix("file:").is_some_and(|path| path == "PATH" || path.contains('/'))
        || value.starts_with("{{")
        || value.starts_with(['(', '[', '*'])
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "hunter2-SECRET";

    #[test]
    fn the_name_of_a_variable_is_no_secret() {
        for text in [
            "https://api.example/?token=env:SHOP_TOKEN",
            "say `token=env:NAME`, or",
            "`?password=file:PATH` or ~/.pgpass",
            "?password=file:/run/secrets/db&x=1",
        ] {
            assert_eq!(masked(text), text);
        }
        assert!(holds_secret("token=env:hunter2"));
    }

    #[test]
    fn a_secret_is_covered_wherever_people_write_it() {
        for text in [
            "select * from dblink('host=db user=u password=hunter2-SECRET dbname=x', 'select 1')",
            "select dblink_connect('host=db password=''hunter2-SECRET'' ')",
            "CREATE USER MAPPING FOR u SERVER s OPTIONS (user 'u', password 'hunter2-SECRET')",
            "create user u identified by 'hunter2-SECRET'; alter role u with encrypted password 'hunter2-SECRET'",
            "create user u identified with mysql_native_password by 'hunter2-SECRET'",
            "url: postgres://u:hunter2-SECRET@host:5432/db",
            "url: \"postgresql+psycopg2://u:p@ss/hunter2-SECRET@host/db\"",
            "jdbc:oracle:thin:scott/hunter2-SECRET@//db:1521/x",
            "jdbc:sqlserver://h;user=u;password=hunter2-SECRET;encrypt=true",
            "copy t from 's3://b' credentials 'aws_access_key_id=AKIAABCDEFGHIJKLMNOP;aws_secret_access_key=hunter2-SECRET'",
            "copy t from 's3://b' access_key_id 'x' secret_access_key 'hunter2-SECRET' session_token 'hunter2-SECRET'",
            "create stage s credentials = (AWS_KEY_ID='x' AWS_SECRET_KEY = 'hunter2-SECRET')",
            "      password: hunter2-SECRET   # the old one\n",
            "      pass: hunter2-SECRET\n",
            "- password: two words hunter2-SECRET\r\n",
            "db: { user: u, password: hunter2-SECRET, host: h }",
            "password: |-\n  hunter2-SECRET\n",
            "  WebIdentityToken: hunter2-SECRET\n",
            "WebIdentityToken: the credential provider was hunter2-SECRET",
            "WebIdentityToken: the credential provider was not enabled: password=hunter2-SECRET",
            "{\"client_secret\": \"hunter2-SECRET\"}",
            "sql: \"select 1 -- {\\\"token\\\": \\\"hunter2-SECRET\\\"}\"",
            ".option(\"password\", \"hunter2-SECRET\")",
            "sqoop import --username u --password hunter2-SECRET --table t",
            "export PGPASSWORD=hunter2-SECRET",
            "Authorization: Bearer hunter2-SECRETxxxxxx",
            "mysql -h db -u etl -phunter2-SECRET shop < x.sql",
            "mysqldump --single-transaction \\\n  -u etl -p'hunter2-SECRET' shop",
            ".LOGON tdprod/etl,hunter2-SECRET;",
            "select * from mysql('h:3306', 'db', 't', 'user', 'hunter2-SECRET')",
            "create table x (a Int32) engine = PostgreSQL('h:5432', 'db', 't', 'user', 'hunter2-SECRET')",
            "select * from remote('h', db.t, 'user', 'hunter2-SECRET')",
            "select * from s3('https://b.example/x.csv', 'AK', 'hunter2-SECRET', 'CSV')",
            "select * from s3('https://b.example/x.csv', 'hunter2-SECRET', 'other')",
            "-----BEGIN RSA PRIVATE KEY-----\nhunter2-SECRET\n-----END RSA PRIVATE KEY-----",
        ] {
            let covered = masked(text);
            assert!(!covered.contains("-SECRET"), "{covered}");
            assert_eq!(covered.len(), text.len());
            assert_eq!(covered.matches('\n').count(), text.matches('\n').count());
            assert_eq!(masked(&covered), covered, "covering twice changes nothing");
        }
        assert!(!masked("AKIAABCDEFGHIJKLMNOP").contains("AKIA"));
    }

    #[test]
    fn what_is_no_secret_stays() {
        for text in [
            "select token::text, t.password from users",
            "password: ${DB_PASSWORD}",
            "TOKEN=…  # the access_token of that answer",
            "{\"password\": \"…\", \"provider\": \"db\"}",
            "password: \"{{ env_var('DBT_PASSWORD') }}\"",
            "url: postgres://reader@db/shop",
            "select count(*) as tokens from t where max_tokens > 5",
            "Attempted:\n  WebIdentityToken: the credential provider was not enabled: no variables set\n  EcsContainer: no",
            "unexpected token: `from` at line 3",
            "found character that cannot start any token\n  |\n  = help: mend the file",
            "found character that cannot start any token\n  = help: mend the file",
            "4 | the last word is token\n   = help: mend the file",
            "unexpected token 'from' at line 3, help: quote the name",
            "Unexpected token: help: write `a`",
            "mysql -h db -P 3306 -u etl -p$DB_PASSWORD shop",
            "select * from s3('https://b.example/x.csv', 'CSV', 'a Int32, b String')",
            "https://example.org/path?x=1",
            "export PGPASSWORD=$DB_PASSWORD",
            "from raw.orders as o -- the secret of orders",
            "curl -H \"Authorization: Bearer $TOKEN\" \\\n  \"$URL/refresh\" -H \"Authorization: Bearer $TOKEN\"",
        ] {
            assert_eq!(masked(text), text);
        }
    }

    #[test]
    fn texts_of_an_answer_are_covered_and_its_shape_stays() {
        let value = serde_json::json!({"password": 5, "a": ["password=hunter2"], "b": {"c": "x"}});
        let expected = serde_json::json!({"password": 5, "a": ["password=*******"], "b": {"c": "x"}});
        assert_eq!(masked_json(value), expected);
        assert!(holds_secret(&format!("password={SECRET}")));
    }

    #[test]
    fn a_name_says_that_its_value_is_a_secret() {
        assert!(
            ["password", "DB_PASSWORD", "api_token", "client-secret", "pass"].iter().all(|name| names_secret(name))
        );
        assert!(["schema", "day", "tokens", "passenger", "token_count"].iter().all(|name| !names_secret(name)));
    }

    #[test]
    fn characters_of_many_bytes_are_covered_whole() {
        assert_eq!(masked("password=pässwörd x"), format!("password={} x", "*".repeat("pässwörd".len())));
    }
}
