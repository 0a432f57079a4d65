//! Who asks: the profile of the address before anything else, and a sentence with a cure where nobody is found.
use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::server::{Habits, serve};
use super::{in_child_where, open};
use crate::connector::told;

const CONFIG: &str = r#"
[profile mesh]
aws_access_key_id = carve-test
aws_secret_access_key = carve-test-secret

[profile bare]
region = eu-west-1

[profile ring]
role_arn = arn:aws:iam::1:role/ring
source_profile = gnir

[profile gnir]
role_arn = arn:aws:iam::1:role/gnir
source_profile = ring
"#;

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
    for profile in ["mesh"] {
        let probed = open(&format!("{url}&profile={profile}")).await.probe().await;
        assert_eq!(probed.map_err(|error| told(&error)), Ok(Vec::new()), "{profile}");
    }
    for (profile, cure) in [
        ("nope", "the AWS profile `nope` is not defined"),
        ("bare", "take `profile` out of the address"),
        ("ring", "infinite loop"),
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
