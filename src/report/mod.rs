//! Finished pages: flat view rows of ready text; one file knows handlebars; charts as SVG.
