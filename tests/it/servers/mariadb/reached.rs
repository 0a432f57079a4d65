//! How a server is reached: passwords by reference, certificates, and what is said when it is not.
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use camino::Utf8Path;
use carve::connector::open_origin;

use super::{Database, password};
use crate::connector::{all_rows, drained, id, told};

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

/// A way to `server` on which nothing moves any more once `cut` is set: nothing is closed, and new connections hear nothing.
fn led(server: &str, cut: &Arc<AtomicBool>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (here, server, cut) = (listener.local_addr().unwrap().to_string(), server.to_owned(), cut.clone());
    let moved = |mut from: TcpStream, mut to: TcpStream, cut: Arc<AtomicBool>| {
        let mut buffer = [0; 4_096];
        while let Ok(read) = from.read(&mut buffer)
            && read > 0
        {
            while cut.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(20));
            }
            let _ = to.write_all(&buffer[..read]);
        }
        let _ = to.shutdown(std::net::Shutdown::Both);
    };
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let (Ok(socket), Ok(there)) = (socket, TcpStream::connect(&server)) else { continue };
            let (back, forth) = (socket.try_clone().unwrap(), there.try_clone().unwrap());
            let (one, other) = (cut.clone(), cut.clone());
            std::thread::spawn(move || moved(socket, there, one));
            std::thread::spawn(move || moved(forth, back, other));
        }
    });
    here
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_out_of_reach_is_waited_for_as_long_as_was_said_and_a_slow_one_to_its_end() {
    let rows = "CREATE TABLE t (id int PRIMARY KEY, note varchar(2000));
        INSERT INTO t SELECT seq, repeat('n', 2000) FROM seq_1_to_20000;
        CREATE VIEW slow AS SELECT id, sleep(0.9) AS waited FROM t WHERE id <= 3";
    let Some(database) = Database::with(rows) else { return };
    let url = database.url("&timeout_ms=1000");
    let server = url.split('@').nth(1).unwrap().split('/').next().unwrap().to_owned();
    let cut = Arc::new(AtomicBool::new(false));
    let url = url.replace(&server, &led(&server, &cut));
    let origin = open_origin("source:x", &url, Utf8Path::new("/")).await.unwrap();
    let schema = origin.describe(&id("slow")).await.unwrap().schema;
    let mut snapshot = origin.snapshot().await.unwrap();
    let answered = drained(snapshot.rows(&id("slow"), &schema).await.unwrap()).await.unwrap();
    assert_eq!(answered.len(), 3, "a server that works for long is no lost one");
    let schema = origin.describe(&id("t")).await.unwrap().schema;
    let mut stream = snapshot.rows(&id("t"), &schema).await.unwrap();
    stream.recv().await.unwrap().unwrap();
    cut.store(true, Ordering::Relaxed);
    let begun = Instant::now();
    let error = drained(stream).await.expect_err("the rest cannot come");
    assert!(error.may_pass() && told(&error).contains("no answer for 1 second"), "{}", told(&error));
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    let error = probe(&url).await.unwrap_err();
    assert!(error.contains("no answer"), "{error}");
    cut.store(false, Ordering::Relaxed);
    probe(&url).await.unwrap();
}
