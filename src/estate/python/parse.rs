//! Text into syntax. The only file to know tree-sitter.
use std::{cell::Cell, ops::ControlFlow, sync::Arc};

use tree_sitter::{Node, ParseOptions, ParseState, Parser};

use super::{
    ast::{Arg, ArgKind, Binary, ClassDef, Clause, Comparison, Expr, ExprKind, FunctionDef, Param, Stmt, TextPart},
    literal,
};

/// Levels of nesting, beyond which an expression is not looked into.
const MAX_DEPTH: usize = 150;
/// Longest file read, in bytes.
const MAX_BYTES: usize = 4 * 1024 * 1024;
/// Looks of the parser at its progress before it gives up, so that no text holds it for long.
const MAX_LOOKS: usize = 400_000;

/// Malformed pieces that are noted of one file.
const MAX_MALFORMED: usize = 5;

/// A file's statements.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) statements: Vec<Stmt>,
    /// Where it is no Python that the grammar knows: the first few places.
    pub(super) malformed: Vec<(usize, usize)>,
}

/// The statements of `text`; `None` where it is too long to be one that a person wrote.
pub(super) fn module(text: &str) -> Option<Parsed> {
    if text.len() > MAX_BYTES {
        return None;
    }
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_python::LANGUAGE.into()).ok()?;
    let mut looks = 0usize;
    let mut watch = |_: &ParseState| {
        looks += 1;
        if looks > MAX_LOOKS { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let options = ParseOptions::new().progress_callback(&mut watch);
    let bytes = text.as_bytes();
    let mut rest = |at: usize, _| bytes.get(at..).unwrap_or_default();
    let tree = parser.parse_with_options(&mut rest, None, Some(options))?;
    let reader = Reader { text, depth: Cell::new(0) };
    Some(Parsed { statements: reader.block(tree.root_node()), malformed: malformed(tree.root_node()) })
}

/// The first malformed pieces, outermost first.
fn malformed(root: Node<'_>) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut open = vec![root];
    while let Some(node) = open.pop().filter(|_| found.len() < MAX_MALFORMED) {
        if node.is_error() || node.is_missing() {
            found.push((node.start_byte(), node.end_byte()));
        } else if node.has_error() {
            let mut cursor = node.walk();
            let inner: Vec<Node<'_>> = node.children(&mut cursor).collect();
            open.extend(inner.into_iter().rev());
        }
    }
    found
}

struct Reader<'t> {
    text: &'t str,
    depth: Cell<usize>,
}

