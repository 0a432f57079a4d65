//! How a server is reached: passwords by reference, certificates, and what is said when it is not.
use camino::Utf8Path;
use carve::connector::{open_lake, open_origin};

use super::{Database, password};
use crate::connector::{drained, told};

async fn probe(url: &str) -> Result<(), String> {
    let opened = open_origin("source:x", url, Utf8Path::new("/")).await;
    let probed = match opened {
        Ok(origin) => origin.probe().await,
        Err(error) => Err(error),
    };
    probed.map_err(|error| {
        let text = format!("{} {}", told(&error), error.cure().unwrap_or_default());
        assert!(!text.contains(&password()) && !text.contains("hunter2"), "{text}");
        text
    })
}

#[tokio::test]
async fn a_password_comes_by_reference_and_is_never_shown() {
    let Some(database) = Database::with("") else { return };
    let plain = database.url("").split('?').next().unwrap().to_owned();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    std::fs::write(&file, format!("{}\n", password())).unwrap();
    probe(&format!("{plain}?password=file:{}", file.display())).await.unwrap();
    std::fs::write(&file, "hunter2").unwrap();
    let error = probe(&format!("{plain}?password=file:{}", file.display())).await.unwrap_err();
    assert!(error.contains("password is wrong") && error.contains("docs/CONNECTIONS.md"), "{error}");
    let error = probe(&format!("{plain}?password=env:CARVE_TEST_NEVER_SET")).await.unwrap_err();
    assert!(error.contains("CARVE_TEST_NEVER_SET"), "{error}");
    let error = probe(&format!("{plain}?password={}", password())).await.unwrap_err();
    assert!(error.contains("never the password itself"), "{error}");
    let error = probe(&plain.replace("carve@", &format!("carve:{}@", password()))).await.unwrap_err();
    assert!(error.contains("a password stands in it"), "{error}");
    let error =
        probe("postgres://carve@127.0.0.1:9/nowhere?password=env:CARVE_TEST_POSTGRES_PASSWORD").await.unwrap_err();
    assert!(error.contains("127.0.0.1:9") && error.contains("refused"), "{error}");
    let error = probe(&database.url("").replace(&database.name, "absent")).await.unwrap_err();
    assert!(error.contains("correct the database's name"), "{error}");
}

#[tokio::test]
async fn an_encrypted_connection_wants_a_server_that_proves_its_name() {
    let Some(database) = Database::with("") else { return };
    let Ok(authority) = std::env::var("CARVE_TEST_POSTGRES_CA") else { return };
    let by_name = database.url("").replace("@127.0.0.1:", "@localhost:");
    let trusted = format!("{by_name}&sslrootcert={authority}");
    let lake = open_lake("lake", &trusted, Utf8Path::new("/")).await.unwrap();
    let (_, rows) = lake.query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").await.unwrap();
    assert_eq!(drained(rows).await.unwrap(), [[carve::vocab::Value::Boolean(true)]]);
    // Its certificate is for another name; and nobody the machine trusts has signed it.
    let error = probe(&format!("{}&sslrootcert={authority}", database.url(""))).await.unwrap_err();
    assert!(error.contains("certificate is for another name: correct the host"), "{error}");
    let error = probe(&format!("{by_name}&sslmode=verify-full")).await.unwrap_err();
    assert!(error.contains("certificate") && error.contains("`sslrootcert=PATH`"), "{error}");
}
