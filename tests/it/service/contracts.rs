use carve::service::{Contract, ContractServer, Sla};
use pretty_assertions::assert_eq;

use super::publication::{contract, facts};

fn yaml() -> String {
    String::from_utf8(contract().to_yaml().unwrap()).unwrap()
}

fn refusal(yaml: &str) -> String {
    let error = Contract::from_yaml(yaml.as_bytes()).unwrap_err();
    let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
    format!("{error}{cause}")
}

#[test]
fn a_contract_reads_back_as_it_was_drafted() {
    let endpoints = contract().facts.endpoints;
    let mut drafts = vec![facts(endpoints.clone())];
    drafts.push(carve::service::ContractFacts {
        domain: None,
        owner: None,
        purpose: Some("null".into()),
        server: ContractServer { kind: "s3".into(), bucket: "s3://mesh/below/".into() },
        sla: Sla { schedule: Some("@daily".into()), ..Sla::default() },
        ..facts(endpoints)
    });
    for facts in drafts {
        let draft = Contract::draft(facts).unwrap();
        assert_eq!(Contract::from_yaml(&draft.to_yaml().unwrap()).unwrap(), draft);
    }
}

#[test]
fn keys_of_others_are_passed_over() {
    let own = contract();
    let more = format!("{}tags: [a]\nsupport: [{{channel: x, url: https://example.com}}]\n", yaml());
    assert_eq!(Contract::from_yaml(more.as_bytes()).unwrap(), own);
    let more =
        yaml().replace("apiVersion: v3.1.0", "apiVersion: v3.2.0").replace("required:", "unique: false\n    required:");
    assert_eq!(Contract::from_yaml(more.as_bytes()).unwrap(), own);
    let members = yaml().replace("team:\n  name: team-orders", "team:\n- username: ada\n  role: owner");
    assert_eq!(Contract::from_yaml(members.as_bytes()).unwrap().facts.owner, None);
}

#[test]
fn a_contract_without_what_the_format_needs_is_refused_by_name() {
    for (from, to, wanted) in [
        ("kind: DataContract", "kind: Pod", "the contract is a `Pod`"),
        ("apiVersion: v3.1.0", "apiVersion: v2.2.2", "of version `v2.2.2`"),
        (r#"version: "1.0.0""#, r#"version: "1.0""#, "bad `version`: `1.0` is no version"),
        ("version: \"1.0.0\"\n", "", "missing field `version`"),
        ("value: carve-service/1", "value: carve-service/2", "is of format `carve-service/2`"),
        ("property: fingerprint", "property: x", "lacks `fingerprint` of the endpoint `default`"),
        ("value: csv", "value: avro", "the part format `avro`"),
        ("name: default", "name: main", "has the manifest"),
        ("value: decimal", "value: money", "the unknown type `money` in the column `price`"),
        (
            "property: carveType\n      value: decimal",
            "property: x\n      value: y",
            "lacks `carveType` of the column `price`",
        ),
        (r#"contractCreatedTs: "2026-01-02T03:04:05Z""#, "contractCreatedTs: yesterday", "bad `contractCreatedTs`"),
        ("/orders/{model}/", "/{model}/", "names no server of type s3 or local below `/data-services/orders/`"),
        ("kind: DataContract", "kind: [", "cannot read the contract: "),
    ] {
        let changed = yaml().replace(from, to);
        assert_ne!(changed, yaml(), "{from}");
        let told = refusal(&changed);
        assert!(told.contains(wanted), "{told:?} lacks {wanted:?}");
    }
    assert!(Contract::from_yaml(b"\xff\xfe").is_err() && Contract::from_yaml(b"").is_err());
}

#[test]
fn facts_that_contradict_the_format_make_no_contract() {
    let [first, second, ..] = &contract().facts.endpoints[..] else { panic!("three endpoints") };
    let draft = |endpoints: &[&carve::service::ContractEndpoint]| {
        Contract::draft(facts(endpoints.iter().map(|it| (*it).clone()).collect()))
    };
    assert!(draft(&[first, second]).is_ok());
    assert!(draft(&[second]).unwrap_err().to_string().contains("no endpoint `default`"));
    assert!(draft(&[first, first]).unwrap_err().to_string().contains("`default` twice"));
    let mut reserved = second.clone();
    reserved.endpoint = "schemata".parse().unwrap();
    assert!(draft(&[first, &reserved]).unwrap_err().to_string().contains("`schemata`"));
    let mut bare = first.clone();
    bare.schema.columns.clear();
    assert!(draft(&[&bare]).unwrap_err().to_string().contains("no columns"));
}

#[test]
fn texts_that_yaml_readers_take_for_something_else_are_quoted() {
    for text in [
        "on",
        "no",
        "Y",
        "null",
        "1:30",
        "2024-01-01",
        "1_000",
        "1.0",
        "=",
        "a: b",
        "a #b",
        " a",
        "é",
        "a\nb\u{85}\"\\",
    ] {
        let endpoints = contract().facts.endpoints;
        let draft =
            Contract::draft(carve::service::ContractFacts { owner: Some(text.into()), ..facts(endpoints) }).unwrap();
        let yaml = draft.to_yaml().unwrap();
        assert_eq!(Contract::from_yaml(&yaml).unwrap().facts.owner.as_deref(), Some(text));
        assert!(String::from_utf8(yaml).unwrap().contains("team:\n  name: \""), "{text}");
    }
}

#[test]
fn a_schedule_promises_a_value_even_where_nobody_can_count_it() {
    let promised = |sla: Sla| {
        let facts = carve::service::ContractFacts { sla, ..facts(contract().facts.endpoints) };
        String::from_utf8(Contract::draft(facts).unwrap().to_yaml().unwrap()).unwrap()
    };
    let counted =
        promised(Sla { schedule: Some("*/15 * * * *".into()), frequency_minutes: Some(15), ..Sla::default() });
    assert!(counted.contains("property: frequency\n  value: 15\n  unit: minutes\n"), "{counted}");
    let written = promised(Sla { schedule: Some("when it rains".into()), ..Sla::default() });
    assert!(written.contains("value: when it rains"), "{written}");
    for text in [counted, written] {
        assert!(!text.contains("value: null"), "{text}");
    }
}
