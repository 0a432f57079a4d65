//! The syntax of Python as far as reading it without running it needs.
use std::sync::Arc;

/// An expression and the bytes it stands at.
#[derive(Clone, Debug)]
pub(crate) struct Expr {
    pub(crate) kind: ExprKind,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

#[derive(Clone, Debug)]
pub(crate) enum ExprKind {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    /// A string: one literal, several side by side, or with expressions in it.
    Text(Vec<TextPart>),
    Name(Arc<str>),
    Attribute(Box<Expr>, Arc<str>),
    Subscript(Box<Expr>, Box<Expr>),
    Slice(Option<Box<Expr>>, Option<Box<Expr>>),
    Call(Box<Expr>, Vec<Arg>),
    Binary(Binary, Box<Expr>, Box<Expr>),
    Negative(Box<Expr>),
    Not(Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Compare(Box<Expr>, Vec<(Comparison, Expr)>),
    /// `then if condition else other`: condition, then, other.
    Choice(Box<Expr>, Box<Expr>, Box<Expr>),
    List(Vec<Expr>),
    Tuple(Vec<Expr>),
    /// Keys are `None` where another map is spread.
    Dict(Vec<(Option<Expr>, Expr)>),
    /// Body, value of a dictionary's pair, clauses.
    Comprehension(Box<Expr>, Option<Box<Expr>>, Vec<Clause>),
    Lambda(Arc<FunctionDef>),
    /// `*items`.
    Spread(Box<Expr>),
    /// `yield value`.
    Yield(Box<Expr>),
    /// `name := value`.
    Named(Arc<str>, Box<Expr>),
    /// Anything else.
    Opaque,
}

/// A piece of a string.
#[derive(Clone, Debug)]
pub(crate) enum TextPart {
    Literal {
        text: String,
        start: usize,
        end: usize,
        /// Whether the bytes are the text.
        exact: bool,
    },
    Value(Expr),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    ShiftRight,
    ShiftLeft,
    Or,
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    In,
    NotIn,
    Is,
    IsNot,
    Other,
}

/// An argument of a call.
#[derive(Clone, Debug)]
pub(crate) struct Arg {
    pub(crate) kind: ArgKind,
    pub(crate) value: Expr,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ArgKind {
    Positional,
    Named(Arc<str>),
    /// `*args`.
    Spread,
    /// `**kwargs`.
    SpreadMap,
}

/// `for target in items` or `if condition` of a comprehension.
#[derive(Clone, Debug)]
pub(crate) enum Clause {
    For(Expr, Expr),
    If(Expr),
}

/// A statement.
#[derive(Clone, Debug)]
pub(crate) enum Stmt {
    Expr(Expr),
    Assign(Expr, Expr),
    AddTo(Expr, Binary, Expr),
    Return(Option<Expr>),
    /// Conditions with their blocks; the last may have none.
    If(Vec<(Option<Expr>, Vec<Stmt>)>),
    For(Expr, Expr, Vec<Stmt>),
    While(Vec<Stmt>),
    /// The block tried with what follows it, and the handlers.
    Try(Vec<Stmt>, Vec<Vec<Stmt>>),
    With(Vec<(Expr, Option<Expr>)>, Vec<Stmt>),
    Function(Arc<FunctionDef>),
    Class(Arc<ClassDef>),
    /// Module and the name it is bound to.
    Import(Arc<str>, Option<Arc<str>>),
    /// Module, how many folders up, names with their other names. `*` is all of them.
    ImportFrom(Arc<str>, usize, Vec<(Arc<str>, Arc<str>)>),
    Raise,
    Break,
    Continue,
    Pass,
}

#[derive(Debug)]
pub(crate) struct FunctionDef {
    pub(crate) name: Arc<str>,
    pub(crate) params: Vec<Param>,
    pub(crate) body: Vec<Stmt>,
    pub(crate) decorators: Vec<Expr>,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct Param {
    pub(crate) name: Arc<str>,
    pub(crate) default: Option<Expr>,
    pub(crate) kind: ArgKind,
    /// Its type as written; empty where none is.
    pub(crate) annotation: Arc<str>,
}

#[derive(Debug)]
pub(crate) struct ClassDef {
    pub(crate) name: Arc<str>,
    pub(crate) bases: Vec<Expr>,
    pub(crate) body: Vec<Stmt>,
}
