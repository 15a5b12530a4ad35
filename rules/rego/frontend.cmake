# Text to compiled policy.
set(rego_frontend_sources
  ast.cc
  ast_print.cc
  diagnostic.cc
  lexer.cc
  parse_module.cc
  parser.cc
  parser_body.cc
  parser_logic.cc
  parser_primary.cc
  parser_statement.cc
  parser_term.cc
  text.cc
  visit.cc
)
