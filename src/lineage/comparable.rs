//! The queries by which a script fills tables, for whoever runs them in scratch.
use crate::{
    estate::{Estate, Script},
    lineage::{
        Editor,
        analysis::{on_deep_stack, span_of},
        sql::fills::filling_query,
        template::{Projects, fill},
    },
    vocab::{DatasetId, names_secret},
};

/// SQL text with its templates filled in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rendered {
    /// Ready for an engine where `complete`.
    pub text: String,
    /// Whether every template was filled with a known value; stubs and masks make it false.
    pub complete: bool,
    /// What was not filled, each in a few words: ``nobody says what `env` is``.
    pub problems: Vec<String>,
}

/// Fills a script's templates: Jinja with dbt's names, `${name}` and the like.
pub fn render(script: &Script, estate: &Estate) -> Rendered {
    let filled = on_deep_stack(|| fill(script, estate, &Projects::of(estate)));
    Rendered { text: filled.text, complete: filled.complete, problems: filled.problems }
}

impl Editor<'_> {
    /// The queries by which `script` fills tables, as runnable SELECT text with the table each fills (`None` for a
    /// bare query without a target), and the statements left out, each with its place and reason.
    pub fn comparable_queries(&self, script: &Script) -> (Vec<(Option<DatasetId>, String)>, Vec<String>) {
        on_deep_stack(|| comparable(self, script))
    }

    /// Values of the script's parameters and the estate's variables whose names say that they are secrets: a text into
    /// which one was rendered is shown to nobody.
    pub fn secret_values<'a>(&'a self, script: &'a Script) -> Vec<&'a str> {
        let given = script.params.iter().chain(&self.estate.settings.vars);
        let secret = given.filter(|(name, value)| names_secret(name) && !value.trim().is_empty());
        secret.map(|(_, value)| value.as_str()).collect()
    }
}

fn comparable(editor: &Editor<'_>, script: &Script) -> (Vec<(Option<DatasetId>, String)>, Vec<String>) {
    let (prepared, resolved) = editor.analyse(script);
    let (mut queries, mut left_out) = (Vec::new(), Vec::new());
    for (number, stmt) in prepared.sql.stmts.iter().enumerate() {
        let lineage = resolved.statements.iter().find(|(_, _, at)| *at == number);
        let text = &prepared.filled.text[stmt.at.clone()];
        let Some((lineage, _, _)) = lineage else { continue };
        let reads_temp = resolved.on_temp.contains(&number);
        let found = match filling_query(text, prepared.sql.dialect) {
            _ if stmt.scanned => Err(Some("the grammar does not accept it")),
            _ if reads_temp => Err(Some("it reads a temp table of the script")),
            Ok(_) if !prepared.filled.complete => Err(Some("its template has values that are known only when it runs")),
            found => found,
        };
        match found {
            Ok(query) => queries.push((lineage.target.clone(), query)),
            Err(None) => {}
            Err(Some(why)) => left_out.push(format!("{}: {why}", span_of(script, &prepared, &stmt.at))),
        }
    }
    (queries, left_out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{estate::Templating, vocab::Span};

    #[test]
    fn values_of_parameters_that_are_called_secrets_are_secrets() {
        let mut estate = Estate::default();
        for (name, value) in [("db_password", "hunter2"), ("region", "eu"), ("api_token", " ")] {
            estate.settings.vars.insert(name.to_owned(), value.to_owned());
        }
        let script = Script {
            at: Span::whole("a.sql"),
            text: "select 1".into(),
            verbatim: true,
            templating: Templating::Generic,
            dialect: None,
            schema: None,
            target: None,
            materialized: None,
            params: Default::default(),
        };
        let editor = Editor::new(&estate, []);
        assert_eq!(editor.secret_values(&script), ["hunter2"]);
    }
}
