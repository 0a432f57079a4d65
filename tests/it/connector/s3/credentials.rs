//! Who asks: the profile of the address before anything else, and a sentence with a cure where nobody is found.
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;

use tempfile::TempDir;

use super::server::{Habits, serve};
use super::{in_child_where, open};
use crate::connector::told;

const CONFIG: &str = r#"
[profile mesh]
aws_access_key_id = carve-test
aws_secret_access_key = carve-test-secret

[profile program]
credential_process = echo '{"Version": 1, "AccessKeyId": "carve-test", "SecretAccessKey": "carve-test-secret"}'

[profile failing]
credential_process = echo not today >&2; exit 7

[profile bare]
region = eu-west-1

[profile ring]
role_arn = arn:aws:iam::1:role/ring
source_profile = gnir

[profile gnir]
role_arn = arn:aws:iam::1:role/gnir
source_profile = ring

[profile signed-in]
sso_start_url = https://mesh.example/start
sso_region = eu-west-1
sso_account_id = 123456789012
sso_role_name = publisher

[profile signed-out]
sso_start_url = https://other.example/start
sso_region = eu-west-1
sso_account_id = 123456789012
sso_role_name = publisher
"#;
/// Where AWS's tools keep the token of `signed-in`: the SHA-1 of its start address.
const TOKEN: &str = ".aws/sso/cache/547b26ce74f9eea26de5d0b020da6978e31bb5b4.json";

/// Runs a test of this file with the profiles above, without keys but `more`.
fn in_child_at(name: &str, home: &Path, more: &[(&str, &str)]) {
    let config = home.join("config");
    fs::write(&config, CONFIG).unwrap();
    let home = home.to_str().unwrap();
    let mut variables = vec![
        ("AWS_CONFIG_FILE", config.to_str().unwrap()),
        ("AWS_SHARED_CREDENTIALS_FILE", "/nowhere/credentials"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("HOME", home),
    ];
    variables.extend(more);
    in_child_where(&format!("credentials::{name}"), &variables);
}

const OTHERS_KEYS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "somebody"), ("AWS_SECRET_ACCESS_KEY", "else")];

#[test]
fn the_profile_of_the_address_goes_before_keys_of_the_environment() {
    let home = TempDir::new().unwrap();
    in_child_at("child_profiles", home.path(), &OTHERS_KEYS);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "started by the_profile_of_the_address_goes_before_keys_of_the_environment"]
async fn child_profiles() {
    let folder = TempDir::new().unwrap();
    let url =
        format!("s3://mesh?path_style=true&region=eu-west-1&endpoint={}", serve(&folder, Habits::default()).await);
    let error = open(&url).await.probe().await.unwrap_err();
    assert!(told(&error).contains("403"), "the keys of the environment are somebody else's: {}", told(&error));
    for profile in ["mesh", "program"] {
        let probed = open(&format!("{url}&profile={profile}")).await.probe().await;
        assert_eq!(probed.map_err(|error| told(&error)), Ok(Vec::new()), "{profile}");
    }
    for (profile, cure) in [
        ("nope", "the AWS profile `nope` is not defined"),
        ("bare", "the AWS profile `bare`, which the bucket's address names"),
        ("ring", "infinite loop"),
        ("failing", "not today"),
        ("signed-out", "aws sso login"),
    ] {
        let error = open(&format!("{url}&profile={profile}")).await.probe().await.unwrap_err();
        let text = told(&error);
        assert!(!error.may_pass() && text.contains(cure), "{profile}: {text}");
        assert!(text.len() < 500 && !text.contains("Attempted") && !text.contains("cargo"), "{profile}: {text}");
    }
}

#[test]
fn a_profile_of_the_environment_that_is_not_defined_is_named() {
    let home = TempDir::new().unwrap();
    in_child_at("child_undefined", home.path(), &[("AWS_PROFILE", "nope")]);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "started by a_profile_of_the_environment_that_is_not_defined_is_named"]
async fn child_undefined() {
    let folder = TempDir::new().unwrap();
    let url =
        format!("s3://mesh?path_style=true&region=eu-west-1&endpoint={}", serve(&folder, Habits::default()).await);
    let error = open(&url).await.probe().await.unwrap_err();
    assert!(!error.may_pass() && told(&error).contains("`nope` is not defined"), "{}", told(&error));
}

#[test]
fn without_any_profile_the_one_that_is_asked_for_is_named() {
    let variables = [
        ("AWS_CONFIG_FILE", "/nowhere/config"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/nowhere/credentials"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_PROFILE", "of-variable"),
    ];
    in_child_where("credentials::child_no_profile", &variables);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "started by without_any_profile_the_one_that_is_asked_for_is_named"]
async fn child_no_profile() {
    let url = "s3://mesh?region=eu-west-1&endpoint=http://127.0.0.1:9";
    for (options, named) in [("", "AWS_PROFILE is `of-variable`"), ("&profile=of-address", "AWS profile `of-address`")]
    {
        let error = open(&format!("{url}{options}")).await.probe().await.unwrap_err();
        assert!(!error.may_pass() && told(&error).contains(named), "{options}: {}", told(&error));
    }
}

#[test]
fn who_is_signed_in_by_sso_is_known_to_the_store() {
    let home = TempDir::new().unwrap();
    let token = home.path().join(TOKEN);
    fs::create_dir_all(token.parent().unwrap()).unwrap();
    fs::write(token, r#"{"accessToken": "planted-sso-token", "expiresAt": "2099-01-01T00:00:00Z"}"#).unwrap();
    let portal = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = format!("http://{}", portal.local_addr().unwrap());
    std::thread::spawn(move || portal.incoming().flatten().for_each(|socket| hand_out(&socket)));
    in_child_at("child_signed_in", home.path(), &[("AWS_ENDPOINT_URL_SSO", &address)]);
}

/// Gives the right keys to who brings the token.
fn hand_out(mut socket: &std::net::TcpStream) {
    let head: Vec<String> =
        BufReader::new(socket).lines().map_while(Result::ok).take_while(|l| !l.is_empty()).collect();
    let known = head.iter().any(|line| line.ends_with("planted-sso-token"))
        && head[0].contains("role_name=publisher")
        && head[0].contains("account_id=123456789012");
    let (status, body) = match known {
        true => (
            200,
            r#"{"roleCredentials": {"accessKeyId": "carve-test", "secretAccessKey": "carve-test-secret", "expiration": 4070908800000}}"#,
        ),
        false => (401, r#"{"message": "who?"}"#),
    };
    let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
    socket.write_all(answer.as_bytes()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "started by who_is_signed_in_by_sso_is_known_to_the_store"]
async fn child_signed_in() {
    let folder = TempDir::new().unwrap();
    let endpoint = serve(&folder, Habits::default()).await;
    let bucket =
        open(&format!("s3://mesh?path_style=true&region=eu-west-1&profile=signed-in&endpoint={endpoint}")).await;
    assert_eq!(bucket.probe().await.map_err(|error| told(&error)), Ok(Vec::new()));
}
