//! Values of YAML files that are small templates: filled where what they ask for is known without running dbt.
use std::collections::BTreeMap;

use serde_json::Value;

use super::calls::calls;

/// `text` with its `{{ var('x') }}`, `{{ env_var('X', 'default') }}` filled; `None` where something else is asked.
pub(super) fn filled(text: &str, vars: &BTreeMap<String, Value>) -> Option<String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let (expression, tail) = after.split_once("}}")?;
        filled.push_str(before);
        filled.push_str(&value_of(expression.trim(), vars)?);
        rest = tail;
    }
    filled.push_str(rest);
    (!filled.contains("{%")).then_some(filled)
}

fn value_of(expression: &str, vars: &BTreeMap<String, Value>) -> Option<String> {
    let whole = |function: &str| {
        let call = calls(expression, function).into_iter().next()?;
        (call.start == 0 && call.end == expression.len()).then_some(call)
    };
    // The environment is not the estate's: only the default is known.
    if let Some(call) = whole("env_var") {
        return call.positional().get(1).map(|text| (*text).to_owned());
    }
    let call = whole("var")?;
    let arguments = call.positional();
    match vars.get(*arguments.first()?) {
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        Some(Value::Bool(yes)) => Some(yes.to_string()),
        _ => arguments.get(1).map(|text| (*text).to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_filled_and_the_rest_is_none() {
        let vars = [("raw".to_owned(), Value::from("lake_raw"))].into();
        assert_eq!(filled("{{ var('raw') }}_eu", &vars).as_deref(), Some("lake_raw_eu"));
        assert_eq!(filled("{{ env_var('S', 'main') }}", &vars).as_deref(), Some("main"));
        assert_eq!(filled("{{ target.schema }}", &vars), None);
        assert_eq!(filled("{{ var('x') ", &vars), None);
        assert_eq!(filled("plain", &vars).as_deref(), Some("plain"));
    }
}