impl Reader<'_> {
    fn text(&self, node: Node<'_>) -> &str {
        self.text.get(node.byte_range()).unwrap_or_default()
    }

    fn name(&self, node: Node<'_>) -> Arc<str> {
        self.text(node).into()
    }

    /// Reads one level deeper, unless that is too deep.
    fn deeper<T>(&self, read: impl FnOnce() -> T) -> Option<T> {
        if self.depth.get() >= MAX_DEPTH {
            return None;
        }
        self.depth.set(self.depth.get() + 1);
        let found = read();
        self.depth.set(self.depth.get() - 1);
        Some(found)
    }

    fn block(&self, node: Node<'_>) -> Vec<Stmt> {
        children(node).into_iter().flat_map(|child| self.statement(child)).collect()
    }

    fn field_block(&self, node: Node<'_>, field: &str) -> Vec<Stmt> {
        node.child_by_field_name(field).map(|block| self.block(block)).unwrap_or_default()
    }

    fn statement(&self, node: Node<'_>) -> Vec<Stmt> {
        self.deeper(|| self.statement_here(node)).unwrap_or_default()
    }

    fn statement_here(&self, node: Node<'_>) -> Vec<Stmt> {
        let one = |statement| vec![statement];
        match node.kind() {
            "expression_statement" => children(node).into_iter().flat_map(|child| self.simple(child)).collect(),
            "return_statement" => one(Stmt::Return(first(node).map(|value| self.expr(value)))),
            "if_statement" => one(Stmt::If(self.arms(node))),
            "for_statement" => match (node.child_by_field_name("left"), node.child_by_field_name("right")) {
                (Some(left), Some(right)) => {
                    one(Stmt::For(self.expr(left), self.expr(right), self.field_block(node, "body")))
                }
                _ => Vec::new(),
            },
            "while_statement" => one(Stmt::While(self.field_block(node, "body"))),
            "try_statement" => one(self.try_statement(node)),
            "with_statement" => one(Stmt::With(self.with_items(node), self.field_block(node, "body"))),
            "function_definition" => one(Stmt::Function(Arc::new(self.function(node, Vec::new())))),
            "class_definition" => one(Stmt::Class(Arc::new(self.class(node)))),
            "decorated_definition" => self.decorated(node).map(one).unwrap_or_default(),
            "import_statement" => self.imports(node).into_iter().flat_map(one).collect(),
            "import_from_statement" => one(self.import_from(node)),
            "raise_statement" => one(Stmt::Raise),
            "break_statement" => one(Stmt::Break),
            "continue_statement" => one(Stmt::Continue),
            "match_statement" => one(Stmt::If(self.cases(node))),
            "ERROR" => {
                // What stands whole in a malformed piece is read all the same.
                let whole = children(node).into_iter().filter(|child| child.kind().ends_with("_statement"));
                whole.flat_map(|child| self.statement(child)).collect()
            }
            "comment"
            | "pass_statement"
            | "future_import_statement"
            | "global_statement"
            | "nonlocal_statement"
            | "assert_statement"
            | "delete_statement"
            | "type_alias_statement" => Vec::new(),
            "block" | "module" => self.block(node),
            _ => one(Stmt::Pass),
        }
    }

    /// An assignment or an expression; `a = b = c` becomes one statement a target.
    fn simple(&self, node: Node<'_>) -> Vec<Stmt> {
        match node.kind() {
            "assignment" => {
                let mut targets = Vec::new();
                let mut here = Some(node);
                while let Some(assignment) = here.filter(|here| here.kind() == "assignment") {
                    targets.extend(assignment.child_by_field_name("left"));
                    here = assignment.child_by_field_name("right");
                }
                let Some(value) = here else { return Vec::new() };
                targets.into_iter().map(|target| Stmt::Assign(self.expr(target), self.expr(value))).collect()
            }
            "augmented_assignment" => {
                let (left, right) = (node.child_by_field_name("left"), node.child_by_field_name("right"));
                let operator = node.child_by_field_name("operator").map(|node| self.text(node).trim_end_matches('='));
                match (left, right) {
                    (Some(left), Some(right)) => {
                        vec![Stmt::AddTo(self.expr(left), binary(operator.unwrap_or_default()), self.expr(right))]
                    }
                    _ => Vec::new(),
                }
            }
            "comment" => Vec::new(),
            _ => vec![Stmt::Expr(self.expr(node))],
        }
    }

    fn arms(&self, node: Node<'_>) -> Vec<(Option<Expr>, Vec<Stmt>)> {
        let arm = |node: Node<'_>, body: &str| {
            (node.child_by_field_name("condition").map(|c| self.expr(c)), self.field_block(node, body))
        };
        let mut arms = vec![arm(node, "consequence")];
        for child in children(node) {
            match child.kind() {
                "elif_clause" => arms.push(arm(child, "consequence")),
                "else_clause" => arms.push((None, self.field_block(child, "body"))),
                _ => {}
            }
        }
        arms
    }

    /// The cases of a `match`, as arms whose conditions nobody knows.
    fn cases(&self, node: Node<'_>) -> Vec<(Option<Expr>, Vec<Stmt>)> {
        let body = node.child_by_field_name("body");
        let clauses = body.map(children).unwrap_or_default().into_iter().filter(|child| child.kind() == "case_clause");
        let unknown = |node: Node<'_>| Expr { kind: ExprKind::Opaque, start: node.start_byte(), end: node.end_byte() };
        clauses.map(|clause| (Some(unknown(clause)), self.field_block(clause, "consequence"))).collect()
    }

    fn try_statement(&self, node: Node<'_>) -> Stmt {
        let mut body = self.field_block(node, "body");
        let mut handlers = Vec::new();
        for child in children(node) {
            let block = |child: Node<'_>| {
                children(child)
                    .into_iter()
                    .filter(|c| c.kind() == "block")
                    .flat_map(|b| self.block(b))
                    .collect::<Vec<_>>()
            };
            match child.kind() {
                "except_clause" | "except_group_clause" => handlers.push(block(child)),
                "else_clause" | "finally_clause" => body.extend(block(child)),
                _ => {}
            }
        }
        Stmt::Try(body, handlers)
    }

    fn with_items(&self, node: Node<'_>) -> Vec<(Expr, Option<Expr>)> {
        let clause = children(node).into_iter().find(|child| child.kind() == "with_clause");
        let items = clause.map(children).unwrap_or_default();
        let values = items
            .into_iter()
            .filter(|item| item.kind() == "with_item")
            .filter_map(|item| item.child_by_field_name("value"));
        let item = |value: Node<'_>| match value.kind() {
            "as_pattern" => {
                let target = value.child_by_field_name("alias").and_then(first).map(|target| self.expr(target));
                (first(value).map_or_else(|| self.opaque(value), |inner| self.expr(inner)), target)
            }
            _ => (self.expr(value), None),
        };
        // `with (A() as a, B() as b):` is one item, a tuple of several.
        values
            .flat_map(|value| match value.kind() {
                "tuple" | "parenthesized_expression" => children(value),
                _ => vec![value],
            })
            .map(item)
            .collect()
    }

    fn decorated(&self, node: Node<'_>) -> Option<Stmt> {
        let decorators = children(node).into_iter().filter(|child| child.kind() == "decorator");
        let decorators = decorators.filter_map(first).map(|inner| self.expr(inner)).collect();
        let definition = node.child_by_field_name("definition")?;
        Some(match definition.kind() {
            "class_definition" => Stmt::Class(Arc::new(self.class(definition))),
            _ => Stmt::Function(Arc::new(self.function(definition, decorators))),
        })
    }

    fn function(&self, node: Node<'_>, decorators: Vec<Expr>) -> FunctionDef {
        FunctionDef {
            name: node.child_by_field_name("name").map(|name| self.name(name)).unwrap_or_else(|| "".into()),
            params: node.child_by_field_name("parameters").map(|params| self.params(params)).unwrap_or_default(),
            body: self.field_block(node, "body"),
            decorators,
            start: node.start_byte(),
            end: node.end_byte(),
        }
    }

    fn params(&self, node: Node<'_>) -> Vec<Param> {
        let of = |node: Node<'_>, default: Option<Node<'_>>| {
            let (kind, name) = match node.kind() {
                "list_splat_pattern" => (ArgKind::Spread, first(node)?),
                "dictionary_splat_pattern" => (ArgKind::SpreadMap, first(node)?),
                _ => (ArgKind::Positional, node),
            };
            let annotation: Arc<str> = "".into();
            Some(Param { name: self.name(name), default: default.map(|value| self.expr(value)), kind, annotation })
        };
        let param = |child: Node<'_>| match child.kind() {
            "default_parameter" | "typed_default_parameter" => {
                of(child.child_by_field_name("name")?, child.child_by_field_name("value"))
            }
            "typed_parameter" => {
                let annotation =
                    child.child_by_field_name("type").map(|node| self.name(node)).unwrap_or_else(|| "".into());
                of(first(child)?, None).map(|param| Param { annotation, ..param })
            }
            "identifier" | "list_splat_pattern" | "dictionary_splat_pattern" => of(child, None),
            _ => None,
        };
        children(node).into_iter().filter_map(param).collect()
    }

    fn class(&self, node: Node<'_>) -> ClassDef {
        let bases = node.child_by_field_name("superclasses").map(children).unwrap_or_default();
        ClassDef {
            name: node.child_by_field_name("name").map(|name| self.name(name)).unwrap_or_else(|| "".into()),
            bases: bases
                .into_iter()
                .filter(|base| base.kind() != "keyword_argument")
                .map(|base| self.expr(base))
                .collect(),
            body: self.field_block(node, "body"),
        }
    }

    fn imports(&self, node: Node<'_>) -> Vec<Stmt> {
        let one = |child: Node<'_>| match child.kind() {
            "aliased_import" => Some(Stmt::Import(
                self.name(child.child_by_field_name("name")?),
                child.child_by_field_name("alias").map(|alias| self.name(alias)),
            )),
            "dotted_name" => Some(Stmt::Import(self.name(child), None)),
            _ => None,
        };
        children(node).into_iter().filter_map(one).collect()
    }

    fn import_from(&self, node: Node<'_>) -> Stmt {
        let Some(module) = node.child_by_field_name("module_name") else { return Stmt::Pass };
        let written = self.text(module);
        let name = written.trim_start_matches('.');
        let mut names: Vec<(Arc<str>, Arc<str>)> = Vec::new();
        for child in children(node).into_iter().filter(|child| child.id() != module.id()) {
            match child.kind() {
                "dotted_name" => names.push((self.name(child), self.name(child))),
                "aliased_import" => {
                    if let (Some(name), Some(alias)) =
                        (child.child_by_field_name("name"), child.child_by_field_name("alias"))
                    {
                        names.push((self.name(name), self.name(alias)));
                    }
                }
                "wildcard_import" => names.push(("*".into(), "*".into())),
                _ => {}
            }
        }
        Stmt::ImportFrom(name.trim().into(), written.len() - name.len(), names)
    }

    fn opaque(&self, node: Node<'_>) -> Expr {
        Expr { kind: ExprKind::Opaque, start: node.start_byte(), end: node.end_byte() }
    }

    fn expr(&self, node: Node<'_>) -> Expr {
        let kind = self.deeper(|| self.kind(node)).flatten().unwrap_or(ExprKind::Opaque);
        Expr { kind, start: node.start_byte(), end: node.end_byte() }
    }

    fn boxed(&self, node: Node<'_>) -> Box<Expr> {
        Box::new(self.expr(node))
    }

    fn exprs(&self, node: Node<'_>) -> Vec<Expr> {
        children(node).into_iter().map(|child| self.expr(child)).collect()
    }

    fn kind(&self, node: Node<'_>) -> Option<ExprKind> {
        let field = |name: &str| node.child_by_field_name(name);
        Some(match node.kind() {
            "none" => ExprKind::None,
            "true" => ExprKind::Bool(true),
            "false" => ExprKind::Bool(false),
            "integer" => ExprKind::Int(self.text(node).replace('_', "").parse().ok()?),
            "float" => ExprKind::Float(self.text(node).replace('_', "").parse().ok()?),
            "string" => ExprKind::Text(self.string(node)),
            "concatenated_string" => {
                let strings = children(node).into_iter().filter(|child| child.kind() == "string");
                ExprKind::Text(strings.flat_map(|string| self.string(string)).collect())
            }
            "identifier" => ExprKind::Name(self.name(node)),
            "attribute" => ExprKind::Attribute(self.boxed(field("object")?), self.name(field("attribute")?)),
            "subscript" => ExprKind::Subscript(self.boxed(field("value")?), self.boxed(field("subscript")?)),
            "slice" => self.slice(node),
            "call" => ExprKind::Call(self.boxed(field("function")?), self.arguments(field("arguments")?)),
            "binary_operator" => ExprKind::Binary(
                binary(self.text(field("operator")?)),
                self.boxed(field("left")?),
                self.boxed(field("right")?),
            ),
            "unary_operator" if self.text(node).starts_with('-') => ExprKind::Negative(self.boxed(field("argument")?)),
            "not_operator" => ExprKind::Not(self.boxed(field("argument")?)),
            "boolean_operator" => match self.text(field("operator")?) {
                "and" => ExprKind::And(self.boxed(field("left")?), self.boxed(field("right")?)),
                _ => ExprKind::Or(self.boxed(field("left")?), self.boxed(field("right")?)),
            },
            "comparison_operator" => self.comparison(node)?,
            "conditional_expression" => {
                let [then, condition, other] = children(node)[..] else { return None };
                ExprKind::Choice(self.boxed(condition), self.boxed(then), self.boxed(other))
            }
            "list" | "set" | "list_pattern" => ExprKind::List(self.exprs(node)),
            "tuple" | "expression_list" | "pattern_list" | "tuple_pattern" => ExprKind::Tuple(self.exprs(node)),
            "dictionary" => ExprKind::Dict(self.pairs(node)),
            "list_comprehension" | "set_comprehension" | "generator_expression" | "dictionary_comprehension" => {
                self.comprehension(node)?
            }
            "lambda" => ExprKind::Lambda(Arc::new(self.lambda(node)?)),
            "list_splat" | "list_splat_pattern" | "parenthesized_list_splat" => {
                ExprKind::Spread(self.boxed(first(node)?))
            }
            "parenthesized_expression" | "await" | "type" => return Some(self.expr(first(node)?).kind),
            "named_expression" => ExprKind::Named(self.name(field("name")?), self.boxed(field("value")?)),
            "yield" => ExprKind::Yield(self.boxed(first(node)?)),
            _ => return None,
        })
    }

    fn slice(&self, node: Node<'_>) -> ExprKind {
        let mut cursor = node.walk();
        let mut sides = [None, None, None];
        let mut at = 0;
        for child in node.children(&mut cursor) {
            match child.kind() {
                ":" => at = (at + 1).min(2),
                _ => sides[at] = Some(self.boxed(child)),
            }
        }
        let [from, to, _] = sides;
        ExprKind::Slice(from, to)
    }

    fn arguments(&self, node: Node<'_>) -> Vec<Arg> {
        if node.kind() == "generator_expression" {
            return vec![Arg { kind: ArgKind::Positional, value: self.expr(node) }];
        }
        let argument = |child: Node<'_>| {
            let (kind, value) = match child.kind() {
                "keyword_argument" => {
                    (ArgKind::Named(self.name(child.child_by_field_name("name")?)), child.child_by_field_name("value")?)
                }
                "list_splat" => (ArgKind::Spread, first(child)?),
                "dictionary_splat" => (ArgKind::SpreadMap, first(child)?),
                _ => (ArgKind::Positional, child),
            };
            Some(Arg { kind, value: self.expr(value) })
        };
        children(node).into_iter().filter_map(argument).collect()
    }

    fn comparison(&self, node: Node<'_>) -> Option<ExprKind> {
        let mut cursor = node.walk();
        let mut all = Vec::new();
        let mut words: Vec<&str> = Vec::new();
        let mut left = None;
        for child in node.children(&mut cursor) {
            if !child.is_named() || matches!(child.kind(), "not in" | "is not") {
                words.push(self.text(child));
            } else if child.kind() == "comment" {
            } else if left.is_none() {
                left = Some(self.boxed(child));
            } else {
                all.push((comparison(&words.join(" ")), self.expr(child)));
                words.clear();
            }
        }
        Some(ExprKind::Compare(left?, all))
    }

    fn pairs(&self, node: Node<'_>) -> Vec<(Option<Expr>, Expr)> {
        let pair = |child: Node<'_>| match child.kind() {
            "pair" => Some((
                Some(self.expr(child.child_by_field_name("key")?)),
                self.expr(child.child_by_field_name("value")?),
            )),
            "dictionary_splat" => Some((None, self.expr(first(child)?))),
            _ => None,
        };
        children(node).into_iter().filter_map(pair).collect()
    }

    fn comprehension(&self, node: Node<'_>) -> Option<ExprKind> {
        let body = node.child_by_field_name("body")?;
        let (body, value) = match body.kind() {
            "pair" => (body.child_by_field_name("key")?, body.child_by_field_name("value")),
            _ => (body, None),
        };
        let clause = |child: Node<'_>| match child.kind() {
            "for_in_clause" => Some(Clause::For(
                self.expr(child.child_by_field_name("left")?),
                self.expr(child.child_by_field_name("right")?),
            )),
            "if_clause" => Some(Clause::If(self.expr(first(child)?))),
            _ => None,
        };
        let clauses = children(node).into_iter().filter_map(clause).collect();
        Some(ExprKind::Comprehension(self.boxed(body), value.map(|value| self.boxed(value)), clauses))
    }

    fn lambda(&self, node: Node<'_>) -> Option<FunctionDef> {
        let body = node.child_by_field_name("body")?;
        let result = Stmt::Return(Some(self.expr(body)));
        Some(FunctionDef {
            name: "lambda".into(),
            params: node.child_by_field_name("parameters").map(|params| self.params(params)).unwrap_or_default(),
            body: vec![result],
            decorators: Vec::new(),
            start: node.start_byte(),
            end: node.end_byte(),
        })
    }

    fn string(&self, node: Node<'_>) -> Vec<TextPart> {
        let mut cursor = node.walk();
        let mut parts = Vec::new();
        let mut prefix = "";
        for child in node.children(&mut cursor) {
            match child.kind() {
                "string_start" => prefix = self.text(child),
                "string_content" => {
                    let (raw, has) = (self.text(child), |c: [char; 2]| prefix.contains(c));
                    let text = literal::decoded(raw, has(['r', 'R']), has(['f', 'F']));
                    let exact = text == raw;
                    parts.push(TextPart::Literal { text, start: child.start_byte(), end: child.end_byte(), exact });
                }
                "interpolation" => {
                    let value = child.child_by_field_name("expression").map(|inner| self.expr(inner));
                    parts.push(TextPart::Value(value.unwrap_or_else(|| self.opaque(child))));
                }
                _ => {}
            }
        }
        parts
    }
}

