// What stands at the top of a text: packages and imports; rules are in parser_rule.cc.

#include "rules/rego/parser.h"
#include "rules/rego/text.h"

namespace portcullis::rego {
namespace {

bool IsRoot(std::string_view name) {
  return name == "data" || name == "input";
}

}  // namespace

std::vector<Statement> Parser::Parse() {
  std::vector<Statement> statements;
  Scan();
  while (!At(Token::kEof)) {
    if (!options_.skip_rules && FailKeywordAsRuleName(false)) {
      break;
    }
    State before = state_;
    if (At(Token::kPackage)) {
      PackageStatement package;
      if (ParsePackage(package)) {
        if (At(Token::kSub)) {
          Illegal();  // Otherwise it would be the next statement's sign.
          break;
        }
        statements.emplace_back(std::move(package));
        continue;
      }
      if (HasErrors()) {
        break;
      }
      Restore(before);
    }
    if (At(Token::kImport)) {
      Import import;
      if (ParseImport(import)) {
        if (At(Token::kSub)) {
          Illegal();
          break;
        }
        ActivateImport(import);
        statements.emplace_back(std::move(import));
        continue;
      }
      if (HasErrors()) {
        break;
      }
      Restore(before);
    }
    if (!options_.skip_rules) {
      std::vector<std::unique_ptr<Rule>> rules = ParseRules();
      for (std::unique_ptr<Rule>& rule : rules) {
        statements.emplace_back(std::move(rule));
      }
      if (!rules.empty()) {
        continue;
      }
      if (HasErrors()) {
        break;
      }
      Restore(before);
    }
    std::optional<Body> body = ParseQuery(true, Token::kEof);
    if (!body) {
      break;
    }
    statements.emplace_back(std::move(*body));
  }
  return statements;
}

bool Parser::ParsePackage(PackageStatement& package) {
  package.location = Here();
  ScanSpace();
  if (AtAny({Token::kDot, Token::kLBrack})) {
    return false;  // A reference that begins with this word.
  }
  if (At(Token::kWhitespace)) {
    Scan();
  }
  if (!TakeKeywordAsIdent()) {
    Illegal();
    return false;
  }
  TermPtr term = ParseTerm();
  if (!term) {
    if (!HasErrors()) {
      Fail(Here(), "expected path");
    }
    return false;
  }
  if (term->IsVar()) {
    package.path.push_back(term->text);
    return true;
  }
  if (term->kind != TermKind::kRef) {
    Illegal();
    return false;
  }
  for (std::size_t i = 0; i < term->items.size(); ++i) {
    const Term& item = *term->items[i];
    TermKind wanted = i == 0 ? TermKind::kVar : TermKind::kString;
    if (item.kind != wanted) {
      Fail(item.location, "unexpected " + std::string(KindName(item.kind)) + " token: expecting " +
                              std::string(KindName(wanted)));
      return false;
    }
    package.path.push_back(item.text);
  }
  return true;
}

bool Parser::ParseImport(Import& import) {
  import.location = Here();
  ScanSpace();
  if (AtAny({Token::kDot, Token::kLBrack})) {
    return false;
  }
  if (At(Token::kWhitespace)) {
    Scan();
  }
  if (!TakeKeywordAsIdent()) {
    Illegal();
    return false;
  }
  // Here the words that are imported are names, even if they are keywords already.
  KeywordSet active = state_.lexer.keywords;
  state_.lexer.keywords = {};
  const State before = state_;
  TermPtr term;
  {
    const Aside aside(*this);
    term = ParseTerm();
  }
  state_.lexer.keywords = active;
  if (At(Token::kNot)) {
    state_.token = Token::kIdent;  // It is one of them.
  }
  if (term && term->IsVar()) {
    import.path = NewTerm(TermKind::kRef, term->location);
    import.path->items.push_back(std::move(term));
  } else if (term && term->kind == TermKind::kRef) {
    for (std::size_t i = 1; i < term->items.size(); ++i) {
      const Term& item = *term->items[i];
      if (item.kind == TermKind::kString) {
        continue;
      }
      Restore(before);  // Comments that were read on the way do not count.
      Fail(item.location,
           "unexpected " + std::string(KindName(item.kind)) + " token: expecting string");
      return false;
    }
    import.path = std::move(term);
  }
  if (!import.path) {
    Fail(Here(), "expected path");
    return false;
  }
  const Term& root = *import.path->items[0];
  if (!root.IsVar() || (!IsRoot(root.text) && root.text != "future" && root.text != "rego")) {
    Hint("if this is unexpected, try updating OPA");
    Fail(import.path->location,
         "unexpected import path, must begin with one of: {data, future, input, rego}, got: " +
             ToString(root));
    return false;
  }
  if (At(Token::kAs)) {
    return ParseImportAlias(import);
  }
  CheckImportEnd(import);
  return true;
}

bool Parser::ParseImportAlias(Import& import) {
  Scan();
  if (!At(Token::kIdent)) {
    Illegal("expected var");
    return false;
  }
  TermPtr alias = ParseTerm();
  if (alias && alias->IsVar()) {
    import.alias = alias->text;
    import.alias_location = alias->location;
    return true;
  }
  if (alias && alias->kind == TermKind::kRef && alias->items.size() == 1 &&
      IsRoot(alias->items[0]->text)) {
    Fail(alias->location,
         "unexpected import alias, must not be a reserved name, got: " + alias->items[0]->text);
    return false;
  }
  Illegal("expected var");
  return false;
}

void Parser::CheckImportEnd(const Import& import) {
  const std::vector<TermPtr>& path = import.path->items;
  if (path.size() > 1 && path[0]->text == "future") {
    return;
  }
  const Term& last = *path.back();
  if (!IsKeyword(last.text, options_.version)) {
    return;
  }
  Hint("import a different path or use an alias");
  Fail(last.location, "unexpected import path, must not end with a keyword, got: " + last.text);
}

void Parser::ActivateImport(const Import& import) {
  const std::string& root = import.path->items[0]->text;
  if (root == "rego") {
    ActivateRegoImport(import);
  } else if (root == "future") {
    ActivateFutureImport(import);
  } else {
    return;
  }
  ReclassifyKeyword();
}

void Parser::ActivateRegoImport(const Import& import) {
  const std::vector<TermPtr>& path = import.path->items;
  const bool v1 = path.size() == 2 && path[1]->text == "v1";
  const bool v2 = path.size() == 2 && path[1]->text == "v2";
  if (!v1 && !v2) {
    return Fail(import.path->location, "invalid import `" + ToString(*import.path) +
                                           "`, must be one of: `rego.v1`, `rego.v2`");
  }
  if (!import.alias.empty()) {
    return Fail(import.alias_location, "`rego` imports cannot be aliased");
  }
  for (FutureKeyword keyword : kKeywordsOfV1) {
    state_.lexer.keywords.Add(keyword);
  }
  if (v2) {
    state_.lexer.keywords = KeywordSet::All();
    not_bodies_ = true;
  }
}

void Parser::ActivateFutureImport(const Import& import) {
  const std::vector<TermPtr>& path = import.path->items;
  if (path.size() == 1 || path[1]->text != "keywords") {
    return Fail(import.path->location, "invalid import, must be `future.keywords`");
  }
  if (!import.alias.empty()) {
    return Fail(import.alias_location, "`future` imports cannot be aliased");
  }
  if (path.size() != 3) {
    state_.lexer.keywords = KeywordSet::All();
    not_bodies_ = true;
    return;
  }
  for (FutureKeyword keyword : kAllFutureKeywords) {
    if (FutureKeywordName(keyword) != path[2]->text) {
      continue;
    }
    state_.lexer.keywords.Add(keyword);
    if (keyword == FutureKeyword::kNot) {
      not_bodies_ = true;
    }
    return;
  }
  Fail(import.path->location,
       "unexpected keyword, must be one of [and contains every if in not or]");
}

// The token after an import was read before the import took effect.
void Parser::ReclassifyKeyword() {
  if (!At(Token::kIdent)) {
    return;
  }
  State& state = state_;
  Lexer again(text_.substr(state.begin, state.end - state.begin), state.lexer.keywords);
  state.token = again.Scan().token;
}

}  // namespace portcullis::rego
