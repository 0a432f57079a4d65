//! From sqlparser's tree to carve's own: shared ground of the lowering files.
use sqlparser::{
    ast::{Expr, Ident, ObjectName, ObjectNamePart, Spanned, Value},
    tokenizer::Span,
};

use super::{
    dialect::Dialect,
    ir::{Bytes, Ex, Name, Stmt},
    lexer::unquoted,
    parse::Lines,
    splice::Splice,
};

/// Lowers one statement.
pub(in crate::lineage) struct Lower<'t> {
    pub(super) text: &'t str,
    /// Where `text` begins in the script; or, for SQL in a string, the one place all of it has.
    pub(super) place: Place,
    pub(super) lines: Lines<'t>,
    pub(super) dialect: Dialect,
    /// Inside a procedure, where SELECT INTO fills variables.
    pub(super) in_body: bool,
    /// Named windows of the selects around, innermost last.
    pub(super) windows: Vec<Vec<(String, Vec<Ex>)>>,
    /// Expressions that ClickHouse's WITH of the queries around gives names to, innermost last.
    pub(super) named: Vec<(String, Ex)>,
    /// What is met on the way and cannot be named.
    pub(super) unnamed: Vec<(String, Bytes)>,
    /// Statements met inside queries: `WITH gone AS (DELETE … RETURNING …)`.
    pub(super) inner: Vec<Stmt>,
}

/// How places in the text become places in the script.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// The text begins at this byte.
    From(usize),
    /// All of it stands in these bytes, escaped.
    Within(Bytes),
    /// It is put together from pieces.
    Spliced(Splice),
}

impl<'t> Lower<'t> {
    /// Lowers the tree of `text`, which begins at byte `base` of its script.
    pub(in crate::lineage) fn new(text: &'t str, base: usize, dialect: Dialect, in_body: bool) -> Self {
        let lines = Lines::of(text);
        Lower {
            text,
            place: Place::From(base),
            lines,
            dialect,
            in_body,
            windows: Vec::new(),
            named: Vec::new(),
            unnamed: Vec::new(),
            inner: Vec::new(),
        }
    }

    /// Lowers the tree of text put together from pieces of a script.
    pub(in crate::lineage) fn spliced(splice: &'t Splice, dialect: Dialect) -> Self {
        Lower { place: Place::Spliced(splice.clone()), ..Lower::new(&splice.text, 0, dialect, false) }
    }

    /// Lowers the tree of `text`, which stands in a string at `at`.
    pub(in crate::lineage) fn quoted(text: &'t str, at: Bytes, dialect: Dialect) -> Self {
        Lower { place: Place::Within(at), ..Lower::new(text, 0, dialect, false) }
    }

    /// The bytes of `span` in the script.
    pub(super) fn bytes(&self, span: Span) -> Option<Bytes> {
        match &self.place {
            Place::Within(at) => Some(at.clone()),
            Place::From(base) => self.lines.bytes(span).map(|at| base + at.start..base + at.end),
            Place::Spliced(splice) => self.lines.bytes(span).map(|at| splice.place(&at).0),
        }
    }

    /// The bytes of `span`, or the statement's first.
    pub(super) fn bytes_or_start(&self, span: Span) -> Bytes {
        self.bytes(span).unwrap_or_else(|| self.start())
    }

    fn start(&self) -> Bytes {
        match &self.place {
            Place::Within(at) => at.clone(),
            Place::From(base) => *base..*base,
            Place::Spliced(splice) => splice.place(&(0..0)).0,
        }
    }

    /// A name as carve keeps it; `None` where it is computed.
    pub(super) fn name(&self, name: &ObjectName) -> Option<Name> {
        let mut parts = Vec::new();
        for part in &name.0 {
            match part {
                ObjectNamePart::Identifier(ident) => self.push_parts(ident, &mut parts),
                ObjectNamePart::Function(_) => return self.computed_name(name),
            }
        }
        self.named(parts, name.span())
    }

    /// `IDENTIFIER('schema.table')` names a table by a string.
    fn computed_name(&self, name: &ObjectName) -> Option<Name> {
        let [ObjectNamePart::Function(function)] = name.0.as_slice() else { return None };
        let text = function.args.first().and_then(|arg| literal_argument(arg))?;
        let parts = text.split('.').map(|part| unquoted(part).to_lowercase()).collect();
        Some(Name { parts, at: self.bytes_or_start(name.span()), exact: false })
    }