/// The named children of `node` without comments.
fn children(node: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).filter(|child| child.kind() != "comment").collect()
}

fn first(node: Node<'_>) -> Option<Node<'_>> {
    children(node).into_iter().next()
}

fn binary(operator: &str) -> Binary {
    match operator {
        "+" => Binary::Add,
        "-" => Binary::Subtract,
        "*" => Binary::Multiply,
        "/" => Binary::Divide,
        "%" => Binary::Remainder,
        ">>" => Binary::ShiftRight,
        "<<" => Binary::ShiftLeft,
        "|" => Binary::Or,
        _ => Binary::Other,
    }
}

fn comparison(operator: &str) -> Comparison {
    match operator {
        "==" => Comparison::Equal,
        "!=" | "<>" => Comparison::NotEqual,
        "in" => Comparison::In,
        "not in" => Comparison::NotIn,
        "is" => Comparison::Is,
        "is not" => Comparison::IsNot,
        _ => Comparison::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_come_out_in_order_past_a_malformed_one() {
        let text = "import a.b as c\nx = y = 'q'\ndef f(a, b=1, *c, **d):\n    return a\nx = = 3\nf(1)\n";
        let parsed = module(text).unwrap();
        let all = parsed.statements;
        let kinds: Vec<String> =
            all.iter().map(|one| format!("{one:?}").chars().take_while(|c| c.is_alphabetic()).collect()).collect();
        assert_eq!(kinds[..4], ["Import", "Assign", "Assign", "Function"]);
        let (start, end) = parsed.malformed[0];
        assert_eq!((kinds.last().unwrap().as_str(), &text[start - 4..end]), ("Expr", "x = ="));
        let Stmt::Function(function) = &all[3] else { panic!() };
        assert_eq!(function.params.iter().map(|param| &*param.name).collect::<Vec<_>>(), ["a", "b", "c", "d"]);
    }

    #[test]
    fn towers_of_brackets_and_long_sums_end() {
        assert!(module(&"(".repeat(20_000)).is_some());
        assert!(module(&format!("x = {}", "a + ".repeat(20_000))).is_some());
        assert!(module(&format!("x = {}1{}", "[".repeat(5_000), "]".repeat(5_000))).is_some());
    }
}
