//! How a server is reached: passwords by reference, certificates, and what is said when it is not.
use camino::Utf8Path;
use carve::connector::open_origin;

use super::{Database, password};
use crate::connector::{all_rows, id, told};

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
    probe(&database.url("").replace("mysql://", "mariadb://")).await.unwrap();
    std::fs::write(&file, "hunter2").unwrap();
    let error = probe(&format!("{plain}?password=file:{}", file.display())).await.unwrap_err();
    assert!(error.contains("password is wrong") && error.contains("docs/CONNECTIONS.md"), "{error}");
    let error = probe(&format!("{plain}?password=env:CARVE_TEST_NEVER_SET")).await.unwrap_err();
    assert!(error.contains("CARVE_TEST_NEVER_SET"), "{error}");
    let error = probe(&format!("{plain}?password={}", password())).await.unwrap_err();
    assert!(error.contains("never the password itself"), "{error}");
    let error = probe(&plain.replace("carve@", &format!("carve:{}@", password()))).await.unwrap_err();
    assert!(error.contains("a password stands in it"), "{error}");
    let error = probe("mysql://carve@127.0.0.1:9/nowhere?password=env:CARVE_TEST_MYSQL_PASSWORD").await.unwrap_err();
    assert!(error.contains("127.0.0.1:9") && error.contains("refused"), "{error}");
    let error = probe(&database.url("").replace(&database.name, "absent")).await.unwrap_err();
    assert!(error.contains("correct the database's name"), "{error}");
}

#[tokio::test]
async fn an_encrypted_connection_wants_a_server_that_proves_its_name() {
    let Some(database) = Database::with("") else { return };
    let Ok(authority) = std::env::var("CARVE_TEST_MYSQL_CA") else { return };
    // Somebody who may only come in encrypted.
    let user = format!("tls_{}", database.name);
    database.sql(&format!(
        "CREATE USER {user} IDENTIFIED BY '{}' REQUIRE SSL; GRANT SELECT ON {}.* TO {user}",
        password(),
        database.name
    ));
    let by_name = database.url("").replace("@127.0.0.1:", "@localhost:").replace("//carve@", &format!("//{user}@"));
    probe(&format!("{by_name}&sslrootcert={authority}")).await.unwrap();
    let error = probe(&format!("{by_name}&sslmode=disable")).await.unwrap_err();
    assert!(error.contains("lets this user not in"), "{error}");
    // Its certificate is for another name; and nobody the machine trusts has signed it.
    let error = probe(&format!("{}&sslrootcert={authority}", database.url(""))).await.unwrap_err();
    assert!(error.contains("certificate is for another name: correct the host"), "{error}");
    let error = probe(&format!("{by_name}&sslmode=verify-full")).await.unwrap_err();
    assert!(error.contains("certificate") && error.contains("`sslrootcert=PATH`"), "{error}");
    database.sql(&format!("DROP USER {user}"));
}

#[tokio::test]
async fn a_user_without_the_right_to_read_is_told_so() {
    let Some(database) = Database::with("CREATE TABLE t (id int PRIMARY KEY, secret int); INSERT INTO t VALUES (1, 2)")
    else {
        return;
    };
    let user = format!("half_{}", database.name);
    database.sql(&format!(
        "CREATE USER {user} IDENTIFIED BY '{}'; GRANT SELECT (id) ON {}.t TO {user}",
        password(),
        database.name
    ));
    let url = database.url("").replace("//carve@", &format!("//{user}@"));
    let origin = open_origin("source:x", &url, Utf8Path::new("/")).await.unwrap();
    // A column that may not be read is not there for this user: the schema says so, nothing is half read.
    let schema = origin.describe(&id("t")).await.unwrap().schema;
    assert_eq!(schema.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>(), ["id"]);
    database.sql(&format!(
        "REVOKE SELECT (id) ON {}.t FROM {user}; GRANT INSERT ON {}.t TO {user}",
        database.name, database.name
    ));
    let error = told(&all_rows(&*origin, "t").await.unwrap_err());
    assert!(error.contains("lacks a right"), "{error}");
    database.sql(&format!("DROP USER {user}"));
}