    /// A name of one identifier.
    pub(super) fn ident_name(&self, ident: &Ident) -> Option<Name> {
        let mut parts = Vec::new();
        self.push_parts(ident, &mut parts);
        self.named(parts, ident.span)
    }

    /// Backticks may hold a whole dotted name.
    fn push_parts(&self, ident: &Ident, parts: &mut Vec<String>) {
        let lower = ident.value.to_lowercase();
        match ident.quote_style {
            Some('`') if !lower.contains("://") => parts.extend(lower.split('.').map(str::to_owned)),
            _ => parts.push(lower),
        }
    }

    fn named(&self, mut parts: Vec<String>, span: Span) -> Option<Name> {
        // `db..t` leaves the schema out that everybody begins with.
        if let [_, schema, _] = parts.as_mut_slice()
            && schema.is_empty()
        {
            schema.push_str(self.default_schema());
        }
        parts.retain(|part| !part.trim().is_empty());
        if parts.is_empty() {
            return None;
        }
        let at = self.bytes_or_start(span);
        let exact = self.holds(span, &parts);
        // These schemas hold the tables of this session.
        let of_session = match self.dialect.name() {
            "sqlite" => "temp",
            "postgres" => "pg_temp",
            "spark" | "databricks" => "global_temp",
            _ => "",
        };
        if let [schema, table] = parts.as_slice()
            && schema == of_session
        {
            parts = vec![format!("#{table}")];
        }
        Some(Name { parts, at, exact })
    }

    fn default_schema(&self) -> &'static str {
        match self.dialect.name() {
            "tsql" => "dbo",
            "snowflake" => "public",
            _ => "",
        }
    }

    /// Whether the bytes of `span` spell exactly the name `parts`, and stand so in the script.
    fn holds(&self, span: Span, parts: &[String]) -> bool {
        let Some(at) = self.lines.bytes(span) else { return false };
        let in_one_piece = match &self.place {
            Place::From(_) => true,
            Place::Within(_) => false,
            Place::Spliced(splice) => splice.place(&at).1,
        };
        let Some(written) = self.text.get(at).filter(|_| in_one_piece) else { return false };
        if spells(written, parts) {
            return true;
        }
        let bare: String = written.chars().filter(|c| !matches!(c, '"' | '`' | '[' | ']')).collect();
        let between = format!(".{}.", self.default_schema());
        let bare = bare.to_lowercase().replace("..", &between);
        bare.split('.').map(str::trim).filter(|part| !part.is_empty()).eq(parts.iter().map(String::as_str))
    }
}

/// Whether `written` is `parts` with dots between them and nothing else, as nearly all names are.
fn spells(mut written: &str, parts: &[String]) -> bool {
    for (at, part) in parts.iter().enumerate() {
        let Some(rest) = written.strip_prefix(if at > 0 { "." } else { "" }) else { return false };
        match rest.split_at_checked(part.len()) {
            Some((own, behind)) if own.eq_ignore_ascii_case(part) && !part.contains('.') => written = behind,
            _ => return false,
        }
    }
    written.is_empty()
}

/// An identifier in carve's case.
pub(super) fn lower(ident: &Ident) -> String {
    ident.value.to_lowercase()
}

/// The last part of a name in carve's case.
pub(super) fn last_part(name: &ObjectName) -> String {
    name.0.last().and_then(ObjectNamePart::as_ident).map(lower).unwrap_or_default()
}

/// The string that `expr` is, where it is one.
pub(super) fn literal(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(s)
            | Value::DoubleQuotedString(s)
            | Value::TripleSingleQuotedString(s)
            | Value::TripleDoubleQuotedString(s)
            | Value::SingleQuotedRawStringLiteral(s)
            | Value::DoubleQuotedRawStringLiteral(s)
            | Value::TripleSingleQuotedRawStringLiteral(s)
            | Value::TripleDoubleQuotedRawStringLiteral(s)
            | Value::NationalStringLiteral(s)
            | Value::EscapedStringLiteral(s) => Some(s),
            Value::DollarQuotedString(s) => Some(&s.value),
            _ => None,
        },
        Expr::Nested(inner) => literal(inner),
        _ => None,
    }
}

/// The string that an argument is, where it is one.
pub(super) fn literal_argument(arg: &sqlparser::ast::FunctionArg) -> Option<&str> {
    use sqlparser::ast::{FunctionArg, FunctionArgExpr};
    match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr))
        | FunctionArg::Named { arg: FunctionArgExpr::Expr(expr), .. }
        | FunctionArg::ExprNamed { arg: FunctionArgExpr::Expr(expr), .. } => literal(expr),
        _ => None,
    }
}
